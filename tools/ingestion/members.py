"""Files that hold many documents: each member becomes a document; only those that changed are read.

A file is taken apart as a stream, so its size does not matter; what was stored before an
interruption is found again by its digest.
"""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from memory.documents import KnownDocument
from memory.errors import MemoryStoreError
from memory.files import FileRecord, FileStore
from memory.patience import patiently
from tools.ingest_report import Outcome, Tally
from tools.ingestion.files import File
from tools.ingestion.member_uris import Seen, member_uri
from tools.ingestion.roots import Root
from tools.ingestion.writer import Parcel, Writer
from tools.papers import document_of
from tools.reading.base import UNREAD, FileReader, SenseFailedError, UnreadableError
from tools.reading.disk import unchanged
from tools.reading.members import BrokenMember, Container, Member

_BATCH = 64
_BATCH_BYTES = 4 << 20
"""Of members that are held at once, unless a single one is larger."""


@dataclass(kw_only=True, slots=True)
class _Course:
    """A file that is being taken apart."""

    root: Root
    file: File
    known: dict[str, FileRecord]
    """What is known of members that could not be read once."""
    seen: Seen = field(default_factory=Seen)
    read: int = 0
    settled: bool = True
    """False where another time more may be read."""
    problem: str | None = None
    """Why the rest of the file was not come to."""


class Members:
    """Takes files apart and hands on what is new or changed in them."""

    def __init__(
        self, reader: FileReader, files: FileStore, writer: Writer, tally: Tally, *, parallel: int
    ) -> None:
        self._reader = reader
        self._files = files
        self._writer = writer
        self._tally = tally
        self._turns = asyncio.Semaphore(parallel)

    async def take(self, root: Root, file: File, container: Container) -> None:
        """Hand on the members of a file, and then what became of the file itself.

        Raises OSError where it cannot be read to its end; nothing is taken for vanished then.
        """
        course = _Course(root=root, file=file, known=root.known.members.get(file.uri, {}))
        members = container.members(file.path)
        while True:
            batch, error = await asyncio.to_thread(_pull, members)
            await self._batch(course, batch)
            if isinstance(error, UnreadableError):
                course.problem = str(error)
                break
            if error is not None:
                raise error
            if not batch:
                await self._sweep(course)
                break
        await self._close(course)

    async def _batch(self, course: _Course, batch: Sequence[Member | BrokenMember]) -> None:
        fresh: dict[str, Member] = {}
        for member in batch:
            uri = member_uri(course.file.uri, member.key)
            if not course.seen.add(uri):
                self._tally.fail(uri, f"{member.name}: there is another of the same key before it.")
            elif isinstance(member, BrokenMember):
                await self._broken(course, uri, member.name, b"", member.reason)
            else:
                fresh[uri] = member
        stored = await patiently(lambda: self._files.documents(course.root.source_id, list(fresh)))
        async with asyncio.TaskGroup() as group:
            for uri, member in fresh.items():
                group.create_task(self._one(course, uri, member, stored.get(uri)))

    async def _one(
        self, course: _Course, uri: str, member: Member, stored: KnownDocument | None
    ) -> None:
        async with self._turns:
            digest = await asyncio.to_thread(lambda: hashlib.sha256(member.data).digest())
            if self._is_settled(course, uri, digest, stored):
                return
            try:
                await self._read(course, uri, member, digest)
            except SenseFailedError as error:
                course.settled = False
                self._tally.fail(uri, str(error))
            except UnreadableError as error:
                await self._broken(course, uri, member.name, digest, str(error))
            except MemoryStoreError:
                raise
            except Exception as error:  # noqa: BLE001  # a fault of ours costs the member, no more
                course.settled = False
                self._tally.fail(uri, f"{member.name}: {type(error).__name__}: {error}")

    def _is_settled(
        self, course: _Course, uri: str, digest: bytes, stored: KnownDocument | None
    ) -> bool:
        """Return whether a member is as it was, read or unreadable."""
        broken = course.known.get(uri)
        if broken is not None and broken.reason is not None:
            if (broken.digest, broken.reader) != (digest, self._reader.version):
                return False
            self._tally.fail(uri, broken.reason)
            return True
        return (
            stored is not None
            and stored.content_hash == digest
            and self._reader.current(stored.reader)
        )

    async def _read(self, course: _Course, uri: str, member: Member, digest: bytes) -> None:
        reading = await self._reader.read(member.data, member.name, member.content)
        document = await asyncio.to_thread(
            lambda: document_of(
                reading, uri=uri, digest=digest, modified_at=course.file.modified_at
            )
        )
        course.read += 1
        if UNREAD in document.reader.split(" + "):
            course.settled = False
        # One that could not be read before is marked as read.
        record = (
            FileRecord(uri=uri, stamp=None, digest=digest, reader=document.reader)
            if uri in course.known
            else None
        )
        await self._writer.send(
            Parcel(
                source_id=course.root.source_id,
                uri=course.file.uri,
                name=member.name,
                size=len(member.data),
                document=document,
                record=record,
            )
        )

    async def _broken(
        self, course: _Course, uri: str, name: str, digest: bytes, reason: str
    ) -> None:
        """Name a member that cannot be read, and hand on that it is so."""
        self._tally.fail(uri, reason)
        record = FileRecord(
            uri=uri, stamp=None, digest=digest, reader=self._reader.version, reason=reason
        )
        if course.known.get(uri) != record:
            await self._writer.send(
                Parcel(
                    source_id=course.root.source_id,
                    uri=course.file.uri,
                    name=name,
                    size=0,
                    record=record,
                )
            )

    async def _sweep(self, course: _Course) -> None:
        """Take out of memory what the file no longer holds."""
        source_id = course.root.source_id
        gone = [uri for uri in course.known if uri not in course.seen]
        async for page in self._files.members(source_id, course.file.uri):
            gone += [uri for uri in page if uri not in course.seen]
        if gone:
            await patiently(lambda: self._files.drop(source_id, gone))
            self._tally.vanished += len(gone)

    async def _close(self, course: _Course) -> None:
        """Hand on what became of the file; one that changed meanwhile is looked at again."""
        file, problem = course.file, course.problem
        lasting = await asyncio.to_thread(unchanged, file.path, file.stamp)
        reader = self._reader.version if course.settled else UNREAD
        record = FileRecord(
            uri=file.uri,
            stamp=file.stamp if lasting else str(file.size),
            digest=file.digest,
            reader=reader,
            reason=problem,
            many=True,
        )
        if problem is not None:
            outcome = self._tally.fail(file.uri, problem)
        else:
            outcome = Outcome.READ if course.read else Outcome.UNCHANGED
        await self._writer.send(
            Parcel(
                source_id=course.root.source_id,
                uri=file.uri,
                name=file.path.name,
                size=file.size,
                record=record,
                outcome=outcome,
            )
        )


def _pull(
    members: Iterator[Member | BrokenMember],
) -> tuple[list[Member | BrokenMember], Exception | None]:
    """Return some of the members and what ended them early; none and no error is the end."""
    batch: list[Member | BrokenMember] = []
    size = 0
    try:
        for member in members:
            batch.append(member)
            size += len(member.data) if isinstance(member, Member) else 0
            if len(batch) >= _BATCH or size >= _BATCH_BYTES:
                break
    except Exception as error:  # noqa: BLE001 - it is raised again once the batch is handed on
        return batch, error
    return batch, None
