import random

import pytest
from psycopg.conninfo import make_conninfo

from memory.database import Pool, open_pool
from memory.documents import Document
from memory.filters import Filter
from memory.search import WORD_WEIGHT, Effort, Searcher
from memory.store import DocumentStore
from memory.testing import HashingEmbedder, text_document
from memory.vectors import embed_missing


@pytest.fixture
def embedder() -> HashingEmbedder:
    return HashingEmbedder()


@pytest.fixture
def searcher(pool: Pool, embedder: HashingEmbedder) -> Searcher:
    return Searcher(pool, embedder)


async def shelve(store: DocumentStore, *texts: str, language: str, shelf: str = "shelf") -> None:
    source_id = await store.source(shelf, "/")
    for text in texts:
        await store.put(source_id, text_document(f"{language}:{text}", text, language=language))


async def best(searcher: Searcher, question: str) -> str:
    hits = await searcher.search(question)
    return hits[0].chunk.text if hits else ""


ANSWERS = {
    "When does the warranty of pumps end?": "The pump has a warranty of two years.",
    "Wo sind die Rechnungen?": "Die Rechnung über 300 Euro liegt bei.",
    "Which rechnung is due?": "Die Rechnung über 300 Euro liegt bei.",
    "PRU\u0308FUNGEN": "Prüfung der Ventile",
    "Où sont les factures ?": "La facture est payée.",
    "发票在哪里": "这张发票的总金额是一千元",
    "茶": "我每天早上喝绿茶",
    "請求書の金額": "請求書は来週届きます",
    "한국어 설명서": "이 설명서는 한국어로 되어 있습니다",
    "ราคา": "ราคาสินค้าคือหนึ่งร้อยบาท",
    "gwarancja": "Gwarancja na pompę",
    "/opt/x20-b/v1.2": "Firmware /opt/x20-b/v1.2 of the controller",
}
OTHERS = {
    "en": ["Replace the filter every six months.", "The motor is new."],
    "de": ["Der Filter ist neu.", "Guten Morgen"],
    "fr": ["Le filtre est neuf."],
    "zh": ["今天天气很好"],
    "ja": ["天気がいいですね"],
    "ko": ["날씨가 좋네요"],
    "th": ["อากาศดีมาก"],
    "pl": ["Filtr jest nowy"],
}


async def test_a_question_finds_text_of_its_language_in_a_mixed_collection(
    store: DocumentStore, searcher: Searcher
) -> None:
    languages = ["en", "de", "de", "de", "fr", "zh", "zh", "ja", "ko", "th", "pl", "en"]
    for language, text in zip(languages, ANSWERS.values(), strict=True):
        await shelve(store, text, language=language)
    for language, texts in OTHERS.items():
        await shelve(store, *texts, language=language)
    assert {question: await best(searcher, question) for question in ANSWERS} == ANSWERS


QUESTIONS = [
    "",
    " \n\t",
    "\x00",
    "\ud800",
    "the of and",
    "?!&|:*()<->'\"\\",
    "pump & ! | <-> :*",
    "x" * 5_000_000,
    "pump " * 1_000_000,
    "é\u0301" * 5_000,
    "a-b-" * 2_500,
    "😀",
    "%s %(words)s {} {{",
]


async def test_stop_words_of_a_question_do_not_lift_a_text_taken_for_another_language(
    store: DocumentStore, searcher: Searcher
) -> None:
    await shelve(store, "The pump has a warranty of two years.", language="en")
    await shelve(store, *(f"The filter of machine {n} is new." for n in range(20)), language="en")
    await shelve(store, "What is the of in", language="nl")
    await shelve(store, "what is the period of", language="und")
    question = "What is the warranty period of the pump in years?"
    assert await best(searcher, question) == "The pump has a warranty of two years."


async def test_no_question_fails(
    store: DocumentStore, searcher: Searcher, embedder: HashingEmbedder
) -> None:
    await shelve(store, "The pump has a warranty.", language="en")
    await shelve(store, "水泵有保修", language="zh")
    for question in QUESTIONS:
        hits = await searcher.search(question)
        assert [hit.lexical > 0 for hit in hits] == [True] * ("pump" in question), question[:20]
    await store.embed_missing(embedder)
    for question in QUESTIONS:
        hits = await searcher.search(question)
        assert len(hits) == (2 if question.strip() else 0), question[:20]


