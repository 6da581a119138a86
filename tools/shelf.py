"""Where a file that was handed over with a question is put, so that it is found and cited."""

import asyncio
import hashlib

from memory.embedding import Embedder
from memory.store import DocumentStore
from tools.base import Clock
from tools.papers import document_of
from tools.reading.base import Reading

SOURCE_URI = "handed:"


class Shelf:
    """Keeps handed-over files in a source of its own within each collection."""

    def __init__(self, store: DocumentStore, embedder: Embedder, clock: Clock) -> None:
        self._store = store
        self._embedder = embedder
        self._clock = clock

    async def keep(self, reading: Reading, *, data: bytes, uri: str, collection: str) -> list[int]:
        """Store a reading and return the ids of its passages, in order.

        They are found by their words and their meaning when this returns. The same file again
        writes nothing.
        """
        digest = await asyncio.to_thread(lambda: hashlib.sha256(data).digest())
        document = await asyncio.to_thread(
            lambda: document_of(reading, uri=uri, digest=digest, modified_at=self._clock.now())
        )
        source_id = await self._store.source(collection, SOURCE_URI)
        stored = await self._store.put(source_id, document)
        if stored.changed:
            await self._store.embed_missing(self._embedder, limit=stored.chunks)
        return await self._store.passages(stored.document_id)
