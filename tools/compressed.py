"""Compressed files, unpacked in order and never further than they are worth."""

import bz2
import lzma
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, Protocol

HEAD_BYTES = 1 << 18
"""Unpacked to tell what a compressed file holds."""

_PIECE_BYTES = 1 << 16
_RATIO = 200
"""Of what comes out to what went in: text seldom gives thirty, a bomb thousands."""
_RATIO_FREE_BYTES = 16 * 2**20
"""Unpacked at any ratio: a file that says the same over and over is no attack yet."""
_STREAM_BYTES = 256
"""Of a stream, on the mean: a file may be many of them, but none of nothing."""
_FREE_STREAMS = 1_000
_LZMA_MEMORY_BYTES = 128 * 2**20


class CompressedError(Exception):
    """A compressed file cannot be unpacked; the text says why."""


class BombError(CompressedError):
    """A compressed file would become far more than it is."""


class _Decompressor(Protocol):
    @property
    def needs_input(self) -> bool: ...
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


class _Zlib:
    """`zlib.decompressobj` with what it has not taken yet given back to it, as the others do."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


def _xz() -> _Decompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_LZMA_MEMORY_BYTES)


_FORMS = ((b"\x1f\x8b\x08", _Zlib), (b"BZh", bz2.BZ2Decompressor), (b"\xfd7zXZ\0", _xz))


def is_compressed(beginning: bytes) -> bool:
    """Return whether bytes begin like gzip, bzip2 or xz."""
    return any(beginning.startswith(mark) for mark, _ in _FORMS)


class Unpacking:
    """What a compressed file holds, read in order, in bounded memory."""

    def __init__(self, file: BinaryIO, *, bytes_limit: int | None = None) -> None:
        self._file = file
        self._bytes_limit = bytes_limit
        self._waiting = file.read(_PIECE_BYTES)
        self._form = next((make for mark, make in _FORMS if self._waiting.startswith(mark)), None)
        self._stream: _Decompressor | None = None
        self._streams = 0
        self._taken = len(self._waiting)
        self._given = 0

    def read(self, size: int) -> bytes:
        """Return up to so many bytes, none at the end. Blocks.

        Raises `CompressedError` where the file is broken, cut off or a bomb.
        """
        while True:
            if self._stream is None and not self._begin():
                return b""
            if data := self._step(size):
                return data

    def _begin(self) -> bool:
        """Open the next stream of the file, if there is one."""
        self._fill()
        self._waiting = self._waiting.lstrip(b"\0")  # padding
        if not self._waiting:
            self._fill()
        if not self._waiting:
            return False
        self._streams += 1
        if self._streams > _FREE_STREAMS + self._taken // _STREAM_BYTES:
            raise BombError("it is cut into tiny streams, as no program writes it")
        if self._form is None:
            raise CompressedError("it is not compressed in a way that is known")
        self._stream = self._form()
        return True

    def _fill(self) -> None:
        if not self._waiting:
            self._waiting = self._file.read(_PIECE_BYTES)
            self._taken += len(self._waiting)

    def _step(self, size: int) -> bytes:
        """Take some bytes through the stream that is open."""
        assert self._stream is not None
        piece = b""
        if self._stream.needs_input:
            self._fill()
            piece, self._waiting = self._waiting, b""
        try:
            data = self._stream.decompress(piece, size)
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
            raise CompressedError(f"it is broken: {error}") from error
        if self._stream.eof:
            self._waiting = self._stream.unused_data
            self._stream = None
        elif not piece and not data:
            raise CompressedError("it is cut off")
        self._given += len(data)
        if self._given > max(_RATIO_FREE_BYTES, _RATIO * self._taken):
            raise BombError(f"it unpacks to more than {_RATIO} times its size")
        if self._bytes_limit is not None and self._given > self._bytes_limit:
            raise BombError(f"it unpacks to more than {self._bytes_limit} bytes")
        return data


@dataclass(frozen=True, kw_only=True, slots=True)
class Unpacked:
    """What a compressed file holds."""

    data: bytes
    flaws: tuple[str, ...] = ()


def beginning(data: bytes) -> bytes:
    """Return what the first bytes of a compressed file hold; nothing where they are broken."""
    stream, held = Unpacking(BytesIO(data)), bytearray()
    try:
        while len(held) < HEAD_BYTES and (piece := stream.read(HEAD_BYTES - len(held))):
            held += piece
    except CompressedError:
        pass
    return bytes(held)


def unpack(data: bytes, *, bytes_limit: int) -> Unpacked:
    """Return what a compressed file holds; of one that is cut off, what comes before the end.

    Blocks. Raises `CompressedError` where that is nothing, `BombError` where it is too much.
    """
    stream, held = Unpacking(BytesIO(data), bytes_limit=bytes_limit), bytearray()
    flaws: tuple[str, ...] = ()
    try:
        while piece := stream.read(_PIECE_BYTES):
            held += piece
    except BombError:
        raise
    except CompressedError as error:
        if not held:
            raise
        flaws = (f"{error}; what comes before was read",)
    return Unpacked(data=bytes(held), flaws=flaws)
