"""The lexicon after any sequence of changes, against the same sums done in Python."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.errors import ForeignKeyViolation

from memory import language, lexicon
from memory.database import Pool, connect
from memory.search import Searcher
from memory.store import DocumentStore
from memory.testing import HashingEmbedder, text_document

ALL_CODES = [a + b for a in ascii_lowercase for b in ascii_lowercase]
WORDS = ["pump", "filter", "valve", "gasket", "motor", "4711", "übung"]
# `simple` neither stems nor drops words, so that a split at blanks is the same tokeniser.
UNSTEMMED = "und"

texts = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
documents = st.lists(texts, max_size=4)
put = st.tuples(st.sampled_from("abc"), documents)
vanish = st.tuples(st.just("keep"), st.sets(st.sampled_from("abc")))
changes = st.lists(st.one_of(put, put, put, vanish), min_size=1, max_size=8)

several = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


async def carried_out(
    store: DocumentStore, steps: Sequence[tuple[str, Any]]
) -> dict[str, list[str]]:
    """Begin with an empty store, make the changes, return what should be there."""
    await store.forget(await store.source("shelf", "/"))
    source_id = await store.source("shelf", "/")
    held: dict[str, list[str]] = {}
    for name, given_ in steps:
        if name == "keep":
            await store.files.drop(source_id, [uri for uri in held if uri not in given_])
            held = {uri: passages for uri, passages in held.items() if uri in given_}
        else:
            await store.put(source_id, text_document(name, *given_, language=UNSTEMMED))
            held[name] = given_
    return held


def passages_of(held: Mapping[str, Sequence[str]]) -> list[list[str]]:
    return [text.split() for passages in held.values() for text in passages]


async def rows(pool: Pool, statement: str) -> list[dict[str, Any]]:
    async with pool.connection() as connection:
        return await (await connection.execute(statement)).fetchall()


@several
@given(steps=changes)
async def test_frequencies_are_right_after_any_changes_and_nothing_is_orphaned(
    pool: Pool, steps: Sequence[tuple[str, Any]]
) -> None:
    store, embedder = DocumentStore(pool), HashingEmbedder()
    held = await carried_out(store, steps)
    await store.embed_missing(embedder)
    passages = passages_of(held)
    frequencies = Counter(word for words in passages for word in set(words))

    terms = await rows(pool, "SELECT configuration, lexeme, df FROM terms")
    assert {row["lexeme"]: row["df"] for row in terms} == frequencies
    sizes = await rows(pool, "SELECT sum(chunks) AS chunks FROM lexicon")
    assert (sizes[0]["chunks"] or 0) == len(passages)
    for table in ("chunks", "lexical", "vectors_1"):
        assert len(await rows(pool, f"TABLE {table}")) == len(passages), table
    assert len(await rows(pool, "TABLE documents")) == len(held)


@several
@given(
    steps=changes, question=st.lists(st.sampled_from([*WORDS, "unknown"]), min_size=1, max_size=6)
)
async def test_scores_are_those_of_bm25(
    pool: Pool, steps: Sequence[tuple[str, Any]], question: list[str]
) -> None:
    store = DocumentStore(pool)
    held = await carried_out(store, steps)
    found = await Searcher(pool, HashingEmbedder()).candidates(" ".join(question))
    expected = bm25(passages_of(held), set(question))
    texts = {" ".join(words): score for words, score in expected if score > 0}
    assert {hit.chunk.text: hit.lexical for hit in found} == pytest.approx(texts, rel=1e-5)
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)


def bm25(passages: list[list[str]], question: set[str]) -> list[tuple[list[str], float]]:
    """Score each passage as a share of the most that the question could score."""
    size, mean = len(passages), lexicon.mean_length(UNSTEMMED)
    df = Counter(word for words in passages for word in set(words))
    idf = {
        word: math.log(1 + (size - df[word] + 0.5) / (df[word] + 0.5))
        for word in question
        if df[word]
    }
    most = sum(idf.values()) * (lexicon.K1 + 1)

    def part(word: str, words: list[str]) -> float:
        tf = words.count(word)
        norm = lexicon.K1 * (1 - lexicon.B + lexicon.B * len(words) / mean)
        return tf * (lexicon.K1 + 1) / (tf + norm)

    return [
        (words, sum(idf[word] * part(word, words) for word in idf) / most if most else 0.0)
        for words in passages
    ]


async def test_the_order_of_ingestion_changes_no_weight(pool: Pool) -> None:
    store = DocumentStore(pool)
    weights = []
    for order in (["pump filter", "filter filter valve"], ["filter filter valve", "pump filter"]):
        source_id = await store.source("shelf", "/")
        for text in order:
            await store.put(source_id, text_document(text, text))
        found = await Searcher(pool, HashingEmbedder()).candidates("filter valve")
        weights.append({hit.chunk.text: hit.lexical for hit in found})
        await store.forget(source_id)
    assert weights[0] == weights[1]
    assert len(weights[0]) == 2


async def test_a_passage_cannot_be_deleted_behind_the_lexicon(pool: Pool) -> None:
    store = DocumentStore(pool)
    await store.put(await store.source("shelf", "/"), text_document("a", "pump"))
    with pytest.raises(ForeignKeyViolation):
        await rows(pool, "DELETE FROM sources")


async def test_every_language_has_a_configuration_that_the_server_knows(pool: Pool) -> None:
    known = {row["cfgname"] for row in await rows(pool, "SELECT cfgname FROM pg_ts_config")}
    codes = [code for code in ALL_CODES if language.configuration(code) not in known]
    assert codes == []
    assert language.configuration("de") == "german"


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
async def test_words_do_not_depend_on_the_locale_of_the_database(dsn: str, locale: str) -> None:
    text = "„Rechnungen“ für MÜLLER – Straße 发票 हिन्दी สวัสดี x² don’t İzmir ΑΘΗΝΑ"
    name = f"locale_{locale.replace('-', '_').replace('.', '_').lower()}"
    ask = "SELECT tsvector_to_array(to_tsvector('german', %s)) AS words"
    async with await connect(dsn) as connection:
        cursor = await connection.execute(ask, [language.searchable(text)])
        expected = await cursor.fetchone()
        await connection.execute(
            sql.SQL(
                "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' "
                "LOCALE_PROVIDER libc LOCALE {}"
            ).format(sql.Identifier(name), sql.Literal(locale))
        )
        async with await connect(make_conninfo(dsn, dbname=name)) as other:
            cursor = await other.execute(ask, [language.searchable(text)])
            assert await cursor.fetchone() == expected
        await connection.execute(
            sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        )
    assert expected is not None
    assert {"rechnung", "mull", "发票"} < set(expected["words"])
