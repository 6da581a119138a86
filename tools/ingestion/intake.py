"""One file at a time: whether it has changed, what it is, what stands in it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from memory.documents import URI_BYTES_LIMIT, NewDocument
from memory.errors import MemoryStoreError
from memory.files import FileRecord, FileStore
from tools.content import Content, Kind, detect
from tools.ingest_report import Outcome, Tally
from tools.ingestion.files import File, load, look_through, tell_again
from tools.ingestion.members import Members
from tools.ingestion.roots import Root
from tools.ingestion.writer import Parcel, Writer
from tools.papers import document_of
from tools.reading.base import FileReader, SenseFailedError, UnreadableError
from tools.reading.disk import head, too_large
from tools.reading.members import Container
from tools.stamps import Stamp

ContainerOf = Callable[[Content], Container | None]
_HEAD_BYTES = 1 << 20
"""By which the kind of a file is told that is too large to be read at once."""


class Intake:
    """Reads files for one ingestion and hands on what it learns of them."""

    def __init__(
        self,
        reader: FileReader,
        files: FileStore,
        writer: Writer,
        tally: Tally,
        *,
        container_of: ContainerOf,
        bytes_limit: int,
        parallel: int,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._tally = tally
        self._container_of = container_of
        self._bytes_limit = bytes_limit
        self._members = Members(reader, files, writer, tally, parallel=parallel)
        self._current: dict[str, bool] = {}

    def settled(self, known: FileRecord, stamp: Stamp) -> bool:
        """Return whether what is known of a file holds, as far as its state shows."""
        return known.stamp == str(stamp) and self._is_current(known)

    async def take(self, root: Root, path: Path, stamp: Stamp) -> None:
        """Read a file, and hand on what there is of it. Raises MemoryStoreError only."""
        uri = path.as_uri()
        try:
            outcome = await self._take(root, path, uri, stamp)
        except FileNotFoundError:
            root.gone.add(uri)
            outcome = Outcome.GONE
        except MemoryStoreError:
            raise
        except Exception as error:  # noqa: BLE001  # a fault of a reader costs one file, no more
            outcome = self._tally.fail(uri, _told(error, path.name))
        if outcome is not None:
            self._tally.done(uri, path.name, stamp.size, outcome)

    async def _take(self, root: Root, path: Path, uri: str, stamp: Stamp) -> Outcome | None:
        """Return what became of a file, None where the writer will tell."""
        if len(uri) > URI_BYTES_LIMIT:
            raise OSError(f"its path of {len(uri)} bytes is too long to be indexed. Shorten it.")
        try:
            file, content = await self._opened(path, stamp)
        except SenseFailedError:
            raise
        except UnreadableError as error:
            await self._closed(root, path, stamp, str(error))
            return None
        known = root.known.files.get(uri)
        if known is not None and known.digest == file.digest and self._is_current(known):
            record = replace(known, stamp=file.stamp)
            await self._send(root, file, record, tell_again(root, known, self._tally))
            return None
        if content is None:
            content = await asyncio.to_thread(detect, file.data, path.name)
        container = self._container_of(content)
        if container is not None:
            await self._members.take(root, file, container)
        elif content.kind is Kind.EMPTY:
            record = file.record(self._reader.version, many=True)
            await self._send(root, file, record, Outcome.EMPTY)
        else:
            await self._document(root, file, content)
        return None

    async def _opened(self, path: Path, stamp: Stamp) -> tuple[File, Content | None]:
        """Read a file; one that is too large for that is looked through if it holds many."""
        if stamp.size <= self._bytes_limit:
            return await asyncio.to_thread(load, path, stamp.size, self._bytes_limit), None
        content = await asyncio.to_thread(lambda: detect(head(path, _HEAD_BYTES), path.name))
        if self._container_of(content) is None:
            raise too_large(path.name, stamp.size, self._bytes_limit)
        return await asyncio.to_thread(look_through, path, stamp.size), content

    async def _document(self, root: Root, file: File, content: Content) -> None:
        try:
            reading = await self._reader.read(file.data, file.path.name, content)
        except SenseFailedError:
            raise
        except UnreadableError as error:
            record = file.record(self._reader.version, reason=str(error))
            await self._send(root, file, record, self._tally.fail(file.uri, str(error)))
            return
        document = await asyncio.to_thread(
            lambda: document_of(
                reading, uri=file.uri, digest=file.digest, modified_at=file.modified_at
            )
        )
        if not (document.chunks or document.flaws or content.kind is Kind.PICTURE):
            document = replace(document, flaws=("no text was found in it",))
        await self._send(root, file, file.record(document.reader), Outcome.READ, document)

    async def _closed(self, root: Root, path: Path, stamp: Stamp, reason: str) -> None:
        """Hand on why a file was not even opened; what memory had of it stands there no longer."""
        uri = path.as_uri()
        record = FileRecord(
            uri=uri,
            stamp=str(stamp) if stamp.lasting(time.time_ns()) else stamp.doubtful,
            digest=b"",
            reader=self._reader.version,
            reason=reason,
        )
        await self._writer.send(
            Parcel(
                source_id=root.source_id,
                uri=uri,
                name=path.name,
                size=stamp.size,
                record=record,
                outcome=self._tally.fail(uri, reason),
            )
        )

    async def _send(
        self,
        root: Root,
        file: File,
        record: FileRecord,
        outcome: Outcome,
        document: NewDocument | None = None,
    ) -> None:
        await self._writer.send(
            Parcel(
                source_id=root.source_id,
                uri=file.uri,
                name=file.path.name,
                size=file.size,
                document=document,
                record=record,
                outcome=outcome,
            )
        )

    def _is_current(self, known: FileRecord) -> bool:
        """Return whether a file would be read today as it was."""
        reader = known.reader
        if reader not in self._current:
            current = reader == self._reader.version or self._reader.current(reader)
            self._current[reader] = current
        return self._current[reader]


def _told(error: Exception, name: str) -> str:
    """Say why a file could not be read this time."""
    match error:
        case SenseFailedError():
            return str(error)
        case OSError():
            return f"{name}: {error.strerror or error}"
        case _:
            return f"{name}: {type(error).__name__}: {error}"
