"""What our store holds to beyond LangGraph's promises: labels, atomic writes, time, search."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.store.base import PutOp
from numpy.typing import NDArray

from memory import item_vectors
from memory.database import Pool
from memory.embedding import Role
from memory.errors import EmbedderUnavailableError
from memory.graph_store import GraphStore
from memory.item_names import OWNERS_COLLECTION, collection_of, item_uri
from memory.items import UNLABELLED, StoredItem
from memory.labels import USER_LABEL, Label, Origin
from memory.search import Searcher
from memory.store import DocumentStore
from memory.testing import HashingEmbedder, text_document
from tools.notes import cut

FACTS = ("owner", "facts")
MAIL = Label(origins=frozenset({Origin.MAIL}))
START_OF_TIME = datetime(2026, 3, 2, 8, tzinfo=UTC)


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = START_OF_TIME

    def __call__(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        self.time += timedelta(**by)


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
async def store(pool: Pool, hands: Hands) -> AsyncIterator[GraphStore]:
    made = GraphStore(pool, HashingEmbedder(), cut=cut, ttl={"omit_expired": True}, now=hands)
    yield made
    await made.aclose()


async def counted(pool: Pool, *tables: str) -> list[int]:
    numbers = []
    async with pool.connection() as connection:
        for table in tables:
            cursor = await connection.execute(f"SELECT count(*) AS n FROM {table}".encode())
            row = await cursor.fetchone()
            assert row is not None
            numbers.append(row["n"])
    return numbers


async def got(store: GraphStore, namespace: tuple[str, ...], key: str) -> StoredItem:
    item = await store.aget(namespace, key)
    assert isinstance(item, StoredItem)
    return item


async def test_a_memory_is_found_beside_documents_by_words_and_meaning_at_once(
    pool: Pool, store: GraphStore
) -> None:
    documents, embedder = DocumentStore(pool), HashingEmbedder()
    source = await documents.source("default", "/")
    await documents.put(source, text_document("a", "the pump is in the cellar"))
    await store.keep(FACTS, "k", {"text": "the pump is broken"}, label=USER_LABEL)
    hits = await Searcher(pool, embedder).search(
        "pump broken", collections=["default", OWNERS_COLLECTION]
    )
    assert [hit.chunk.document.kind for hit in hits] == ["memory", "text"]
    found = hits[0]
    assert found.chunk.text == "the pump is broken"
    assert found.chunk.label == USER_LABEL
    assert found.chunk.document.uri == "memory:owner/facts/k"
    assert found.chunk.document.title == "Remembered on 2026-03-02"
    assert found.chunk.document.modified_at == START_OF_TIME
    assert found.lexical > 0
    assert found.cosine is not None
    assert hits[1].cosine is None, "documents wait for their vectors"


async def test_a_value_without_a_label_may_come_from_anywhere(store: GraphStore) -> None:
    await store.aput(FACTS, "k", {"text": "who knows"})
    item = await got(store, FACTS, "k")
    assert item.label == UNLABELLED
    assert item.label.outside
    assert item.source is None


async def test_the_label_is_that_of_the_newest_value(pool: Pool, store: GraphStore) -> None:
    await store.keep(FACTS, "k", {"text": "the code is 1"}, label=MAIL, source="run:1")
    assert (await got(store, FACTS, "k")).label == MAIL
    await store.keep(FACTS, "k", {"text": "the code is 1"}, label=USER_LABEL)
    item = await got(store, FACTS, "k")
    assert (item.label, item.source) == (USER_LABEL, None)
    [hit] = await Searcher(pool, HashingEmbedder()).search("code")
    assert hit.chunk.label == USER_LABEL, "also of a passage that reads as before"
    [found] = await store.asearch(FACTS, query="code")
    assert isinstance(found, StoredItem)
    assert found.label == USER_LABEL


async def test_a_replaced_memory_keeps_the_time_of_its_beginning(
    store: GraphStore, hands: Hands
) -> None:
    await store.aput(FACTS, "k", {"text": "old"})
    hands.move(days=1)
    await store.aput(FACTS, "k", {"text": "new"})
    item = await got(store, FACTS, "k")
    assert item.created_at == START_OF_TIME
    assert item.updated_at == START_OF_TIME + timedelta(days=1)


async def test_what_is_deleted_leaves_no_row_and_no_word(pool: Pool, store: GraphStore) -> None:
    tables = ("memories", "documents", "chunks", "lexical", "terms", "vectors_1")
    for number in range(5):
        await store.aput(FACTS, f"k{number}", {"text": f"word{number} pump", "more": ["x", "y"]})
    assert await counted(pool, *tables) == [5, 5, 5, 5, await terms(pool), 5]
    await asyncio.gather(*(store.adelete(FACTS, f"k{number}") for number in range(5)))
    assert await counted(pool, *tables) == [0] * 6
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT sum(chunks)::int AS n FROM lexicon")
        assert await cursor.fetchone() == {"n": 0}


async def terms(pool: Pool) -> int:
    (number,) = await counted(pool, "terms")
    assert number > 0
    return number


async def test_a_long_value_is_found_by_its_end(pool: Pool, store: GraphStore) -> None:
    text = " ".join(f"word{number}" for number in range(5_000))
    await store.aput(FACTS, "long", {"text": text})
    await store.aput(FACTS, "short", {"text": "word12 alone"})
    found = await store.asearch(FACTS, query="word4999", limit=1)
    assert [item.key for item in found] == ["long"]
    assert found[0].value == {"text": text}
    found = await store.asearch(FACTS, query="word12 word4998", limit=10)
    assert sorted(item.key for item in found) == ["long", "short"], "each item once"


async def test_items_that_read_the_same_are_all_found(store: GraphStore) -> None:
    for number in range(4):
        await store.aput((*FACTS, str(number)), "k", {"text": "the same words"})
    assert len(await store.asearch(FACTS, query="same words")) == 4


async def test_a_value_in_words_has_no_marks_of_json(pool: Pool, store: GraphStore) -> None:
    await store.aput(
        FACTS, "k", {"city": "Brno", "visits": [{"year": 2024}, {"year": None}], "n": 2}
    )
    [hit] = await Searcher(pool, HashingEmbedder()).search("Brno")
    assert hit.chunk.text == "city: Brno\nvisits.year: 2024\nn: 2"


async def test_what_postgres_refuses_in_a_text_is_replaced(store: GraphStore) -> None:
    await store.aput(FACTS, "k", {"te\x00xt": "a\x00b \ud800 c", "deep": ["\x00", {"\udfff": 1}]})
    item = await got(store, FACTS, "k")
    assert item.value == {
        "te\ufffdxt": "a\ufffdb \ufffd c",
        "deep": ["\ufffd", {"\ufffd": 1}],
    }
    assert await store.asearch(FACTS, filter={"te\x00xt": "a\x00b \ud800 c"})
    assert not await store.asearch(FACTS, filter={"deep": {"$eq": "\x00"}})
    assert await store.asearch(FACTS, query="\x00 \ud800")


@pytest.mark.parametrize("namespace", [("a", "\ud800")])
async def test_a_name_that_cannot_be_stored_is_refused_not_changed(
    store: GraphStore, namespace: tuple[str, ...]
) -> None:
    for name in ((namespace, "k"), (FACTS, "a\x00"), (FACTS, "\udc80"), (FACTS, "k" * 2_000)):
        with pytest.raises(ValueError, match=r"cannot be stored|at most 2000 can be indexed"):
            await store.aput(*name, {"a": 1})
        with pytest.raises(ValueError, match=r"cannot be stored|at most 2000 can be indexed"):
            await store.aget(*name)


@pytest.mark.parametrize(
    "value",
    [
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": {1, 2}},
        {"a": b"bytes"},
        {"a": START_OF_TIME},
        {("a", "b"): 1},
        ["a"],
        "text",
    ],
    ids=repr,
)
async def test_what_json_cannot_hold_costs_its_own_call_alone(
    store: GraphStore, value: Any
) -> None:
    wrong, right = await asyncio.gather(
        store.aput(FACTS, "wrong", value),
        store.aput(FACTS, "right", {"a": 1}),
        return_exceptions=True,
    )
    assert isinstance(wrong, ValueError)
    assert right is None
    assert [item.key for item in await store.asearch(FACTS)] == ["right"]
    with pytest.raises(ValueError, match=r"JSON|mapping"):
        await store.abatch([PutOp(FACTS, "wrong", value)])


async def test_a_value_that_is_nested_without_end_is_refused(store: GraphStore) -> None:
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(ValueError, match="cannot be stored as JSON"):
        await store.aput(FACTS, "k", deep)


@pytest.mark.parametrize("operand", [None, True, [1], {"a": 1}, float("nan")])
async def test_an_order_is_asked_of_numbers_and_texts_only(store: GraphStore, operand: Any) -> None:
    with pytest.raises(ValueError, match="compares numbers or texts"):
        await store.asearch(FACTS, filter={"n": {"$gt": operand}})


async def test_texts_compare_by_code_point_and_never_with_numbers(store: GraphStore) -> None:
    values = {"upper": "Zebra", "lower": "apple", "umlaut": "äpfel", "number": 5, "digits": "5"}
    for key, value in values.items():
        await store.aput(FACTS, key, {"v": value})

    async def left(wanted: dict[str, Any]) -> set[str]:
        return {item.key for item in await store.asearch(FACTS, filter={"v": wanted})}

    assert await left({"$gt": "a"}) == {"lower", "umlaut"}
    assert await left({"$lt": "a"}) == {"upper", "digits"}
    assert await left({"$gte": 5}) == {"number"}
    assert await left({"$lt": 5.5, "$ne": 5}) == set()


@pytest.mark.parametrize("key", ["%s", "a' OR true --", "%(now)s", '"', "{now}", "%"])
async def test_a_filter_is_never_taken_for_sql(store: GraphStore, key: str) -> None:
    await store.aput(FACTS, "k", {key: key, "n": 1})
    assert [item.key for item in await store.asearch(FACTS, filter={key: key})] == ["k"]
    assert await store.asearch(FACTS, filter={key: "other"}) == []
    assert await store.alist_namespaces(prefix=(key,)) == []
    assert await store.asearch((key,)) == []


async def test_time_to_live_begins_anew_with_each_reading(
    pool: Pool, store: GraphStore, hands: Hands
) -> None:
    await store.aput(FACTS, "k", {"text": "pump"}, ttl=10)
    await store.aput(FACTS, "for ever", {"text": "pump"})
    hands.move(minutes=9)
    assert await store.aget(FACTS, "k")
    hands.move(minutes=9)
    assert len(await store.asearch(FACTS, query="pump")) == 2
    hands.move(minutes=9)
    assert await store.aget(FACTS, "k", refresh_ttl=False)
    hands.move(minutes=2)
    assert await store.aget(FACTS, "k") is None
    assert [item.key for item in await store.asearch(FACTS, query="pump")] == ["for ever"]
    assert [item.key for item in await store.asearch(FACTS)] == ["for ever"]
    assert await counted(pool, "memories") == [2]
    assert await store.sweep_ttl() == 1
    assert await store.sweep_ttl() == 0
    assert await counted(pool, "memories", "documents", "chunks") == [1, 1, 1]


async def test_what_is_put_again_without_a_time_stays(store: GraphStore, hands: Hands) -> None:
    await store.aput(FACTS, "k", {"text": "pump"}, ttl=1)
    await store.aput(FACTS, "k", {"text": "pump"}, ttl=None)
    hands.move(days=900)
    assert await store.aget(FACTS, "k")


async def test_the_sweeper_sweeps_until_it_is_stopped(
    pool: Pool, store: GraphStore, hands: Hands
) -> None:
    await store.aput(FACTS, "k", {"text": "pump"}, ttl=1)
    hands.move(minutes=2)
    await store.start_ttl_sweeper(0.0001)
    async with asyncio.timeout(10):
        while await counted(pool, "memories") != [0]:  # noqa: ASYNC110 - a sweep tells nobody
            await asyncio.sleep(0.01)
    await store.stop_ttl_sweeper()
    await store.aput(FACTS, "k", {"text": "pump"}, ttl=0.0)
    assert await counted(pool, "memories") == [1]


class AwayEmbedder(HashingEmbedder):
    """Answers to nobody."""

    async def embed(self, texts: Sequence[str], *, role: Role) -> NDArray[np.float32]:
        raise EmbedderUnavailableError("the server is away")


async def test_without_an_embedder_a_memory_is_stored_and_found_by_its_words(pool: Pool) -> None:
    store = GraphStore(pool, AwayEmbedder(), cut=cut)
    await store.keep(FACTS, "k", {"text": "the pump is broken"}, label=USER_LABEL)
    [hit] = await Searcher(pool, HashingEmbedder()).search("broken")
    assert (hit.chunk.text, hit.cosine) == ("the pump is broken", None)
    assert await DocumentStore(pool).embed_missing(HashingEmbedder()) == 1
    await store.aclose()


async def test_an_error_while_vectors_are_written_leaves_nothing(
    pool: Pool, store: GraphStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("broken")

    await store.aput(FACTS, "k", {"text": "as it was"})
    monkeypatch.setattr(item_vectors, "add", broken)
    for key in ("k", "new"):
        with pytest.raises(RuntimeError):
            await store.aput(FACTS, key, {"text": "as it will be"})
    item = await got(store, FACTS, "k")
    assert item.value == {"text": "as it was"}
    assert await counted(pool, "memories", "documents", "chunks", "vectors_1") == [1] * 4
    assert await store.asearch(FACTS, query="as it was", limit=1)


async def test_text_that_memory_has_a_vector_of_is_not_embedded_again(pool: Pool) -> None:
    embedder = HashingEmbedder()
    store = GraphStore(pool, embedder, cut=cut)
    for namespace in (FACTS, ("other",)):
        for _ in range(2):
            await store.aput(namespace, "k", {"text": "the pump"})
    assert embedder.embedded == ["the pump"]
    assert await counted(pool, "vectors_1") == [2]
    await store.aclose()


async def test_writers_readers_and_a_sweeper_neither_deadlock_nor_lose_anything(
    pool: Pool, store: GraphStore
) -> None:
    other = GraphStore(pool, HashingEmbedder(), cut=cut, ttl={"omit_expired": True})

    async def work(which: GraphStore, number: int) -> None:
        for turn in range(12):
            key = f"k{(number + turn) % 5}"
            await which.aput(FACTS, key, {"text": f"words of {turn}", "n": turn}, ttl=1)
            await which.asearch(FACTS, query="words", refresh_ttl=True)
            await which.aget(FACTS, key, refresh_ttl=True)
            if turn % 4 == 0:
                await which.adelete(FACTS, key)
                await which.sweep_ttl()

    async with asyncio.timeout(60):
        await asyncio.gather(*(work((store, other)[n % 2], n) for n in range(8)))
        await asyncio.gather(*(store.aput(FACTS, f"k{n}", {"text": "last"}) for n in range(5)))
    found = await store.asearch(FACTS, limit=20)
    assert sorted(item.key for item in found) == [f"k{n}" for n in range(5)]
    assert await counted(pool, "memories", "documents", "chunks", "lexical") == [5] * 4
    await other.aclose()


async def test_ten_thousand_items_of_a_namespace_are_at_hand(pool: Pool, store: GraphStore) -> None:
    await asyncio.gather(
        *(
            store.aput(("big", "one"), f"k{n}", {"text": f"item number{n} of the big one", "n": n})
            for n in range(10_000)
        )
    )
    await store.aput(("big", "other"), "k", {"text": "number77"})
    assert await counted(pool, "memories", "vectors_1") == [10_001, 10_001]
    async with asyncio.timeout(10):  # some 50 ms each on two idle cores
        found = await store.asearch(("big", "one"), query="number77")
        assert found[0].key == "k77"
        found = await store.asearch(("big",), query="number77", filter={"n": {"$gte": 9_000}})
        assert len(found) == 10
        assert {item.value["n"] >= 9_000 for item in found} == {True}
        assert len(await store.asearch(("big",), limit=20_000)) == 10_001
        assert await store.alist_namespaces(prefix=("big",)) == [("big", "one"), ("big", "other")]


class Told(TypedDict):
    told: str


async def test_a_graph_of_ones_own_remembers_under_the_name_of_its_run(
    store: GraphStore,
) -> None:
    async def note(state: Told, runtime: Runtime[None]) -> dict[str, Any]:
        assert runtime.store is not None
        await runtime.store.aput(("mine",), "k", {"text": "remembered"})
        return {}

    def read(state: Told, runtime: Runtime[None]) -> dict[str, Any]:
        assert runtime.store is not None
        item = runtime.store.get(("mine",), "k")  # a node that is not async runs in a thread
        return {"told": item.value["text"] if item else ""}

    graph = StateGraph(Told)
    graph.add_node("note", note)
    graph.add_node("read", read)
    graph.add_edge(START, "note")
    graph.add_edge("note", "read")
    graph.add_edge("read", END)
    config: RunnableConfig = {"configurable": {"run_id": "r-1", "thread_id": "t"}}
    state = await graph.compile(store=store).ainvoke({"told": ""}, config)
    assert state["told"] == "remembered"
    item = await got(store, ("mine",), "k")
    assert (item.source, item.label) == ("run:r-1", UNLABELLED)


def test_addresses_of_different_names_differ() -> None:
    names = [
        (("a", "b"), "c"),
        (("a",), "b/c"),
        (("a/b",), "c"),
        (("a%2Fb",), "c"),
        (("a",), "b%2Fc"),
    ]
    assert len({item_uri(*name) for name in names}) == len(names)
    assert collection_of("owner") == OWNERS_COLLECTION == "memory:owner"


KILLED = """
import asyncio, sys
from memory.database import open_pool
from memory.graph_store import GraphStore
from memory.testing import HashingEmbedder

