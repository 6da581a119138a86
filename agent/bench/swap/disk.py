"""Files that are read from the disk, and not from what the system holds of them."""

import os
from pathlib import Path

_PROBES = 16
_BLOCK = 1 << 22


def warm(path: Path) -> None:
    """Have the system hold a file."""
    with path.open("rb", buffering=0) as file:
        while file.read(_BLOCK):
            pass


def forget(path: Path) -> bool:
    """Have the system let go of a file; return whether it did, as far as it tells.

    What is written and what is mapped stays, and some file systems live in memory only.
    """
    if not hasattr(os, "posix_fadvise"):  # only Linux can be told so
        return False
    held = os.open(path, os.O_RDONLY)
    try:
        os.fsync(held)
        os.posix_fadvise(held, 0, 0, os.POSIX_FADV_DONTNEED)
        size = os.fstat(held).st_size
        return not any(_held(held, size * number // _PROBES) for number in range(_PROBES))
    finally:
        os.close(held)


def _held(file: int, offset: int) -> bool:
    """Whether a byte can be had without the disk."""
    try:
        return bool(os.preadv(file, [bytearray(1)], offset, os.RWF_NOWAIT))
    except BlockingIOError:
        return False
    except OSError:
        return True
