from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from memory.database import Pool
from memory.embedding import Role
from memory.errors import EmbeddingMismatchError
from memory.search import Searcher
from memory.store import DocumentStore
from memory.testing import HashingEmbedder, text_document
from memory.vectors import waiting


async def shelve(store: DocumentStore, *texts: str, shelf: str = "shelf") -> None:
    source_id = await store.source(shelf, "/")
    for text in texts:
        await store.put(source_id, text_document(text, text))


class InterruptedWorkError(Exception):
    """What ends an embedder in the middle of its work."""


class FailingEmbedder(HashingEmbedder):
    """Breaks off after so many batches."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self._left = batches

    async def embed(self, texts: Sequence[str], *, role: Role) -> NDArray[np.float32]:
        if not self._left:
            raise InterruptedWorkError
        self._left -= 1
        return await super().embed(texts, role=role)


class FixedEmbedder(HashingEmbedder):
    """Gives the same vector to everything."""

    def __init__(self, vector: Sequence[float]) -> None:
        super().__init__(dimensions=len(vector))
        self._vector = vector

    async def embed(self, texts: Sequence[str], *, role: Role) -> NDArray[np.float32]:
        return np.array([self._vector] * len(texts), np.float32)


async def test_the_newest_are_embedded_first_and_progress_is_told(store: DocumentStore) -> None:
    embedder = HashingEmbedder()
    seen: list[tuple[int, int]] = []
    await shelve(store, "one", "two", "three", "four", "five")
    done = await store.embed_missing(
        embedder, batch=2, on_progress=lambda done, total: seen.append((done, total))
    )
    assert done == 5
    assert embedder.embedded == ["five", "four", "three", "two", "one"]
    assert seen == [(2, 5), (4, 5), (5, 5)]


async def test_what_comes_while_the_rest_is_embedded_goes_before_it(store: DocumentStore) -> None:
    await shelve(store, *(f"old {number}" for number in range(6)))

    class Overtaken(HashingEmbedder):
        async def embed(self, texts: Sequence[str], *, role: Role) -> NDArray[np.float32]:
            if not self.embedded:
                await shelve(store, *(f"new {number}" for number in range(3)))
            return await super().embed(texts, role=role)

    embedder = Overtaken()
    assert await store.embed_missing(embedder, batch=2) == 9
    assert embedder.embedded[:5] == ["old 5", "old 4", "new 2", "new 1", "new 0"]
    assert sorted(embedder.embedded) == sorted(set(embedder.embedded))


async def test_an_interrupted_run_goes_on_where_it_ended(pool: Pool, store: DocumentStore) -> None:
    await shelve(store, *(f"text {number}" for number in range(10)))
    with pytest.raises(InterruptedWorkError):
        await store.embed_missing(FailingEmbedder(batches=2), batch=3)
    rest = HashingEmbedder()
    assert await waiting(pool, rest) == 4
    assert await store.embed_missing(rest, batch=3) == 4
    assert rest.embedded == ["text 3", "text 2", "text 1", "text 0"]


async def test_the_same_content_in_two_places_is_embedded_once(
    pool: Pool, store: DocumentStore
) -> None:
    embedder = HashingEmbedder()
    await shelve(store, "pump", shelf="left")
    await shelve(store, "pump", "valve", shelf="right")
    assert await store.embed_missing(embedder) == 3
    await shelve(store, "pump", shelf="third")
    assert await store.embed_missing(embedder) == 1
    assert sorted(embedder.embedded) == ["pump", "valve"]
    hits = await Searcher(pool, embedder).search("pump", collections=["third"])
    assert [hit.cosine for hit in hits] == [pytest.approx(1, abs=1e-3)]


async def test_each_model_has_vectors_of_its_own(pool: Pool, store: DocumentStore) -> None:
    old, new = HashingEmbedder("old", 64), HashingEmbedder("new", 128)
    await shelve(store, "pump", "valve")
    await store.embed_missing(old)
    await store.embed_missing(new, limit=1)
    assert (await waiting(pool, old), await waiting(pool, new)) == (0, 1)
    cosines = [hit.cosine for hit in await Searcher(pool, old).search("pump")]
    assert None not in cosines
    hits = await Searcher(pool, new).search("pump valve")
    assert {hit.chunk.text: hit.cosine is None for hit in hits} == {"pump": True, "valve": False}


async def test_other_dimensions_under_the_same_name_are_refused(
    pool: Pool, store: DocumentStore
) -> None:
    await shelve(store, "pump")
    await store.embed_missing(HashingEmbedder("minilm", 64))
    other = HashingEmbedder("minilm", 128)
    message = "64 dimensions under the name minilm, but the model now gives 128"
    with pytest.raises(EmbeddingMismatchError, match=message):
        await store.embed_missing(other)
    with pytest.raises(EmbeddingMismatchError, match=message):
        await Searcher(pool, other).search("pump")
    with pytest.raises(EmbeddingMismatchError, match="at most 4000"):
        await store.embed_missing(HashingEmbedder("huge", 4001))


async def test_the_largest_model_is_searched_like_any_other(
    pool: Pool, store: DocumentStore
) -> None:
    embedder = HashingEmbedder("large", 4000)
    await shelve(store, "pump", "valve")
    await store.embed_missing(embedder)
    [hit] = await Searcher(pool, embedder).search("pump", k=1)
    assert hit.cosine == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("vector", [[0.0] * 8, [float("nan")] * 8, [float("inf")] + [0.0] * 7])
async def test_a_text_without_direction_is_found_by_its_words(
    pool: Pool, store: DocumentStore, vector: list[float]
) -> None:
    embedder = FixedEmbedder(vector)
    await shelve(store, "pump", "valve")
    assert await store.embed_missing(embedder) == 2
    assert await waiting(pool, embedder) == 0
    [hit] = await Searcher(pool, embedder).search("pump")
    assert (hit.chunk.text, hit.cosine) == ("pump", None)


async def test_vectors_that_are_not_of_length_one_are_refused(store: DocumentStore) -> None:
    await shelve(store, "pump")
    with pytest.raises(EmbeddingMismatchError, match="length 3 instead of 1"):
        await store.embed_missing(FixedEmbedder([3.0, 0.0]))
