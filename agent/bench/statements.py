"""A connection that counts its statements, and the time in which they are answered."""

import time
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import DictRow


@dataclass(kw_only=True, slots=True)
class Tally:
    """What all counted connections of this process have done."""

    statements: int = 0
    seconds: float = 0.0
    """In which a statement was waited for. A pipeline answers later, when it is closed: that wait
    is not in it."""


TALLY = Tally()


class CountedCursor(AsyncCursor[DictRow]):
    """Counts the statements that go through it."""

    async def execute(self, *arguments: Any, **more: Any) -> "CountedCursor":
        """Count and run one statement."""
        began = time.perf_counter()
        await super().execute(*arguments, **more)
        TALLY.statements += 1
        TALLY.seconds += time.perf_counter() - began
        return self

    async def executemany(self, *arguments: Any, **more: Any) -> None:
        """Count and run one statement with many values."""
        began = time.perf_counter()
        await super().executemany(*arguments, **more)
        TALLY.statements += 1
        TALLY.seconds += time.perf_counter() - began


class CountedConnection(AsyncConnection[DictRow]):
    """A connection whose statements are counted."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.cursor_factory = CountedCursor
