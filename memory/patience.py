"""Waiting for a database that went away: a restart is no reason to give up a long load."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from memory.errors import DatabaseUnreachableError

PATIENCE_S = 30.0
"""For which a database may be away."""
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0

Result = TypeVar("Result")


async def patiently(
    work: Callable[[], Awaitable[Result]], *, patience_s: float = PATIENCE_S
) -> Result:
    """Do something that may be done again, until the database answers.

    Raises DatabaseUnreachableError where it has not for that long.
    """
    deadline, pause_s = time.monotonic() + patience_s, _FIRST_PAUSE_S
    while True:
        try:
            return await work()
        except DatabaseUnreachableError:
            if time.monotonic() + pause_s > deadline:
                raise
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
