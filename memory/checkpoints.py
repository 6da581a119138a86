"""LangGraph's checkpoints on our pool, written only by who holds the thread."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from psycopg import AsyncCursor
from psycopg.rows import DictRow

from memory.database import Connection, Pool, translated
from memory.queries import query
from memory.runs import Rider


def serializer() -> JsonPlusSerializer:
    """Return the serialiser that revives messages and plain values, and no other type."""
    return JsonPlusSerializer(allowed_msgpack_modules=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Writer:
    """Who may write to a thread, and what rides along with the next write."""

    token: int
    riders: list[Rider] = field(default_factory=list)
    """They cost no round trip and no commit of their own, and stand there if and only if the write
    does."""

    def boarding(self, namespace: str, task_id: str | None) -> list[Rider]:
        """Return the riders of one task, or with a checkpoint all those below its namespace."""
        if task_id is not None:
            mine = f":{task_id}"
            return [
                rider
                for rider in self.riders
                if any(part.endswith(mine) for part in rider.task.split("|"))
            ]
        return [
            rider
            for rider in self.riders
            if not namespace or rider.task.startswith(f"{namespace}|")
        ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Write:
    """What is being written."""

    thread_id: str
    namespace: str
    task_id: str | None
    """None for a checkpoint, which holds what all tasks of its step gave."""


_writing: ContextVar[_Write | None] = ContextVar("write", default=None)


class FencedSaver(AsyncPostgresSaver):
    """A saver whose every write to a thread holds that thread's fence in the same transaction.

    `writers` tells who runs each thread; it may change while the saver is in use. A thread that is
    not in it is not being run, and is written to without a fence, as when a person changes its
    state.

    LangGraph knows a checkpointer by its base class, and its savers do not fence: two processes on
    one thread both write. So this is the one place where a class of LangGraph is inherited.
    """

    def __init__(self, pool: Pool, writers: Mapping[str, Writer]) -> None:
        super().__init__(pool, serde=serializer())
        self._writers = writers

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Write a checkpoint, unless another runner has taken the thread."""
        with _write(config, None):
            return await super().aput(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Write what a finished node gave, unless another runner has taken the thread."""
        with _write(config, task_id):
            await super().aput_writes(config, writes, task_id, task_path)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Read a checkpoint, the newest where none is named."""
        with translated():
            return await super().aget_tuple(config)

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        write = _writing.get()
        writer = None if write is None else self._writers.get(write.thread_id)
        if write is None or writer is None:
            async with super()._cursor(pipeline=pipeline) as cursor:
                yield cursor
            return
        async with super()._cursor(pipeline=pipeline) as cursor:
            # Taken up only here, under the saver's lock: else two writes would carry them both.
            riders = writer.boarding(write.namespace, write.task_id)
            # A pipeline is one transaction: a fence that is lost undoes what follows.
            values = {"thread_id": write.thread_id, "token": writer.token}
            try:
                await cursor.execute(query("hold_fence"), values)
                for rider in riders:
                    await cursor.execute(query(rider.query), rider.values)
                yield cursor
            finally:
                # Who has boarded shares the fate of the write, also where that fails.
                writer.riders[:] = [rider for rider in writer.riders if rider not in riders]


@contextmanager
def _write(config: RunnableConfig, task_id: str | None) -> Iterator[None]:
    run = config["configurable"]
    write = _Write(
        thread_id=run["thread_id"], namespace=run.get("checkpoint_ns", ""), task_id=task_id
    )
    reset = _writing.set(write)
    try:
        with translated():
            yield
    finally:
        _writing.reset(reset)


async def set_up(connection: Connection) -> None:
    """Make the checkpointer's tables. Not safe to run twice at once: call it under a lock."""
    await AsyncPostgresSaver(connection).setup()