async def test_nothing_is_found_in_an_empty_memory(searcher: Searcher) -> None:
    assert await searcher.search("pump") == []
    assert await searcher.search("pump", collections=["none"], filter=Filter(uri_prefix="/")) == []


async def test_new_text_is_found_by_its_words_before_it_has_a_vector(
    store: DocumentStore, searcher: Searcher, embedder: HashingEmbedder
) -> None:
    await shelve(store, "pump one", "valve two", language="en")
    await store.embed_missing(embedder)
    await shelve(store, "pump gasket", language="en")
    hits = {hit.chunk.text: hit for hit in await searcher.search("gasket")}
    assert hits["pump gasket"].cosine is None
    assert hits["pump gasket"].lexical > 0
    assert hits["pump one"].cosine is not None
    assert hits["pump gasket"].score > hits["pump one"].score
    await store.embed_missing(embedder)
    [hit] = await searcher.search("gasket", k=1)
    assert hit.chunk.text == "pump gasket"
    assert hit.cosine == pytest.approx(0.5**0.5, abs=1e-3)
    assert hit.score == pytest.approx(0.5**0.5 + WORD_WEIGHT * hit.lexical, abs=1e-3)


async def test_common_words_that_stand_together_nowhere_are_found_apart(
    store: DocumentStore, searcher: Searcher
) -> None:
    await shelve(store, *(f"pump n{number}" for number in range(30)), language="en", shelf="one")
    await shelve(store, *(f"valve n{number}" for number in range(30)), language="en", shelf="two")
    # Neither word is affordable, nor both together, and there are no vectors to make up for it.
    effort = Effort(depth=10, budget=1)
    for k, wanted in ((5, 5), (100, 60)):
        assert len(await searcher.search("pump valve", k=k, effort=effort)) == wanted


async def test_the_title_is_searched_and_not_quoted(
    store: DocumentStore, searcher: Searcher
) -> None:
    source_id = await store.source("shelf", "/")
    await store.put(source_id, text_document("a", "Two years.", title="Warranty of the pump"))
    [hit] = await searcher.search("warranty")
    assert (hit.chunk.text, hit.chunk.context) == ("Two years.", "Warranty of the pump")


async def test_passages_that_read_the_same_are_one_hit(
    store: DocumentStore, searcher: Searcher, embedder: HashingEmbedder
) -> None:
    source_id = await store.source("shelf", "/")
    for number in range(300):
        licence = text_document(f"{number}/LICENSE", "Permission is granted.", title=f"t{number}")
        await store.put(source_id, licence)
    await shelve(store, "Permission slip", "Permission denied", language="en")
    await store.embed_missing(embedder, batch=200)
    hits = await searcher.search("permission granted", k=3)
    texts = [hit.chunk.text for hit in hits]
    assert texts[0] == "Permission is granted."
    assert set(texts) == {"Permission is granted.", "Permission slip", "Permission denied"}


async def test_hits_are_the_best_of_all_and_in_order(
    store: DocumentStore, searcher: Searcher, embedder: HashingEmbedder
) -> None:
    await shelve(store, *(f"pump {'valve ' * n}end" for n in range(30)), language="en")
    await store.embed_missing(embedder)
    everything = await searcher.candidates("pump valve")
    hits = await searcher.search("pump valve", k=7)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in everything), reverse=True)[
        :7
    ]
    assert len(everything) == 30


@pytest.fixture
async def library(pool: Pool, store: DocumentStore, embedder: HashingEmbedder) -> None:
    """Two shelves of 600 passages with an approximate index, as a large memory has one."""
    source = random.Random(7)
    words = [f"word{number}" for number in range(200)]
    for shelf in ("left", "right"):
        source_id = await store.source(shelf, "/")
        for number in range(60):
            texts = (" ".join(source.choices(words, k=12)) for _ in range(10))
            kind = "mail" if number % 20 == 0 else "text"
            uri = f"{shelf}/{number:02}"
            await store.put(source_id, text_document(uri, *texts, kind=kind))
    await embed_missing(pool, embedder, batch=400, indexed_from=1_000)
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 'vectors_1_nearest'::regclass"
        )
        assert await cursor.fetchall() == [{"indisvalid": True}]
        await connection.execute("ANALYZE")


