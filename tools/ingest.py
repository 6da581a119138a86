"""From files to memory: what is new or changed is read, what has vanished goes."""

import asyncio
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from memory.documents import KnownDocument
from memory.errors import MemoryStoreError, PassageTooLongError
from memory.store import DocumentStore
from tools import folders
from tools.base import Clock
from tools.ingest_report import IngestReport, OnProgress, Outcome, Tally, silent
from tools.papers import document_of
from tools.reading.base import FILE_BYTES_LIMIT, FileReader, SenseFailedError, UnreadableError
from tools.reading.disk import contents


class Ingestion:
    """Brings files into memory, each in a transaction of its own.

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
    ) -> None:
        """Read as many files at once as there are cores, unless told otherwise."""
        self._store = store
        self._reader = reader
        self._clock = clock
        self._bytes_limit = bytes_limit
        self._parallel = parallel or os.cpu_count() or 1

    async def ingest(
        self, paths: Sequence[Path], *, collection: str, on_progress: OnProgress = silent
    ) -> IngestReport:
        """Bring files and whole folders into a collection.

        A file that cannot be read is listed and stops nothing. Raises `UnreadableError` for a path
        that does not exist, before anything is done, and `MemoryStoreError` where memory fails.
        """
        began = self._clock.now()
        real = await asyncio.to_thread(folders.real, paths)
        roots = [await self._root(path, collection) for path in real]
        tally = Tally(total=sum(len(root.found.files) for root in roots), on_progress=on_progress)
        files = iter([(root, path) for root in roots for path in root.found.files])
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._parallel):
                    group.create_task(self._work(files, tally))
        except* MemoryStoreError as errors:
            raise errors.exceptions[0] from errors
        for root in roots:
            await self._sweep(root, tally)
        return tally.report((self._clock.now() - began).total_seconds())

    async def _root(self, path: Path, collection: str) -> "_Root":
        """Find the files below a path, and what memory holds of them."""
        sources = await self._store.sources(collection)
        uri = next((at.as_uri() for at in folders.above(path) if at.as_uri() in sources), None)
        source_id = await self._store.source(collection, uri or path.as_uri())
        below = f"{path.as_uri()}/"
        return _Root(
            source_id=source_id,
            inner=[
                other
                for inner, other in sources.items()
                if inner.startswith(below) and "/." not in inner.removeprefix(path.as_uri())
            ],
            known=await self._store.known(source_id),
            found=await asyncio.to_thread(folders.find, path),
            uri=path.as_uri(),
        )

    async def _work(self, files: Iterator[tuple["_Root", Path]], tally: Tally) -> None:
        for root, path in files:
            uri = path.as_uri()
            try:
                outcome = await self._one(root, path, uri, tally)
            except SenseFailedError as error:
                outcome = tally.fail(uri, str(error))
            except UnreadableError as error:
                # What memory may hold of it stands there no longer.
                root.stale.add(uri)
                outcome = tally.fail(uri, str(error))
            except OSError as error:
                outcome = tally.fail(uri, f"{path.name}: {error.strerror or error}")
            except PassageTooLongError as error:
                outcome = tally.fail(uri, str(error))
            except MemoryStoreError:
                raise
            except Exception as error:  # noqa: BLE001  # a fault of a reader costs one file, no more
                outcome = tally.fail(uri, f"{path.name}: {type(error).__name__}: {error}")
            tally.done(uri, path.name, outcome)

    async def _one(self, root: "_Root", path: Path, uri: str, tally: Tally) -> Outcome:
        file = await asyncio.to_thread(_load, path, self._bytes_limit)
        known = root.known.get(uri)
        if known is not None and self._same(known, file):
            return Outcome.UNCHANGED
        reading = await self._reader.read(file.data, path.name)
        document = await asyncio.to_thread(
            lambda: document_of(reading, uri=uri, digest=file.digest, modified_at=file.modified_at)
        )
        result = await self._store.put(root.source_id, document)
        return tally.stored(uri, result.chunks, reading.flaws)

    def _same(self, known: KnownDocument, file: "_File") -> bool:
        return known.content_hash == file.digest and self._reader.current(known.reader)

    async def _sweep(self, root: "_Root", tally: Tally) -> None:
        """Take out of memory what is no longer below a path, and what it holds twice."""
        for folder, reason in root.found.closed.items():
            tally.fail(folder.as_uri(), f"the folder cannot be listed: {reason}")
        gone = await self._store.vanish(root.source_id, root.kept())
        tally.vanished += len(set(gone) - root.stale)
        for source_id in root.inner:
            await self._store.forget(source_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Root:
    """A path that is ingested, and what memory holds of it."""

    uri: str
    source_id: int
    """The source that it belongs to; a folder further up may be the source."""
    inner: list[int]
    """Sources below it, whose files now belong to it."""
    known: dict[str, KnownDocument]
    found: folders.Found
    stale: set[str] = field(default_factory=set)
    """Files that are there, but no longer hold what memory may have of them."""

    def kept(self) -> set[str]:
        """Return the documents of the source that stay in memory."""
        closed = [f"{folder.as_uri()}/" for folder in self.found.closed]
        there = {path.as_uri() for path in self.found.files} - self.stale
        return there | {
            uri
            for uri in self.known
            if not self._covers(uri) or any(uri.startswith(folder) for folder in closed)
        }

    def _covers(self, uri: str) -> bool:
        return uri == self.uri or uri.startswith(f"{self.uri}/")


@dataclass(frozen=True, kw_only=True, slots=True)
class _File:
    data: bytes
    digest: bytes
    modified_at: datetime


def _load(path: Path, bytes_limit: int) -> _File:
    """Read a regular file of bearable size."""
    found = contents(path, bytes_limit=bytes_limit)
    return _File(
        data=found.data,
        digest=hashlib.sha256(found.data).digest(),
        modified_at=found.modified_at,
    )
