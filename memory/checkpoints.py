"""LangGraph's checkpoints on our pool, written only by who holds the thread."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from psycopg import AsyncCursor
from psycopg.rows import DictRow

from memory.database import Connection, Pool, translated
from memory.queries import query


def serializer() -> JsonPlusSerializer:
    """Return the serialiser that revives messages and plain values, and no other type."""
    return JsonPlusSerializer(allowed_msgpack_modules=None)


_writing: ContextVar[str | None] = ContextVar("thread_written_to", default=None)


class FencedSaver(AsyncPostgresSaver):
    """A saver whose every write to a thread holds that thread's fence in the same transaction.

    `fences` gives the token under which each thread is being run; it may change while the saver is
    in use. A thread that is not in it is not being run, and is written to without a fence, as when
    a person changes its state.

    LangGraph knows a checkpointer by its base class, and its savers do not fence: two processes on
    one thread both write. So this is the one place where a class of LangGraph is inherited.
    """

    def __init__(self, pool: Pool, fences: Mapping[str, int]) -> None:
        super().__init__(pool, serde=serializer())
        self._fences = fences

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Write a checkpoint, unless another runner has taken the thread."""
        with _thread(config):
            return await super().aput(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Write what a finished node gave, unless another runner has taken the thread."""
        with _thread(config):
            await super().aput_writes(config, writes, task_id, task_path)

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        thread_id = _writing.get()
        token = None if thread_id is None else self._fences.get(thread_id)
        async with super()._cursor(pipeline=pipeline) as cursor:
            if token is not None:
                # A pipeline is one transaction: a fence that is lost undoes what follows.
                await cursor.execute(query("hold_fence"), {"thread_id": thread_id, "token": token})
            yield cursor


@contextmanager
def _thread(config: RunnableConfig) -> Iterator[None]:
    reset = _writing.set(config["configurable"]["thread_id"])
    try:
        with translated():
            yield
    finally:
        _writing.reset(reset)


async def set_up(connection: Connection) -> None:
    """Make the checkpointer's tables. Not safe to run twice at once: call it under a lock."""
    await AsyncPostgresSaver(connection).setup()
