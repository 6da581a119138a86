"""From files to memory: what is new or changed is read, what has vanished goes.

How it is done, and why: `tools/ingestion/design.md`.
"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from memory.errors import MemoryStoreError
from memory.patience import patiently
from memory.store import DocumentStore
from tools import folders
from tools.base import Clock
from tools.ingest_report import IngestReport, OnProgress, Outcome, Tally, silent
from tools.ingestion import moves
from tools.ingestion.files import tell_again
from tools.ingestion.intake import ContainerOf, Intake
from tools.ingestion.roots import Root, open_roots
from tools.ingestion.writer import FILES_TOGETHER, Writer
from tools.reading.base import FILE_BYTES_LIMIT, FileReader
from tools.reading.containers import container_of
from tools.stamps import Stamp

_VANISHED_AT_ONCE = 200
Job = tuple[Root, Path, Stamp]


class Ingestion:
    """Brings files into memory, as many at once as are ready, in one transaction.

    What was done before an interruption stays done: the next ingestion goes on from there.
    """

    def __init__(
        self,
        store: DocumentStore,
        reader: FileReader,
        *,
        clock: Clock,
        bytes_limit: int = FILE_BYTES_LIMIT,
        parallel: int | None = None,
        together: int = FILES_TOGETHER,
        containers: ContainerOf = container_of,
    ) -> None:
        """Read as many files at once as there are cores, unless told otherwise.

        At most so many files are stored `together`, in one transaction.
        """
        self._store = store
        self._files = store.files
        self._reader = reader
        self._clock = clock
        self._bytes_limit = bytes_limit
        self._parallel = parallel or os.cpu_count() or 1
        self._together = together
        self._containers = containers

    async def ingest(
        self,
        paths: Sequence[Path],
        *,
        collection: str,
        emptied: bool = False,
        on_progress: OnProgress = silent,
    ) -> IngestReport:
        """Bring files and whole folders into a collection.

        What memory has of a folder that is empty now goes only with `emptied`: where a disk is not
        mounted, its folder is there and empty.

        A file that cannot be read is listed and stops nothing. A database that goes away is waited
        for. Raises `UnreadableError` for a path that does not exist, before anything is done, and
        `MemoryStoreError` where memory fails.
        """
        began = self._clock.now()
        real = await asyncio.to_thread(folders.real, paths)
        roots = await open_roots(real, collection, self._store)
        await moves.settle(roots, self._files)
        tally = Tally(on_progress)
        writer = Writer(self._store, tally, together=self._together)
        intake = Intake(
            self._reader,
            self._files,
            writer,
            tally,
            container_of=self._containers,
            bytes_limit=self._bytes_limit,
            parallel=self._parallel,
        )
        jobs = await asyncio.to_thread(_jobs, roots, intake, tally)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(writer.run())
                group.create_task(self._read_all(iter(jobs), intake, writer))
        except* MemoryStoreError as errors:
            raise _first(errors) from errors
        for root in roots:
            await self._sweep(root, tally, emptied=emptied)
        return tally.report((self._clock.now() - began).total_seconds())

    async def _read_all(self, jobs: Iterator[Job], intake: Intake, writer: Writer) -> None:
        async def work() -> None:
            for root, path, stamp in jobs:
                await intake.take(root, path, stamp)

        async with asyncio.TaskGroup() as group:
            for _ in range(self._parallel):
                group.create_task(work())
        await writer.close()

    async def _sweep(self, root: Root, tally: Tally, *, emptied: bool) -> None:
        """Take out of memory what is no longer below a path, and what it holds twice."""
        tally.ignored += root.found.ignored
        for folder, reason in root.found.closed.items():
            tally.fail(folder.as_uri(), f"the folder cannot be listed: {reason}")
        gone = root.vanished()
        if gone and root.emptied() and not emptied:
            tally.fail(root.uri, _EMPTY.format(count=len(gone)))
            return
        for start in range(0, len(gone), _VANISHED_AT_ONCE):
            await self._drop(root.source_id, gone[start : start + _VANISHED_AT_ONCE])
        tally.vanished += len(gone)
        for source_id in root.inner:
            await self._store.forget(source_id)

    async def _drop(self, source_id: int, uris: Sequence[str]) -> None:
        await patiently(lambda: self._files.drop(source_id, uris))


_EMPTY = (
    "the folder is empty now, and memory holds {count} files of it, which stay: its disk may not "
    "be mounted. If they are to go, say so with --emptied"
)


def _jobs(roots: Sequence[Root], intake: Intake, tally: Tally) -> list[Job]:
    """Return the files that have to be looked at; count those that do not. Blocks."""
    jobs: list[Job] = []
    settled = 0
    for root in roots:
        for path, stamp in root.found.files.items():
            uri = path.as_uri()
            known = root.known.files.get(uri)
            if stamp.size == 0:
                root.gone.add(uri)
                tally.settled(Outcome.EMPTY)
            elif known is not None and intake.settled(known, stamp):
                tally.settled(tell_again(root, known, tally))
            else:
                jobs.append((root, path, stamp))
                continue
            settled += 1
    tally.expect((stamp.size for _, _, stamp in jobs), settled=settled)
    return jobs


def _first(errors: BaseExceptionGroup[MemoryStoreError]) -> MemoryStoreError:
    """Return the first of errors that lie in groups within groups."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, MemoryStoreError)
    return error
