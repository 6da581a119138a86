"""What was read on its way into memory: several documents in each transaction, by one writer."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from memory.documents import NewDocument
from memory.errors import MemoryStoreError, PassageTooLongError
from memory.files import FileRecord
from memory.patience import patiently
from memory.store import DocumentStore, PutResult
from tools.ingest_report import Outcome, Tally

_CHUNKS = 1_000
FILES_TOGETHER = 200
"""That are stored in one transaction at most."""
_LINGER_S = 0.05
"""For which a transaction waits for more, so that many small documents share one."""
_WAITING = 100
"""Parcels that may wait; then reading waits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parcel:
    """Something that was learnt of a file."""

    source_id: int
    uri: str
    name: str
    size: int
    """Bytes of the file, or of the document within it."""
    document: NewDocument | None = None
    record: FileRecord | None = None
    outcome: Outcome | None = None
    """What became of the file; None: there is more to come of it."""


class WriterGoneError(MemoryStoreError):
    """Storing has failed, and what is sent would wait for ever; the writer's own error says why."""

    def __init__(self) -> None:
        super().__init__("Nothing more is stored: the writer of this ingestion has ended.")


class Writer:
    """Stores parcels in their order, as many at a time as wait."""

    def __init__(
        self, store: DocumentStore, tally: Tally, *, together: int = FILES_TOGETHER
    ) -> None:
        self._store = store
        self._tally = tally
        self._together = together
        self._waiting: asyncio.Queue[Parcel | None] = asyncio.Queue(maxsize=_WAITING)
        self._gone = False

    async def send(self, parcel: Parcel) -> None:
        """Hand over a parcel; waits while the writer is behind.

        Raises WriterGoneError where it has ended. Cancellation alone does not end a sender: before
        Python 3.12 `asyncio.wait_for`, by which the database is waited for, may swallow it.
        """
        await self._put_in(parcel)

    async def close(self) -> None:
        """Say that nothing more will come. Raises WriterGoneError where the writer has ended."""
        await self._put_in(None)

    async def _put_in(self, parcel: Parcel | None) -> None:
        if self._gone:
            raise WriterGoneError
        await self._waiting.put(parcel)

    async def run(self) -> None:
        """Store what comes until it is closed. Raises MemoryStoreError where memory fails."""
        try:
            more = True
            while more:
                batch, more = await self._batch()
                for source_id in dict.fromkeys(parcel.source_id for parcel in batch):
                    await self._store_all([one for one in batch if one.source_id == source_id])
        finally:
            self._gone = True
            # Whoever waits for room gets it, and learns with the next parcel.
            while not self._waiting.empty():
                self._waiting.get_nowait()

    async def _batch(self) -> tuple[list[Parcel], bool]:
        """Return what waits, up to the size of a transaction, and whether more may come."""
        batch: list[Parcel] = []
        chunks = 0
        next_one = await self._waiting.get()
        while next_one is not None:
            batch.append(next_one)
            chunks += len(next_one.document.chunks) if next_one.document else 0
            if chunks >= _CHUNKS or len(batch) >= self._together:
                return batch, True
            try:
                async with asyncio.timeout(_LINGER_S):
                    next_one = await self._waiting.get()
            except TimeoutError:
                return batch, True
        return batch, False

    async def _store_all(self, parcels: Sequence[Parcel]) -> None:
        """Store parcels of one source at one go, or one by one where one of them cannot be."""
        try:
            results = await self._put(parcels)
        except MemoryStoreError as error:
            if not isinstance(error, PassageTooLongError):
                raise
            await self._apart(parcels, str(error))
        except Exception as error:  # noqa: BLE001  # what Postgres refuses costs its file, no more
            reason = f"it cannot be stored: {type(error).__name__}: {error}"
            await self._apart(parcels, reason)
        else:
            self._tell(parcels, results)

    async def _apart(self, parcels: Sequence[Parcel], reason: str) -> None:
        if len(parcels) > 1:
            for parcel in parcels:
                await self._store_all([parcel])
            return
        (parcel,) = parcels
        uri = parcel.document.uri if parcel.document else parcel.uri
        self._tally.fail(uri, reason)
        if parcel.outcome is not None:
            self._tally.done(parcel.uri, parcel.name, parcel.size, Outcome.FAILED)

    async def _put(self, parcels: Sequence[Parcel]) -> list[PutResult]:
        documents = [parcel.document for parcel in parcels if parcel.document is not None]
        files = [parcel.record for parcel in parcels if parcel.record is not None]
        return await patiently(
            lambda: self._store.put_many(parcels[0].source_id, documents, files=files)
        )

    def _tell(self, parcels: Sequence[Parcel], results: Iterable[PutResult]) -> None:
        result = iter(results)
        for parcel in parcels:
            if parcel.document is not None:
                document = parcel.document
                self._tally.stored(document.uri, next(result).chunks, document.flaws)
            if parcel.outcome is None:
                self._tally.advance(parcel.uri, parcel.name, parcel.size)
            else:
                self._tally.done(parcel.uri, parcel.name, parcel.size, parcel.outcome)