async def main():
    async with open_pool(sys.argv[1]) as pool:
        store = GraphStore(pool, HashingEmbedder(), cut=lambda text: [text])
        for number in range(10_000):
            await store.aput(("owner", "facts"), f"k{number}", {"text": f"fact{number} holds"})
            print(number, flush=True)

asyncio.run(main())
"""


async def test_a_killed_process_loses_nothing_that_it_was_told_is_stored(
    dsn: str, pool: Pool, store: GraphStore
) -> None:
    def killed() -> int:
        root = Path(__file__).parents[2]
        command = [sys.executable, "-c", KILLED, dsn]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
            assert process.stdout is not None
            told = -1
            for line in process.stdout:
                told = int(line)
                if told == 25:
                    process.send_signal(signal.SIGKILL)
            return told

    told = await asyncio.to_thread(killed)
    assert told >= 25
    for number in range(told + 1):
        assert await store.aget(FACTS, f"k{number}"), number
    found = await store.asearch(FACTS, query=f"fact{told}", limit=1)
    assert [item.key for item in found] == [f"k{told}"]
    (memories, documents, chunks, lexical, vectors) = await counted(
        pool, "memories", "documents", "chunks", "lexical", "vectors_1"
    )
    assert memories == documents == chunks == lexical == vectors
