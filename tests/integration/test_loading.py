"""Loading many documents at once gives what putting one after the other gives, come what may."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memory import indexes, loading
from memory.arrivals import Arrival
from memory.characters import storable
from memory.database import Pool, open_pool
from memory.documents import NewDocument
from memory.embedding_models import find_model
from memory.errors import EmbeddingMismatchError, PassageTooLongError
from memory.lexicon import whole
from memory.loading import load
from memory.search import Searcher
from memory.store import DocumentStore
from memory.testing import HashingEmbedder, cloned_database, text_document

ROOT = Path(__file__).parents[2]
EMBEDDER = HashingEmbedder()

ODD = [
    text_document("quotes", "See http://example.org/it's/a'path?q='x' and C:\\new\\table."),
    text_document("empty", "", "!!! ??? ...", title="Signs"),
    text_document("nul", "before\0after", title="Nul\0title"),
    text_document("chinese", "機器學習的文件，第一頁。", "水泵的壓力太低。", language="zh"),
    text_document("german", "Die Rechnung über 12 Pumpen ist bezahlt.", language="de"),
    text_document("unknown", "der die das pump valve", language="und"),
    text_document("many", *(f"word{number} pump pump valve" for number in range(40))),
    text_document("equal", "The same words.", "The same words.", "The same words."),
    text_document("long", " ".join(f"w{number % 900}" for number in range(1_500))),
    text_document("nothing", title="A document without passages"),
]


def documents(count: int) -> Iterator[NewDocument]:
    yield from ODD
    for number in range(count):
        words = [f"alpha{number % 7} beta{(number + line) % 11} gamma{number}" for line in range(3)]
        yield text_document(f"plain/{number:04}", *words, title=f"Plain {number % 5}")


async def arrivals(source_id: int, given: Sequence[NewDocument]) -> list[Arrival]:
    found = []
    for document in given:
        texts = [storable(whole(chunk.context, chunk.text)) for chunk in document.chunks]
        vectors = await EMBEDDER.embed(texts, role="query") if texts else None
        found.append(Arrival(source_id=source_id, document=document, vectors=vectors))
    return found


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "BATCH", 20)
    monkeypatch.setattr(loading, "_BLOCK", 6)


@pytest.fixture
async def other_pool(server_dsn: str) -> AsyncIterator[Pool]:
    async with cloned_database(server_dsn) as copy, open_pool(copy, max_size=5) as opened:
        yield opened


CONTENTS = {
    "documents": """
        SELECT sources.uri AS source, documents.uri, title, kind, media_type, content_hash, reader,
            language, configuration, modified_at, origins, audience, flaws
        FROM documents JOIN sources USING (source_id) ORDER BY 1, 2""",
    "chunks": """
        SELECT uri, ordinal, text, context, content_key, place, spans, c.origins, c.audience
        FROM chunks AS c JOIN documents USING (document_id) ORDER BY 1, 2""",
    "lexical": """
        SELECT uri, ordinal, collection_id, text_key,
            lexical.document_id = c.document_id AS its_own,
            (SELECT array_agg(lexeme ORDER BY lexeme) FROM unnest(terms_of(weights)) AS term_id
                JOIN terms USING (term_id)) AS lexemes,
            (SELECT array_agg(lexeme || ' ' || (part[2]::real) ORDER BY lexeme)
                FROM regexp_split_to_table(
                    trim(split_part(weights::text, '/', 1), '{}'), ',') AS pair,
                LATERAL (SELECT string_to_array(pair, ':') AS part) AS parts
                JOIN terms ON term_id = part[1]::int
                WHERE pair <> '') AS weights,
            terms_of(weights) = (SELECT coalesce(array_agg(term ORDER BY term), '{}')
                FROM unnest(terms_of(weights)) AS term) AS sorted
        FROM lexical JOIN chunks AS c USING (chunk_id) JOIN documents AS d
            ON d.document_id = c.document_id
        ORDER BY 1, 2""",
    "terms": "SELECT configuration, lexeme, df FROM terms ORDER BY 1, 2",
    "lexicon": """
        SELECT collection_id, configuration, chunks FROM lexicon
        WHERE chunks > 0 ORDER BY 1, 2""",
    "vectors": """
        SELECT uri, ordinal, v.document_id = c.document_id AS its_own, embedding::text
        FROM vectors_1 AS v JOIN chunks AS c USING (chunk_id) JOIN documents AS d
            ON d.document_id = c.document_id
        WHERE embedding IS NOT NULL ORDER BY 1, 2""",
    "indexes": """
        SELECT indexname, indexdef FROM pg_indexes
        WHERE schemaname = 'public' ORDER BY indexname""",
}  # fmt: skip


async def contents(pool: Pool) -> dict[str, list[dict[str, Any]]]:
    """Return all that stands in the tables, without the numbers that rows were given."""
    async with pool.connection() as connection:
        return {
            name: await (await connection.execute(statement)).fetchall()
            for name, statement in CONTENTS.items()
        }


async def put_all(pool: Pool, given: Sequence[NewDocument]) -> DocumentStore:
    store = DocumentStore(pool)
    source = await store.source("shelf", "/")
    for document in given:
        await store.put(source, document)
    await store.embed_missing(EMBEDDER)
    return store


async def load_all(pool: Pool, given: Sequence[NewDocument], **more: Any) -> loading.Loaded:
    source = await DocumentStore(pool).source("shelf", "/")
    coming = await arrivals(source, given)
    return await load(pool, coming, expected=len(given), embedder=EMBEDDER, **more)


@pytest.mark.usefixtures("small_batches")
async def test_a_load_gives_the_very_rows_that_putting_gives(pool: Pool, other_pool: Pool) -> None:
    given = list(documents(60))
    await put_all(pool, given)

    loaded = await load_all(other_pool, given)

    assert loaded.documents == len(given)
    assert loaded.passages == sum(len(document.chunks) for document in given)
    expected, found = await contents(pool), await contents(other_pool)
    for name in CONTENTS:
        assert found[name] == expected[name], name
    assert len(found["vectors"]) > 180
    assert all(row["sorted"] for row in found["lexical"])


@pytest.mark.usefixtures("small_batches")
async def test_the_same_again_writes_nothing(pool: Pool) -> None:
    given = list(documents(30))
    await load_all(pool, given)
    before = await contents(pool)

    again = await load_all(pool, given)

    assert (again.documents, again.passages) == (0, 0)
    assert await contents(pool) == before


@pytest.mark.usefixtures("small_batches")
async def test_a_changed_document_replaces_the_old_one_and_what_stays_keeps_its_id(
    pool: Pool, other_pool: Pool
) -> None:
    old = [text_document("a", "one", "two", "three"), text_document("b", "four")]
    new = [text_document("a", "two", "five"), text_document("b", "four")]
    store = DocumentStore(pool)
    await load_all(pool, old)
    (first, *_) = await store.documents("shelf", uri="a")
    ids = await store.passages(first.id)

    await load_all(pool, new)

    assert (await store.passages(first.id))[0] == ids[1]
    await put_all(other_pool, new)
    assert await contents(pool) == await contents(other_pool)


@pytest.mark.usefixtures("small_batches")
async def test_of_two_documents_with_one_name_the_last_is_kept(
    pool: Pool, other_pool: Pool
) -> None:
    twice = [text_document("a", "one", "two"), text_document("a", "three")]

    await load_all(pool, twice)

    await put_all(other_pool, twice[1:])
    assert await contents(pool) == await contents(other_pool)


@pytest.mark.usefixtures("small_batches")
async def test_a_load_beside_what_is_there_adds_up_frequencies(
    pool: Pool, other_pool: Pool
) -> None:
    given = list(documents(40))
    await put_all(pool, given)
    await put_all(other_pool, given[::2])

    await load_all(other_pool, given[1::2])

    assert await contents(pool) == await contents(other_pool)


@pytest.mark.usefixtures("small_batches")
async def test_a_passage_that_is_too_long_is_named_and_the_batches_before_it_are_whole(
    pool: Pool, other_pool: Pool
) -> None:
    given = list(documents(60))
    broken = [*given, text_document("too-long", "x" * 9_000)]

    with pytest.raises(PassageTooLongError, match="too-long"):
        await load_all(pool, broken)

    async with pool.connection() as connection:
        orphans = await (
            await connection.execute(
                "SELECT FROM chunks FULL JOIN lexical USING (chunk_id) "
                "WHERE chunks.text IS NULL OR lexical.weights IS NULL"
            )
        ).fetchall()
    assert not orphans
    await load_all(pool, given)
    await put_all(other_pool, given)
    assert await contents(pool) == await contents(other_pool)


async def test_vectors_of_another_length_are_refused_and_nothing_of_the_batch_stays(
    pool: Pool,
) -> None:
    source = await DocumentStore(pool).source("shelf", "/")
    long = np.full((1, EMBEDDER.dimensions), 1, np.float32)
    wrong = Arrival(source_id=source, document=text_document("a", "one"), vectors=long)

    with pytest.raises(EmbeddingMismatchError, match="length"):
        await load(pool, [wrong], expected=1, embedder=EMBEDDER)

    assert await DocumentStore(pool).documents("shelf") == []


async def test_a_source_that_is_not_there_is_named(pool: Pool) -> None:
    with pytest.raises(LookupError, match="no source 4711"):
        await load(pool, [Arrival(source_id=4711, document=ODD[0])], expected=1)


async def test_indexes_that_were_laid_aside_are_as_they_were(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = list(documents(60))
    await load_all(pool, given[:10])
    async with pool.connection() as connection:
        model = await find_model(connection, EMBEDDER)
    assert model is not None
    await indexes.build_missing(pool, model, indexed_from=1)
    before = (await contents(pool))["indexes"]
    monkeypatch.setattr(indexes, "LAID_ASIDE_FROM", 10)

    coming = await arrivals(await DocumentStore(pool).source("shelf", "/"), given)
    loaded = await load(pool, coming, expected=200, embedder=EMBEDDER)

    assert set(loaded.seconds) == {"rows", "lexical_by_term"}
    assert set(await indexes.build_missing(pool, model, indexed_from=1)) == {model.index}
    assert (await contents(pool))["indexes"] == before


async def test_an_index_whose_building_was_broken_off_is_built_anew(pool: Pool) -> None:
    await load_all(pool, list(documents(5)))
    async with pool.connection() as connection:
        await connection.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'lexical_by_term'::regclass"
        )
        model = await find_model(connection, EMBEDDER)

    took = await indexes.build_missing(pool, model)

    assert set(took) == {"lexical_by_term"}
    assert await indexes.build_missing(pool, model) == {}


async def test_words_are_found_while_their_index_is_laid_aside(pool: Pool) -> None:
    await load_all(pool, list(documents(20)))
    async with pool.connection() as connection:
        await connection.execute("DROP INDEX lexical_by_term")

    hits = await Searcher(pool, EMBEDDER).search("gamma13")

    assert hits[0].chunk.document.uri == "plain/0013"


LOADER = """
import asyncio, sys
sys.path.insert(0, sys.argv[2])
from memory import loading
from memory.database import open_pool
from test_loading import documents, load_all
loading.BATCH, loading._BLOCK = 20, 6

async def main():
    async with open_pool(sys.argv[1], max_size=5) as pool:
        say = lambda done: print(done.passages, flush=True)
        await load_all(pool, list(documents(150)), on_progress=say)

asyncio.run(main())
"""


def killed(dsn: str, after: int) -> int:
    """Begin a load and kill it hard when it has told of its progress so often."""
    command = [sys.executable, "-c", LOADER, dsn, str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        for _ in zip(range(after + 1), process.stdout, strict=False):
            pass
        process.send_signal(signal.SIGKILL)
    return process.returncode


@pytest.mark.parametrize("after", [0, 2, 7, 15])
async def test_a_load_that_was_killed_is_finished_as_if_nothing_had_been(
    pool: Pool, other_pool: Pool, dsn: str, after: int
) -> None:
    assert await asyncio.to_thread(killed, dsn, after) == -signal.SIGKILL
    given = list(documents(150))
    await put_all(other_pool, given)

    await load_all(pool, given)

    assert await contents(pool) == await contents(other_pool)
