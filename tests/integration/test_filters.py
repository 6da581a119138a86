"""Which documents a search looks at: sources, kinds, paths, dates."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from memory.database import Pool
from memory.filters import Filter
from memory.search import Searcher
from memory.store import DocumentStore
from memory.testing import HashingEmbedder, text_document

MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
async def searcher(pool: Pool) -> Searcher:
    store, embedder = DocumentStore(pool), HashingEmbedder()
    notes = await store.source("shelf", "file:///notes")
    mail = await store.source("shelf", "file:///mail")
    await store.put(
        notes,
        replace(
            text_document("file:///notes/a", "pump a"),
            modified_at=MARCH,
            author="Ärzte & Söhne <Info@Example.org>",
        ),
    )
    await store.put(notes, text_document("file:///notes/b", "pump b"))
    await store.put(
        mail, replace(text_document("file:///mail/c", "pump c", kind="mail"), modified_at=APRIL)
    )
    await store.put(
        mail, text_document("file:///mail/d", "pump d one", "pump d two", "pump d three")
    )
    await store.embed_missing(embedder)
    return Searcher(pool, embedder)


@pytest.mark.parametrize(
    ("narrowing", "found"),
    [
        (Filter(), "abcddd"),
        (Filter(sources=frozenset({"file:///notes"})), "ab"),
        (Filter(sources=frozenset({"file:///nowhere"})), ""),
        (Filter(sources=frozenset()), ""),
        (Filter(since=MARCH), "ac"),
        (Filter(since=MARCH, until=APRIL), "a"),
        (Filter(until=MARCH), ""),
        (Filter(since=APRIL, kinds=frozenset({"mail"})), "c"),
        (Filter(uri_prefix="file:///mail/"), "cddd"),
        (Filter(sender="info@example"), "a"),
        (Filter(sender="ärzte"), "a"),
        (Filter(sender="%"), ""),
        (Filter(sender="nobody"), ""),
        (Filter(thread="none"), ""),
        (Filter(uri_prefix="file:///mail/", sources=frozenset({"file:///notes"})), ""),
    ],
)
async def test_a_filter_keeps_what_all_of_it_asks_for(
    searcher: Searcher, narrowing: Filter, found: str
) -> None:
    hits = await searcher.search("pump", filter=narrowing)
    assert "".join(sorted(hit.chunk.text.split()[1] for hit in hits)) == found


async def test_at_most_so_many_passages_of_a_document_come(searcher: Searcher) -> None:
    hits = await searcher.search("pump", per_document=1)
    assert sorted(hit.chunk.document.uri[-1] for hit in hits) == ["a", "b", "c", "d"]
    hits = await searcher.search("pump d", per_document=2)
    assert [hit.chunk.document.uri[-1] for hit in hits].count("d") == 2
    everything = await searcher.search("pump d three")
    best = next(hit for hit in everything if hit.chunk.document.uri.endswith("d"))
    [first, *_] = await searcher.search("pump d three", per_document=1)
    assert first.chunk.id == best.chunk.id


async def test_more_documents_are_found_where_one_has_hundreds_of_passages(pool: Pool) -> None:
    store, embedder = DocumentStore(pool), HashingEmbedder()
    source_id = await store.source("shelf", "/")
    await store.put(source_id, text_document("big", *(f"pump pump {n}" for n in range(400))))
    for name in "abc":
        await store.put(source_id, text_document(name, f"a pump among other words {name}"))
    await store.embed_missing(embedder, batch=200)
    hits = await Searcher(pool, embedder).search("pump", k=4, per_document=1)
    assert sorted(hit.chunk.document.uri for hit in hits) == ["a", "b", "big", "c"]


async def test_a_quotation_gives_way_to_the_mail_that_it_is_from_and_is_found_without_it(
    pool: Pool,
) -> None:
    store, embedder = DocumentStore(pool), HashingEmbedder(dimensions=2_000)
    source_id = await store.source("shelf", "/")
    answer = text_document("answer", "Thanks, see you there.", "> The pump comes on Tuesday.")
    quoting = replace(answer.chunks[1], quoted=True)
    await store.put(source_id, replace(answer, chunks=(answer.chunks[0], quoting)))
    await store.embed_missing(embedder)
    searcher = Searcher(pool, embedder)
    [first, *_] = await searcher.search("When does the pump come?")
    assert first.chunk.quoted
    await store.put(source_id, text_document("asked", "The pump comes on Tuesday."))
    await store.embed_missing(embedder)
    [first, second, *_] = await searcher.search("When does the pump come?")
    assert (first.chunk.document.uri, second.chunk.document.uri) == ("asked", "answer")
