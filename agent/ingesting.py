"""Ingestion, told as plain values."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import assembly
from agent.errors import UsageError
from agent.residency.arbiter.events import Priority
from agent.settings import Settings
from tools.ingest_report import Failure, IngestProgress, IngestReport, Outcome
from tools.ingestion.embedding import Embedding
from tools.ingestion.pace import Pace
from tools.ingestion.watching import Watcher
from tools.reading.base import UnreadableError
from tools.senses.embedding import LeasedEmbedder

if TYPE_CHECKING:
    from agent.recorder import Watch

OnReport = Callable[[dict[str, Any]], None]


async def ingest(
    settings: Settings, paths: Sequence[Path], *, watch: "Watch", emptied: bool = False
) -> dict[str, Any]:
    """Bring files and folders into the collection and make them findable by meaning.

    With `emptied`, what memory has of folders that are empty now goes.
    """
    _check(paths)
    async with assembly.memory(settings, priority=Priority.JOB) as memory:
        return await _once(memory, settings.collection, paths, watch, emptied=emptied)


async def follow(
    settings: Settings,
    paths: Sequence[Path],
    *,
    every_s: float,
    watch: "Watch",
    on_report: OnReport,
) -> None:
    """Ingest, and again whenever something changes, until the process is told to end.

    A path that is gone for a while keeps what memory has of it: a disk may not be mounted.
    """
    _check(paths)
    watcher = Watcher(paths, every_s=every_s)
    async with (
        assembly.memory(settings, priority=Priority.JOB) as memory,
        _ended_by_signals(),
        aclosing(watcher.passes()) as passes,
    ):
        async for there in passes:
            # What is gone by now is looked for again at the next pass.
            with suppress(UnreadableError, FileNotFoundError):
                if there:
                    on_report(await _once(memory, settings.collection, there, watch))


@asynccontextmanager
async def _ended_by_signals() -> AsyncIterator[None]:
    """Leave the block, wherever it is, when the process is told to end."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    asked = asyncio.Event()

    def end() -> None:
        asked.set()
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    try:
        yield
    except asyncio.CancelledError:
        if not asked.is_set():
            raise
        task.uncancel()


def _check(paths: Sequence[Path]) -> None:
    for path in paths:
        if not path.exists():
            raise UsageError(f"There is no file or folder {str(path)!r}. Is the path right?")


async def _once(
    memory: assembly.Memory,
    collection: str,
    paths: Sequence[Path],
    watch: "Watch",
    *,
    emptied: bool = False,
) -> dict[str, Any]:
    """Read what is new while what was read is embedded."""
    began = time.monotonic()
    told = _Told(watch)
    embedding = Embedding(
        memory.store, LeasedEmbedder(memory.embedder, memory.residency), told.embedded
    )

    def heard(progress: IngestProgress) -> None:
        told.ingested(progress)
        if progress.outcome in (None, Outcome.READ):
            embedding.wake()

    task = asyncio.create_task(embedding.run())
    try:
        report = await memory.ingestion.ingest(
            paths, collection=collection, emptied=emptied, on_progress=heard
        )
        told.reading = False
        embedding.close()
        await task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task
    return _report(report, collection, embedding.embedded, time.monotonic() - began)


class _Told:
    """Tells of reading and of embedding, which go on at the same time, in one line."""

    def __init__(self, watch: "Watch") -> None:
        self._watch = watch
        self._embedded = 0
        self._passages = 0
        self._pace: Pace | None = None
        self.reading = True

    def ingested(self, progress: IngestProgress) -> None:
        self._passages = max(self._passages, progress.chunks)
        self._watch(
            {
                "event": "ingesting",
                "done": progress.done,
                "total": progress.total,
                "name": progress.name,
                "files_s": progress.files_s,
                "left_s": progress.left_s,
                "embedded": self._embedded,
                "passages": self._passages,
            }
        )

    def embedded(self, done: int, total: int) -> None:
        fresh, self._embedded = done - self._embedded, done
        self._passages = max(self._passages, total)
        if self.reading:
            return
        now_s = time.monotonic()
        if self._pace is None:
            self._pace = Pace(self._passages - done, now_s=now_s)
        else:
            self._pace.advance(fresh, now_s=now_s)
        self._watch(
            {
                "event": "embedding",
                "done": done,
                "total": self._passages,
                "passages_s": self._pace.rate(now_s=now_s),
                "left_s": self._pace.left_s(now_s=now_s),
            }
        )


def _report(report: IngestReport, collection: str, embedded: int, seconds: float) -> dict[str, Any]:
    return {
        "collection": collection,
        "read": report.read,
        "moved": report.moved,
        "unchanged": report.unchanged,
        "empty": report.empty,
        "vanished": report.vanished,
        "ignored": report.ignored,
        "documents": report.documents,
        "chunks": report.chunks,
        "embedded": embedded,
        "seconds": seconds,
        "failed": [_failure(failure) for failure in report.failed],
        "flawed": [_failure(failure) for failure in report.flawed],
    }


def _failure(failure: Failure) -> dict[str, str]:
    return {"uri": failure.uri, "reason": failure.reason}
