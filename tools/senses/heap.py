"""What the process keeps of memory that was freed.

By itself glibc keeps ever larger blocks for the next time. A network whose inputs change their size
then leaves some hundred megabytes of gaps; one whose inputs are small and alike is served well.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3
_LARGE_BYTES = 1 << 20
_KEPT_BYTES = 32 << 20


def return_large_blocks() -> None:
    """Have large blocks given back to the system as soon as they are freed.

    Elsewhere than with glibc nothing is done.
    """
    _set(_LARGE_BYTES)


@contextmanager
def kept() -> Iterator[None]:
    """Have what is freed kept within the block, and given back behind it.

    The system clears every page that it gives: what is taken and freed for each of many lines comes
    faster from what is there.
    """
    _set(_KEPT_BYTES)
    try:
        yield
    finally:
        _set(_LARGE_BYTES)
        _trim()


def _trim() -> None:
    malloc_trim = getattr(_library(), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)


def _set(large_bytes: int) -> None:
    mallopt = getattr(_library(), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, large_bytes)
        mallopt(_TRIM_THRESHOLD, 4 * large_bytes)


@cache
def _library() -> Any:
    return ctypes.CDLL(None)
