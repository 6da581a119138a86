"""Search and passages in one, as graphs ask for them."""

from collections.abc import Sequence

from memory.documents import Chunk, Hit
from memory.search import Searcher
from memory.store import DocumentStore


class Recollection:
    """Finds passages, and fetches those whose numbers are known."""

    def __init__(self, searcher: Searcher, store: DocumentStore) -> None:
        self._searcher = searcher
        self._store = store

    async def search(self, text: str, *, k: int, collections: Sequence[str]) -> list[Hit]:
        """Return the best passages, best first."""
        return await self._searcher.search(text, k=k, collections=collections)

    async def chunks(self, ids: Sequence[int]) -> list[Chunk]:
        """Return the passages in this order; those that are gone are left out."""
        return await self._store.chunks(ids)
