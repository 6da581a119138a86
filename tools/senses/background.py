"""Blocking work of the senses, away from the event loop."""

import asyncio
from collections.abc import Callable
from threading import Event
from typing import TypeVar

Result = TypeVar("Result")


class GivenUpError(Exception):
    """Nobody waits for the work any more; never seen outside its thread."""


class Patience:
    """Tells work in a thread whether somebody still waits for it."""

    def __init__(self) -> None:
        self._over = Event()

    @property
    def over(self) -> bool:
        """Whether nobody waits any more."""
        return self._over.is_set()

    def check(self) -> None:
        """Raise `GivenUpError` where nobody waits any more."""
        if self.over:
            raise GivenUpError

    def end(self) -> None:
        """Stop waiting."""
        self._over.set()


async def run(work: Callable[[Patience], Result]) -> Result:
    """Return what the work returns. A cancelled caller ends it at its next check."""
    patience = Patience()
    try:
        return await asyncio.to_thread(work, patience)
    finally:
        patience.end()
