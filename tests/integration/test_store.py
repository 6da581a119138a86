import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from memory.database import Pool
from memory.documents import NewChunk, Span
from memory.errors import PassageTooLongError
from memory.filters import Filter
from memory.labels import EVERYONE, Label, Origin
from memory.lexicon import CHARACTERS_LIMIT
from memory.places import Box, Place
from memory.search import Searcher
from memory.store import CollectionSummary, DocumentStore
from memory.testing import HashingEmbedder, text_document
from memory.vectors import waiting
from memory.writing import known_documents, replace_all, writing

ALPHABET = [chr(code) for code in range(0x430, 0x460)]
TABLES = ("documents", "chunks", "lexical", "terms", "lexicon", "vectors_1")


async def versions(pool: Pool) -> dict[str, Any]:
    """Which transaction wrote each row: any write, even of equal values, changes this."""
    async with pool.connection() as connection:
        found = {}
        for table in TABLES:
            cursor = await connection.execute(
                f"SELECT array_agg(xmin::text || ctid::text ORDER BY ctid) AS rows FROM {table}"
            )
            row = await cursor.fetchone()
            assert row is not None
            found[table] = row["rows"]
        return found


async def test_the_same_document_again_writes_not_one_row(pool: Pool, store: DocumentStore) -> None:
    source_id = await store.source("shelf", "/books")
    book = text_document("a.txt", "The pump has a warranty.", "Replace the filter.")
    first = await store.put(source_id, book)
    await store.embed_missing(HashingEmbedder())
    before = await versions(pool)
    assert first.changed
    assert await store.source("shelf", "/books") == source_id
    again = await store.put(source_id, book)
    assert (again.document_id, again.chunks, again.changed) == (first.document_id, 2, False)
    assert await store.embed_missing(HashingEmbedder()) == 0
    assert await versions(pool) == before


async def test_of_the_same_content_no_passage_is_looked_at(store: DocumentStore) -> None:
    """The one that it comes with here would be refused, were it looked at."""
    source_id = await store.source("shelf", "/books")
    book = text_document("a.txt", "The pump has a warranty.", "Replace the filter.")
    await store.put(source_id, book)
    (endless,) = text_document("a.txt", "x" * (CHARACTERS_LIMIT + 1)).chunks
    again, other = await store.put_many(
        source_id, [replace(book, chunks=(endless,)), text_document("b.txt", "pump")]
    )
    assert (again.chunks, again.changed) == (2, False)
    assert (other.chunks, other.changed) == (1, True)
    with pytest.raises(PassageTooLongError):
        await store.put(source_id, replace(book, chunks=(endless,), reader="test 2"))


async def test_what_another_writer_changed_before_the_lock_was_free_is_stored_anew(
    pool: Pool, store: DocumentStore
) -> None:
    source_id = await store.source("shelf", "/books")
    mine, other = text_document("a.txt", "one", "two"), text_document("a.txt", "three")
    await store.put(source_id, mine)
    async with writing(pool) as connection:
        putting = asyncio.create_task(store.put(source_id, mine))
        await _waited_for(pool)
        known = await known_documents(connection, source_id, ["a.txt"])
        await replace_all(connection, source_id, [(other, [])], known)
    result = await putting
    assert (result.chunks, result.changed) == (2, True)
    assert len(await store.passages(result.document_id)) == 2


async def _waited_for(pool: Pool) -> None:
    """Return once a connection waits for the lock of the writers."""
    waits = False
    while not waits:
        async with pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT pg_sleep(0.01), EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' "
                "AND NOT granted AND database = (SELECT oid FROM pg_database "
                "WHERE datname = current_database())) AS waits"
            )
            row = await cursor.fetchone()
            assert row is not None
            waits = row["waits"]


@pytest.mark.parametrize("second", ["a", "a\ud800"])
async def test_two_documents_of_one_uri_are_refused_by_its_name_and_nothing_is_stored(
    store: DocumentStore, second: str
) -> None:
    """A uri is what is stored: half of a surrogate pair becomes U+FFFD."""
    source_id = await store.source("shelf", "/books")
    first = second if second == "a" else "a\x00"
    documents = [text_document("b", "pump"), text_document(first, "1"), text_document(second, "2")]
    with pytest.raises(ValueError, match=r"'a.?' is given twice"):
        await store.put_many(source_id, documents)
    assert await store.documents("shelf") == []


