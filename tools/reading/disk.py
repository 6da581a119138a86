"""The bytes of a file, whatever has been put in its place."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tools.reading.base import UnreadableError


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """What stands in a file."""

    data: bytes
    modified_at: datetime


def contents(path: Path, *, bytes_limit: int) -> Contents:
    """Read a regular file of bearable size. Raises `UnreadableError` for anything else.

    A symbolic link in its place is not followed, a pipe not waited for. Raises OSError where the
    file cannot be opened or read.
    """
    with opened(path) as descriptor:
        status = os.fstat(descriptor)
        # Python refuses a file object for a folder, and would leave the descriptor open.
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            # Some files are longer than they say: those of /proc, one that is being written.
            data = b"" if status.st_size > bytes_limit else file.read(bytes_limit + 1)
    size = max(status.st_size, len(data))
    if size > bytes_limit:
        raise UnreadableError(
            f"{path.name} has {size} bytes, and {bytes_limit} are read at most. "
            "Raise the limit in the settings, or split the file."
        )
    return Contents(data=data, modified_at=datetime.fromtimestamp(status.st_mtime, UTC))


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