FILTERS = [
    (None, Filter(), 1200),
    (["left"], Filter(), 600),
    (["left", "right"], Filter(), 1200),
    (None, Filter(kinds=frozenset({"mail"})), 60),
    (["right"], Filter(kinds=frozenset({"mail"})), 30),
    (None, Filter(kinds=frozenset({"text", "pdf"})), 1140),
    (None, Filter(uri_prefix="left/0"), 100),
    (None, Filter(uri_prefix="left/%"), 0),
    (None, Filter(document_ids=frozenset({3})), 10),
    (["right"], Filter(document_ids=frozenset({3})), 0),
    (["left"], Filter(uri_prefix="left/", kinds=frozenset({"mail"})), 30),
]


@pytest.mark.usefixtures("library")
async def test_every_filter_gives_k_rows_where_there_are_k_and_only_what_it_keeps(
    searcher: Searcher, pool: Pool, embedder: HashingEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact: dict[int, list[int]] = {}
    for exact_limit in (20_000, 5):
        # With 5 every filter but the narrowest takes the way of one that keeps a million rows.
        monkeypatch.setattr("memory.search.EXACT_LIMIT", exact_limit)
        for number, (collections, narrowing, size) in enumerate(FILTERS):
            hits = await searcher.search(
                "word7 word8 word9", k=25, collections=collections, filter=narrowing
            )
            assert len(hits) == min(25, size), (exact_limit, collections, narrowing)
            assert all(kept(hit.chunk.document, collections, narrowing) for hit in hits)
            ids = [hit.chunk.id for hit in hits]
            overlap = len(set(ids) & set(exact.setdefault(number, ids)))
            assert overlap >= 0.9 * len(ids), (collections, narrowing)


def kept(document: Document, collections: list[str] | None, narrowing: Filter) -> bool:
    return (
        (collections is None or document.collection in collections)
        and (narrowing.kinds is None or document.kind in narrowing.kinds)
        and (narrowing.document_ids is None or document.id in narrowing.document_ids)
        and document.uri.startswith(narrowing.uri_prefix or "")
    )


@pytest.mark.usefixtures("library")
async def test_any_number_of_hits_can_be_asked_for(searcher: Searcher) -> None:
    usual = await searcher.search("word7", k=5_000)
    for number in (2**62, 2**63, 10**30):
        assert await searcher.search("word7", k=number, per_document=number) == usual


@pytest.mark.usefixtures("library")
async def test_more_than_a_leg_brings_in_can_be_asked_for(searcher: Searcher) -> None:
    assert len(await searcher.search("word7", k=1_150)) == 1_150
    assert len(await searcher.search("word7", k=5_000)) == 1_200
    assert await searcher.search("word7", k=0) == []


@pytest.mark.usefixtures("library")
async def test_the_statement_lets_both_indexes_serve(dsn: str, embedder: HashingEmbedder) -> None:
    # A table of 1,200 rows is read whole unless that is made dear.
    options = make_conninfo(dsn, options="-c enable_seqscan=off")
    async with open_pool(options, max_size=1) as pool:
        before = await index_scans(pool)
        await Searcher(pool, embedder).search("word7")
        after = await index_scans(pool)
    assert after["vectors_1_nearest"] > before["vectors_1_nearest"]
    assert after["lexical_by_term"] > before["lexical_by_term"]


async def index_scans(pool: Pool) -> dict[str, int]:
    """Return how often each index has been used, up to the last statement of this connection."""
    async with pool.connection() as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        cursor = await connection.execute("SELECT indexrelname, idx_scan FROM pg_stat_user_indexes")
        return {row["indexrelname"]: row["idx_scan"] for row in await cursor.fetchall()}
