"""LangGraph's checkpoints on our pool, written only by who holds the thread."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from psycopg import AsyncCursor
from psycopg.rows import DictRow

from memory.database import Connection, Pool
from memory.queries import query
from memory.threads import Fence


def serializer() -> JsonPlusSerializer:
    """Return the serialiser that revives messages and plain values, and no other type."""
    return JsonPlusSerializer(allowed_msgpack_modules=None)


class FencedSaver(AsyncPostgresSaver):
    """A saver for one run, whose every write holds the thread's fence in its own transaction.

    LangGraph knows a checkpointer by its base class, and its savers do not fence: two processes on
    one thread both write. So this is the one place where a class of LangGraph is inherited.
    """

    def __init__(self, pool: Pool, fence: Fence | None = None) -> None:
        super().__init__(pool, serde=serializer())
        self._fence = fence

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        async with super()._cursor(pipeline=pipeline) as cursor:
            # Only writes ask for a pipeline; in it all statements are one transaction.
            if pipeline and self._fence is not None:
                values: dict[str, Any] = {
                    "thread_id": self._fence.thread_id,
                    "token": self._fence.token,
                }
                await cursor.execute(query("hold_fence"), values)
            yield cursor


async def set_up(connection: Connection) -> None:
    """Make the checkpointer's tables. Not safe to run twice at once: call it under a lock."""
    await AsyncPostgresSaver(connection).setup()
