"""Zip archives, unpacked under bounds that what they say of themselves cannot lift.

Whoever hands an archive to a library that unpacks it checks it here first.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

ENTRIES = 10_000
DIRECTORY_BYTES = 4 * 2**20
"""Of the list of what is in an archive; it is read in one go."""

UNPACKED_BYTES = 512 * 2**20
"""Of all that is unpacked from one archive, counted as it comes."""

RATIO = 200
FREE_BYTES = 16 * 2**20
"""Below this an entry may unpack to more than `RATIO` times its size: blank tables do."""

_PIECE_BYTES = 1 << 18
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""What documents may be packed by. Of the others some allocate what a header demands."""

_ENCRYPTED = 0x1

_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    KeyError,
    OverflowError,
)
"""What `zipfile` raises on broken bytes; `struct.error` it turns into the first."""


class ArchiveError(Exception):
    """The archive is broken or made to hurt; the text says why, in words that follow its name."""


class BrokenEntryError(ArchiveError):
    """One file in the archive cannot be unpacked; the others may."""


class ProtectedError(ArchiveError):
    """It is protected by a password."""


@dataclass(frozen=True, slots=True)
class _Span:
    """Where an entry lies in the archive."""

    start: int
    end: int
    name: str


class _Bounded(io.BytesIO):
    """Bytes that give no piece larger than a directory may be."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > DIRECTORY_BYTES:
            raise ArchiveError(
                f"its list of files takes {size} bytes, and {DIRECTORY_BYTES} are read at most."
            )
        return super().read(size)


class Archive:
    """The files in a zip archive. Blocks; not for several threads at once."""

    def __init__(self, data: bytes) -> None:
        """Read the list of files. Raises `ArchiveError`."""
        try:
            self._zip = zipfile.ZipFile(_Bounded(data))
        except _FAULTS as error:
            raise ArchiveError(
                f"its list of files is missing or broken ({error}): it was cut off or damaged. "
                "Copy it anew."
            ) from error
        entries = self._zip.infolist()
        if len(entries) > ENTRIES:
            raise ArchiveError(f"it holds {len(entries)} files, and {ENTRIES} are read at most.")
        _refuse_overlap(entries)
        self._entries = {entry.filename: entry for entry in entries}
        self._sizes: dict[str, int] = {}
        """Bytes that entries were found to have, so that one is counted once."""

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all files, in the order of the archive."""
        return tuple(self._entries)

    def read(self, name: str, limit: int = UNPACKED_BYTES) -> bytes:
        """Return what a file holds. Raises `ArchiveError`, `BrokenEntryError` if only for it."""
        held = bytearray()
        for piece in self.pieces(name):
            held += piece
            if len(held) > limit:
                raise ArchiveError(f"{name!r} in it unpacks to more than {limit} bytes.")
        return bytes(held)

    def count(self, name: str, letter: bytes) -> int:
        """Unpack a file without keeping it, and count a byte in it. Raises `ArchiveError`."""
        return sum(piece.count(letter) for piece in self.pieces(name))

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield what a file holds as it is unpacked. Raises `ArchiveError`, also midway."""
        entry = self._entries.get(name)
        if entry is None:
            raise BrokenEntryError(f"{name!r} is missing in it.")
        if entry.flag_bits & _ENCRYPTED:
            raise ProtectedError("it is protected by a password. Save a copy without one.")
        if entry.compress_type not in _METHODS:
            raise BrokenEntryError(f"{name!r} in it is packed by method {entry.compress_type}.")
        unpacked = 0
        try:
            with self._zip.open(entry) as file:
                while piece := file.read(_PIECE_BYTES):
                    unpacked += len(piece)
                    self._refuse_bomb(entry, unpacked)
                    yield piece
        except _FAULTS as error:
            raise BrokenEntryError(f"{name!r} in it is damaged ({error}). Copy it anew.") from error

    def _refuse_bomb(self, entry: zipfile.ZipInfo, unpacked: int) -> None:
        if unpacked > FREE_BYTES and unpacked > RATIO * entry.compress_size:
            raise ArchiveError(
                f"{entry.filename!r} in it unpacks to more than {RATIO} times its size: "
                "it is a decompression bomb and was not unpacked."
            )
        self._sizes[entry.filename] = max(unpacked, self._sizes.get(entry.filename, 0))
        if sum(self._sizes.values()) > UNPACKED_BYTES:
            raise ArchiveError(
                f"it unpacks to more than {UNPACKED_BYTES} bytes, which are read at most. "
                "Split the document."
            )


def _refuse_overlap(entries: list[zipfile.ZipInfo]) -> None:
    """Refuse entries that share bytes: thousands may unpack from the same ones."""
    spans = sorted(
        (
            _Span(entry.header_offset, entry.header_offset + entry.compress_size, entry.filename)
            for entry in entries
        ),
        key=lambda span: (span.start, span.end),
    )
    for one, following in pairwise(spans):
        if following.start < one.end or following.start == one.start:
            raise ArchiveError(
                f"{one.name!r} and {following.name!r} in it lie over each other: "
                "it is damaged or a decompression bomb, and was not unpacked."
            )
