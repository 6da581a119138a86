"""Amounts of memory as people write them. Pure."""

import re

from agent.errors import UsageError

GIB = 1 << 30
LARGEST_BYTES = 4 << 40
SMALLEST_BYTES = 1 << 20

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:([KMGT])(i?)B?|B)?\s*", re.IGNORECASE)
_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}


def size_of(text: str, flag: str, *, least: int = SMALLEST_BYTES) -> int:
    """Return bytes: `24GiB`, `16 GB`, `24122MiB` or a plain number of bytes. Raises UsageError."""
    size = _SIZE.fullmatch(text)
    if size is None:
        raise UsageError(f"{flag} {text!r} is no size. Write it as 24GiB or 16GB.")
    base = 1024 if size[3] else 1000
    amount = int(float(size[1]) * (base ** _POWERS[size[2].upper()] if size[2] else 1))
    if amount < least:
        raise UsageError(
            f"{flag} {text!r} is no size that holds a model: it is {amount} bytes. Write it as "
            "24GiB or 16GB."
        )
    if amount > LARGEST_BYTES:
        raise UsageError(f"{flag} {text!r} is more than any machine has. Write it as 24GiB.")
    return amount


def gib(size: int) -> str:
    """Write bytes for a person."""
    return f"{size / GIB:.2f} GiB" if size >= GIB else f"{size / (1 << 20):.0f} MiB"
