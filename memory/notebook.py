"""Documents that are stored one at a time and have to be found at once."""

from memory.documents import NewDocument
from memory.embedding import Embedder
from memory.store import DocumentStore

SOURCE_URI = "memory:"


class Notebook:
    """Keeps what is noted in a source of its own within each collection."""

    def __init__(self, store: DocumentStore, embedder: Embedder) -> None:
        self._store = store
        self._embedder = embedder

    async def note(self, document: NewDocument, *, collection: str) -> None:
        """Store a document, findable by its words and its meaning when this returns.

        While passages newer than it arrive, these may get their vectors first.
        """
        source_id = await self._store.source(collection, SOURCE_URI)
        stored = await self._store.put(source_id, document)
        if stored.changed:
            await self._store.embed_missing(self._embedder, limit=stored.chunks)
