"""What the process keeps of memory that was freed."""

import ctypes
from functools import cache
from typing import Any

_MMAP_THRESHOLD = -3
_LARGE_BYTES = 1 << 20


@cache
def return_large_blocks() -> None:
    """Have glibc give large blocks back to the system as soon as they are freed.

    By itself it keeps ever larger ones for the next time, and a network whose inputs change their
    size then leaves some hundred megabytes of gaps. Elsewhere nothing is done.
    """
    mallopt = getattr(_library(), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)


def trim() -> None:
    """Give back what lies free between blocks that are in use, where the library can."""
    malloc_trim = getattr(_library(), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)


@cache
def _library() -> Any:
    return ctypes.CDLL(None)