@pytest.mark.parametrize("number", [2**70, -(2**70), 2**63, -1, 0])
async def test_a_number_that_no_row_can_have_finds_nothing(
    pool: Pool, store: DocumentStore, number: int
) -> None:
    source_id = await store.source("shelf", "/books")
    result = await store.put(source_id, text_document("a", "pump"))
    (passage,) = await store.passages(result.document_id)
    searcher = Searcher(pool, HashingEmbedder())
    narrowing = Filter(document_ids=frozenset({number}))
    assert await searcher.search("pump", filter=narrowing) == []
    both = Filter(document_ids=frozenset({number, result.document_id}))
    assert len(await searcher.search("pump", filter=both)) == 1
    assert await store.chunks([number]) == []
    assert await store.neighbours(number) == []
    assert await store.section(number) == []
    assert await store.passages(number) == []
    assert await store.forget(number) == []
    with pytest.raises(LookupError, match="no source"):
        await store.put(number, text_document("b", "pump"))
    shown = await store.section(passage, up=number, limit=number)
    assert len(shown) == (1 if number > 0 else 0)
    assert len(await searcher.candidates("pump", depth=max(number, 1))) == 1


async def test_another_reader_stores_the_same_bytes_anew(store: DocumentStore) -> None:
    source_id = await store.source("shelf", "/books")
    book = text_document("a.txt", "pump")
    await store.put(source_id, book)
    assert (await store.put(source_id, replace(book, reader="test 2"))).changed
    assert (await store.files.documents(source_id, ["a.txt"]))["a.txt"].reader == "test 2"


async def test_passages_that_stay_keep_their_ids_and_their_vectors(
    pool: Pool, store: DocumentStore
) -> None:
    source_id, embedder = await store.source("shelf", "/"), HashingEmbedder()
    first = await store.put(source_id, text_document("a", "one", "two", "three"))
    await store.embed_missing(embedder)
    found = await Searcher(pool, embedder).search("one two three")
    ids = {hit.chunk.text: hit.chunk.id for hit in found}

    second = await store.put(source_id, text_document("a", "three", "new", "one"))
    assert second.document_id == first.document_id
    assert await waiting(pool, embedder) == 1
    assert await store.embed_missing(embedder) == 1
    assert embedder.embedded[3:] == ["new"]
    chunks = await store.chunks([ids["one"], ids["two"], ids["three"]])
    assert [(chunk.text, chunk.ordinal) for chunk in chunks] == [("one", 2), ("three", 0)]


async def test_another_language_stems_all_passages_anew(pool: Pool, store: DocumentStore) -> None:
    source_id = await store.source("shelf", "/")
    searcher = Searcher(pool, HashingEmbedder())
    await store.put(source_id, text_document("a", "Rechnungen", language="und"))
    assert await searcher.search("Rechnung") == []
    await store.put(source_id, text_document("a", "Rechnungen", language="de"))
    assert [hit.chunk.text for hit in await searcher.search("Rechnung")] == ["Rechnungen"]


async def test_all_that_is_known_of_a_passage_comes_back(pool: Pool, store: DocumentStore) -> None:
    read = Label(origins=frozenset({Origin.MAIL}), audience=frozenset({EVERYONE}))
    heard = Label(origins=frozenset({Origin.MAIL, Origin.RECORDING}), audience=frozenset({"anna"}))
    place = Place(
        part="note.wav",
        heading=("1", "1.2"),
        page=3,
        line=7,
        last_line=9,
        start_s=1.5,
        end_s=2.25,
        box=Box(left=1, top=2, right=3.5, bottom=4),
    )
    chunk = NewChunk(
        text="Grüße\naus 北京 🎈",
        context="Mail > Note",
        place=place,
        label=heard,
        spans=(Span(offset=0, place=place), Span(offset=6, place=Place(line=9))),
    )
    mail = replace(
        text_document("m:1", kind="mail", label=read, title="Hello", language="de"),
        modified_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
        chunks=(chunk,),
        flaws=("A charset was unknown.",),
    )
    await store.put(await store.source("post", "maildir:"), mail)
    [hit] = await Searcher(pool, HashingEmbedder()).search("grüße")
    [stored] = await store.chunks([hit.chunk.id])
    assert stored == hit.chunk
    assert (stored.text, stored.context, stored.place) == (chunk.text, chunk.context, place)
    assert (stored.spans, stored.label, stored.ordinal) == (chunk.spans, heard, 0)
    assert stored.document.label == read
    assert stored.document.modified_at == mail.modified_at
    assert stored.document in await store.documents("post", uri="m:1")


