"""The bytes of a file, whatever has been put in its place."""

import hashlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tools.reading.base import UnreadableError
from tools.stamps import Stamp

_REPEATS = 2
_PIECE = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """What stands in a file."""

    data: bytes
    modified_at: datetime
    stamp: str
    """State of the file; only its size where it changed while it was read, or so shortly before
    that a further change might not show."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """A file of any size, looked through."""

    head: bytes
    digest: bytes
    """SHA-256 of all of it."""
    modified_at: datetime
    stamp: str
    """As in `Contents`."""


def contents(path: Path, *, bytes_limit: int) -> Contents:
    """Read a regular file of bearable size. Raises `UnreadableError` for anything else.

    A symbolic link in its place is not followed, a pipe not waited for. One that changes meanwhile
    is read again, a few times. Raises OSError where the file cannot be opened or read.
    """
    with opened(path) as descriptor:
        before, data, after = _attempt(descriptor, bytes_limit)
        for _ in range(_REPEATS):
            if Stamp.of(before) == Stamp.of(after):
                break
            before, data, after = _attempt(descriptor, bytes_limit)
    size = max(before.st_size, len(data))
    if size > bytes_limit:
        raise too_large(path.name, size, bytes_limit)
    return Contents(data=data, modified_at=_modified_at(before), stamp=_stamp(before, after))


def head(path: Path, bytes_limit: int) -> bytes:
    """Read the beginning of a regular file, as `contents` would."""
    with opened(path) as descriptor:
        return _read(descriptor, bytes_limit)


def summary(path: Path, *, head_bytes: int = _PIECE) -> Summary:
    """Look through a regular file of any size, in bounded memory. Raises as `contents` does."""
    with opened(path) as descriptor:
        before = os.fstat(descriptor)
        digest, first, at = hashlib.sha256(), b"", 0
        while piece := os.pread(descriptor, _PIECE, at):
            digest.update(piece)
            at += len(piece)
            first = first or piece[:head_bytes]
        after = os.fstat(descriptor)
    return Summary(
        head=first,
        digest=digest.digest(),
        modified_at=_modified_at(before),
        stamp=_stamp(before, after),
    )


def unchanged(path: Path, stamp: str) -> bool:
    """Return whether a file is still in that state."""
    try:
        return str(Stamp.of(os.lstat(path))) == stamp
    except OSError:
        return False


def too_large(name: str, size: int, bytes_limit: int) -> UnreadableError:
    """Say that a file has more bytes than are read."""
    return UnreadableError(
        f"{name} has {size} bytes, and {bytes_limit} are read at most. "
        "Raise the limit in the settings, or split the file."
    )


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Lend the descriptor of a regular file; raises as `contents` does for anything else."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UnreadableError(f"{path.name} is not a regular file.")
        yield descriptor
    finally:
        os.close(descriptor)


def _attempt(descriptor: int, bytes_limit: int) -> tuple[os.stat_result, bytes, os.stat_result]:
    """Read a file between two looks at its state."""
    before = os.fstat(descriptor)
    # Some files are longer than they say: those of /proc, one that is being written.
    data = b"" if before.st_size > bytes_limit else _read(descriptor, bytes_limit + 1)
    return before, data, os.fstat(descriptor)


def _read(descriptor: int, limit: int) -> bytes:
    """Read from the beginning, up to a number of bytes."""
    pieces, at = [], 0
    while at < limit and (piece := os.pread(descriptor, min(limit - at, 16 * _PIECE), at)):
        pieces.append(piece)
        at += len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _modified_at(status: os.stat_result) -> datetime:
    try:
        return datetime.fromtimestamp(status.st_mtime, UTC)
    except (OverflowError, ValueError, OSError):  # a time that no calendar has
        return datetime.fromtimestamp(0, UTC)


def _stamp(before: os.stat_result, after: os.stat_result) -> str:
    stamp = Stamp.of(before)
    sure = stamp == Stamp.of(after) and stamp.lasting(time.time_ns())
    return str(stamp) if sure else stamp.doubtful