async def test_what_postgres_refuses_is_replaced_and_can_be_quoted(
    pool: Pool, store: DocumentStore
) -> None:
    source_id = await store.source("shelf", "/\ud800")
    bad = text_document("bad\udcff.txt", "left\x00right \ud83d end", title="T\x00")
    bad = replace(bad, flaws=("\x00",))
    await store.put(source_id, bad)
    assert await store.source("shelf", "/\ud800") == source_id
    assert [one.uri for one in await store.documents("shelf")] == ["bad\ufffd.txt"]
    [hit] = await Searcher(pool, HashingEmbedder()).search("right")
    assert hit.chunk.text == "left\ufffdright \ufffd end"


async def test_what_has_gone_from_the_source_goes(pool: Pool, store: DocumentStore) -> None:
    source_id, other_id = await store.source("shelf", "/"), await store.source("shelf", "/other")
    for uri in ("a", "b", "c"):
        await store.put(source_id, text_document(uri, f"pump {uri}", f"valve {uri}"))
    await store.put(other_id, text_document("a", "pump elsewhere"))
    await store.embed_missing(HashingEmbedder())
    await store.files.drop(source_id, ["a", "c", "never seen"])
    await store.files.drop(source_id, ["a"])
    assert set(await store.files.documents(source_id, ["a", "b", "c"])) == {"b"}
    found = await Searcher(pool, HashingEmbedder()).search("pump valve")
    assert {hit.chunk.text for hit in found} == {"pump b", "valve b", "pump elsewhere"}


async def test_a_forgotten_source_leaves_no_row(pool: Pool, store: DocumentStore) -> None:
    source_id = await store.source("shelf", "/")
    await store.put(source_id, text_document("a", "pump", "valve"))
    await store.embed_missing(HashingEmbedder())
    assert await store.forget(source_id) == ["a"]
    assert await store.collections() == []
    left = await versions(pool)
    assert {table for table, rows in left.items() if rows} == {"lexicon"}
    with pytest.raises(LookupError, match=f"no source {source_id}"):
        await store.put(source_id, text_document("a", "pump"))


async def test_collections_are_counted_by_kind_and_language(store: DocumentStore) -> None:
    source_id = await store.source("shelf", "/")
    await store.put(source_id, text_document("a", "eins", "zwei", kind="pdf", language="de"))
    await store.put(source_id, text_document("b", "one", kind="mail"))
    await store.put(source_id, text_document("c", "two", kind="mail"))
    assert await store.collections() == [
        CollectionSummary(name="shelf", documents={"pdf": 1, "mail": 2}, chunks=4)
    ]
    assert await store.languages() == {"shelf": {"de": 1, "en": 2}}


async def test_a_refused_document_leaves_the_old_one_whole(
    pool: Pool, store: DocumentStore
) -> None:
    source_id = await store.source("shelf", "/")
    await store.put(source_id, text_document("a", "pump"))
    with pytest.raises(PassageTooLongError, match="Passage 0 of a"):
        await store.put(source_id, text_document("a", "pump " * 4000))
    with pytest.raises(ValueError, match="has 3000 bytes"):
        await store.put(source_id, text_document("u" * 3000, "pump"))
    [hit] = await Searcher(pool, HashingEmbedder()).search("pump")
    assert hit.chunk.text == "pump"


async def test_any_text_up_to_the_limit_is_stored(store: DocumentStore) -> None:
    texts = ["", "\n", "…", "the of and", "x" * 8_000, "猫茶" * 4_000, "a-b/c.d@e " * 800]
    texts += ["ก้" * 4_000, "\ufdfa" * 8_000]
    source_id = await store.source("shelf", "/")
    for number, text in enumerate(texts):
        await store.put(source_id, text_document(f"{number}", text, language="zh"))
    assert await store.embed_missing(HashingEmbedder()) == len(texts)


async def test_distinct_words_up_to_the_limit_are_stored(pool: Pool, store: DocumentStore) -> None:
    han = "".join(chr(0x4E00 + number) for number in range(8_000))
    hyphens = " ".join(f"{a}-{b}" for a in ALPHABET for b in ALPHABET)
    source_id = await store.source("shelf", "/")
    for uri, text in (("han", han), ("hyphens", hyphens)):
        await store.put(source_id, text_document(uri, text[:8_000], language="zh"))
    [hit] = await Searcher(pool, HashingEmbedder()).search(han[7_000:7_002])
    assert hit.chunk.document.uri == "han"
