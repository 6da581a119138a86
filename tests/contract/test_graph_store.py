"""What LangGraph promises of a store: of its own two, and of ours."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest
from langgraph.store.base import (
    BaseStore,
    GetOp,
    IndexConfig,
    InvalidNamespaceError,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchOp,
)
from langgraph.store.memory import InMemoryStore
from langgraph.store.postgres.aio import AsyncPostgresStore

from memory.database import open_pool
from memory.graph_store import GraphStore
from memory.testing import HashingEmbedder

FIELDS = ["text", "notes[*].said"]
EVERYBODY = ["memory", "langgraph-postgres", "ours"]


async def embed(texts: Sequence[str]) -> list[list[float]]:
    vectors = await HashingEmbedder(dimensions=256).embed(texts, role="document")
    return [[float(part) for part in vector] for vector in vectors]


def index() -> IndexConfig:
    return {"dims": 256, "embed": embed, "fields": FIELDS}


@asynccontextmanager
async def opened(name: str, dsn: str) -> AsyncIterator[BaseStore]:
    if name == "memory":
        yield InMemoryStore(index=index())
    elif name == "langgraph-postgres":
        async with AsyncPostgresStore.from_conn_string(dsn, index=index()) as store:  # type: ignore[arg-type] # theirs adds keys
            await store.setup()
            yield store
            assert store._task is not None
            store._task.cancel()
    else:
        async with open_pool(dsn, max_size=4) as pool:
            embedder = HashingEmbedder(dimensions=256)
            ours = GraphStore(pool, embedder, cut=lambda text: [text], fields=FIELDS)
            yield ours
            await ours.aclose()


@pytest.fixture
async def store(request: pytest.FixtureRequest, dsn: str) -> AsyncIterator[BaseStore]:
    async with opened(request.param, dsn) as store:
        yield store


def of(*names: str) -> Callable[[Any], Any]:
    return pytest.mark.parametrize("store", names, indirect=True)


async def filled(store: BaseStore, **values: dict[str, Any]) -> None:
    for key, value in values.items():
        await store.aput(("shelf",), key, value)


async def keys(found: Awaitable[Sequence[Any]]) -> list[str]:
    return [item.key for item in await found]


@of(*EVERYBODY)
async def test_what_is_put_is_got_until_it_is_deleted(store: BaseStore) -> None:
    value = {"text": "Grüße, 漢字 \U0001f600", "n": 1.5, "deep": {"list": [1, None, True, {}]}}
    await store.aput(("users", "1"), "k", value)
    item = await store.aget(("users", "1"), "k")
    assert item is not None
    assert (item.namespace, item.key, item.value) == (("users", "1"), "k", value)
    assert isinstance(item.created_at, datetime)
    assert item.created_at.tzinfo is not None
    assert await store.aget(("users", "2"), "k") is None
    assert await store.aget(("users",), "k") is None
    await store.adelete(("users", "1"), "k")
    await store.adelete(("users", "1"), "k")
    assert await store.aget(("users", "1"), "k") is None
    assert await store.asearch(("users",)) == []


@of(*EVERYBODY)
async def test_nothing_in_place_of_a_value_deletes(store: BaseStore) -> None:
    await filled(store, k={"a": 1})
    await store.aput(("shelf",), "k", None)  # type: ignore[arg-type] # what their types do not say
    assert await store.aget(("shelf",), "k") is None


@of(*EVERYBODY)
async def test_another_value_of_that_name_replaces_the_one_before(store: BaseStore) -> None:
    await filled(store, k={"a": 1, "b": 2})
    before = await store.aget(("shelf",), "k")
    await filled(store, k={"a": 3})
    after = await store.aget(("shelf",), "k")
    assert before is not None
    assert after is not None
    assert after.value == {"a": 3}
    assert after.updated_at > before.updated_at
    assert len(await store.asearch(("shelf",))) == 1


@of(*EVERYBODY)
async def test_a_batch_answers_in_its_order_and_reads_before_it_writes(store: BaseStore) -> None:
    await filled(store, old={"a": 1})
    results = await store.abatch(
        [
            PutOp(("shelf",), "new", {"a": 2}),
            GetOp(("shelf",), "new"),
            SearchOp(("shelf",), filter={"a": 1}),
            GetOp(("shelf",), "old"),
            ListNamespacesOp(),
            PutOp(("shelf",), "old", None),
        ]
    )
    written, unseen, found, old, namespaces, deleted = results
    assert (written, unseen, deleted) == (None, None, None)
    assert [item.key for item in found] == ["old"]  # type: ignore[union-attr] # a list of items
    assert old.value == {"a": 1}  # type: ignore[union-attr] # an item
    assert namespaces == [("shelf",)]
    assert await keys(store.asearch(("shelf",))) == ["new"]


@of(*EVERYBODY)
async def test_of_two_values_for_one_name_in_a_batch_the_last_stays(store: BaseStore) -> None:
    await store.abatch(
        [
            PutOp(("shelf",), "twice", {"a": 1}),
            PutOp(("shelf",), "gone", {"a": 1}),
            PutOp(("shelf",), "twice", {"a": 2}),
            PutOp(("shelf",), "gone", None),
        ]
    )
    found = await store.asearch(("shelf",))
    assert [(item.key, item.value) for item in found] == [("twice", {"a": 2})]


@of(*EVERYBODY)
async def test_calls_at_once_do_not_disturb_each_other(store: BaseStore) -> None:
    await asyncio.gather(*(store.aput(("shelf",), f"k{n}", {"n": n}) for n in range(60)))
    items = await asyncio.gather(*(store.aget(("shelf",), f"k{n}") for n in range(60)))
    assert [item.value["n"] for item in items if item] == list(range(60))


@of(*EVERYBODY)
async def test_a_prefix_ends_where_a_label_ends(store: BaseStore) -> None:
    names = [("foo",), ("foo", "child"), ("foobar",), ("user_1",), ("userX1",), ("a%b",), ("axb",)]
    for name in names:
        await store.aput(name, "k", {"a": 1})

    async def under(*prefix: str) -> set[tuple[str, ...]]:
        return {item.namespace for item in await store.asearch(prefix, limit=100)}

    assert await under("foo") == {("foo",), ("foo", "child")}
    assert await under("fo") == set()
    assert await under("user_1") == {("user_1",)}
    assert await under("a%b") == {("a%b",)}
    assert await under() == set(names)


@of(*EVERYBODY)
async def test_namespaces_are_listed_by_their_beginning_their_end_and_their_depth(
    store: BaseStore,
) -> None:
    names = [("a", "b", "c"), ("a", "b", "d", "e"), ("a", "c", "f"), ("b", "a", "f"), ("ab", "f")]
    for name in names:
        await store.aput(name, "k", {"a": 1})
        await store.aput(name, "l", {"a": 1})
    assert await store.alist_namespaces() == sorted(names)
    assert await store.alist_namespaces(prefix=("a",)) == names[:3]
    assert await store.alist_namespaces(prefix=("a", "*", "f")) == [("a", "c", "f")]
    assert await store.alist_namespaces(suffix=("f",)) == [names[2], names[4], names[3]]
    assert await store.alist_namespaces(suffix=("*", "f"), prefix=("b",)) == [names[3]]
    assert await store.alist_namespaces(prefix=("a", "b", "c", "d")) == []
    assert await store.alist_namespaces(max_depth=2, prefix=("a",)) == [("a", "b"), ("a", "c")]
    assert await store.alist_namespaces(limit=2, offset=1) == sorted(names)[1:3]
    for item in ("k", "l"):
        await store.adelete(("ab", "f"), item)
    if not isinstance(store, InMemoryStore):  # which keeps namespaces that are empty
        assert ("ab", "f") not in await store.alist_namespaces()


@of(*EVERYBODY)
async def test_a_filter_leaves_what_is_equal_or_unequal(store: BaseStore) -> None:
    await filled(
        store,
        one={"kind": "red", "n": 1, "tags": ["x", "y"], "deep": {"a": 1, "b": 2}},
        two={"kind": "blue", "n": 2, "tags": ["x"], "deep": {"a": 1}},
    )

    async def left(wanted: dict[str, Any]) -> set[str]:
        return set(await keys(store.asearch(("shelf",), filter=wanted)))

    assert await left({"kind": "red"}) == {"one"}
    assert await left({"n": {"$eq": 2}}) == {"two"}
    assert await left({"n": {"$ne": 2}}) == {"one"}
    assert await left({"tags": ["x", "y"]}) == {"one"}
    assert await left({"deep": {"$eq": {"a": 1}}}) == {"two"}
    assert await left({"kind": "red", "n": 2}) == set()
    assert await left({}) == {"one", "two"}


@of("memory", "ours")
async def test_a_filter_leads_into_mappings_and_lists(store: BaseStore) -> None:
    await filled(
        store,
        one={"deep": {"a": 1, "b": {"c": 5}}, "list": [{"x": 1, "y": 2}]},
        two={"deep": {"a": 1}, "list": []},
        flat={"deep": 3},
    )

    async def left(wanted: dict[str, Any]) -> list[str]:
        return sorted(await keys(store.asearch(("shelf",), filter=wanted)))

    assert await left({"deep": {"a": 1}}) == ["one", "two"]
    assert await left({"deep": {"b": {"c": 5}}}) == ["one"]
    assert await left({"deep": {"a": {"$ne": 2}}}) == ["one", "two"]
    assert await left({"list": [{"x": 1}]}) == ["one"]
    assert await left({"list": None}) == ["flat"]
    assert await left({"deep": {}}) == ["one", "two"]


@of("memory", "ours")
async def test_numbers_are_compared_as_numbers(store: BaseStore) -> None:
    await filled(store, a={"n": 2}, b={"n": 9}, c={"n": 10}, d={"n": 9.5}, e={"n": -1})

    async def left(wanted: dict[str, Any]) -> list[float]:
        found = await store.asearch(("shelf",), filter={"n": wanted})
        return sorted(item.value["n"] for item in found)

    assert await left({"$gt": 9}) == [9.5, 10]
    assert await left({"$gte": 9.5}) == [9.5, 10]
    assert await left({"$lt": 9}) == [-1, 2]
    assert await left({"$lte": 2, "$gt": -1}) == [2]


@of(*EVERYBODY)
async def test_an_operator_that_nobody_knows_is_refused(store: BaseStore) -> None:
    await filled(store, a={"n": 2})
    with pytest.raises(ValueError, match="Unsupported operator"):
        await store.asearch(("shelf",), filter={"n": {"$like": 2}})


@of(*EVERYBODY)
async def test_pages_hold_each_item_once(store: BaseStore) -> None:
    for number in range(11):
        await store.aput(("shelf", str(number % 3)), f"k{number}", {"even": number % 2 == 0})
    everything = await keys(store.asearch(("shelf",), limit=50))
    paged = [
        key
        for offset in range(0, 12, 4)
        for key in await keys(store.asearch(("shelf",), limit=4, offset=offset))
    ]
    assert paged == everything
    assert len(set(everything)) == 11
    even = await keys(store.asearch(("shelf",), filter={"even": True}, limit=50))
    assert (
        await keys(store.asearch(("shelf",), filter={"even": True}, limit=2, offset=3)) == even[3:5]
    )
    assert await store.asearch(("shelf",), offset=50) == []


@of(*EVERYBODY)
async def test_a_question_brings_the_nearest_first_with_scores(store: BaseStore) -> None:
    await filled(
        store,
        pump={"text": "the pump is in the cellar", "n": 1},
        mat={"text": "the key lies under the mat", "n": 2},
        none={"text": "bins go out on monday", "n": 3},
    )
    found = await store.asearch(("shelf",), query="where lies the key", limit=2)
    assert found[0].key == "mat"
    assert len(found) == 2
    scores = [item.score for item in found]
    assert all(score is not None for score in scores)
    assert scores == sorted(scores, reverse=True)  # type: ignore[type-var] # no None among them
    plain = await store.asearch(("shelf",))
    assert [item.score for item in plain] == [None] * 3
    assert await keys(store.asearch(("shelf",), query="the key", filter={"n": {"$eq": 1}})) == [
        "pump"
    ]
    assert await store.asearch(("other",), query="the key") == []
    for blank in ("", None):
        assert [item.score for item in await store.asearch(("shelf",), query=blank)] == [None] * 3


@of(*EVERYBODY)
async def test_a_replaced_text_is_no_longer_what_is_found(store: BaseStore) -> None:
    await filled(store, a={"text": "zany zebra"}, b={"text": "a dog"})

    async def score(query: str) -> float:
        found = await store.asearch(("shelf",), query=query)
        return next(item.score or 0.0 for item in found if item.key == "a")

    before = await score("zany zebra")
    await filled(store, a={"text": "new words"})
    assert await score("zany zebra") < before
    assert await score("new words") > await score("zany zebra")


@of(*EVERYBODY)
async def test_only_the_fields_that_are_named_are_found(store: BaseStore) -> None:
    value = {"text": "alpha", "other": "beta", "notes": [{"said": "gamma"}, {"said": "delta"}]}
    await store.aput(("shelf",), "default", value)
    await store.aput(("shelf",), "named", value, index=["other"])
    await store.aput(("shelf",), "never", value, index=False)
    for query, first in {"gamma": "default", "beta": "named", "alpha": "default"}.items():
        found = await store.asearch(("shelf",), query=query, limit=2)
        assert found[0].key == first
        assert "never" not in [item.key for item in found]
    assert set(await keys(store.asearch(("shelf",)))) == {"default", "named", "never"}


@of("memory", "ours")
async def test_where_too_few_are_scored_the_others_follow_without_a_score(
    store: BaseStore,
) -> None:
    await store.aput(("shelf",), "scored", {"text": "alpha"})
    await store.aput(("shelf",), "never", {"text": "alpha"}, index=False)
    found = await store.asearch(("shelf",), query="alpha")
    assert [(item.key, item.score is None) for item in found] == [
        ("scored", False),
        ("never", True),
    ]


@of(*EVERYBODY)
async def test_questions_are_answered_in_pages(store: BaseStore) -> None:
    for number in range(7):
        await store.aput(("shelf",), f"k{number}", {"text": f"test number {number}"})
    everything = await keys(store.asearch(("shelf",), query="test", limit=7))
    assert len(set(everything)) == 7
    paged = [
        key
        for offset in (0, 3, 6)
        for key in await keys(store.asearch(("shelf",), query="test", limit=3, offset=offset))
    ]
    assert sorted(paged) == sorted(everything)


@of("memory", "ours")
@pytest.mark.parametrize(
    "namespace", [(), ("a.b",), ("a", ""), ("langgraph", "x"), ("a\x00",), ("a", 1)]
)
async def test_a_name_that_could_be_taken_for_another_is_refused(
    store: BaseStore, namespace: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidNamespaceError):
        await store.aput(namespace, "k", {"a": 1})
    if namespace and namespace[0] != "langgraph":
        with pytest.raises(InvalidNamespaceError):
            await store.aget(namespace, "k")
        with pytest.raises(InvalidNamespaceError):
            await store.adelete(namespace, "k")
        with pytest.raises(InvalidNamespaceError):
            await store.asearch(namespace)
        with pytest.raises(InvalidNamespaceError):
            await store.alist_namespaces(prefix=namespace)


@of("langgraph-postgres", "ours")
async def test_a_wrong_name_in_a_batch_leaves_nothing_of_it(store: BaseStore) -> None:
    for wrong in (
        PutOp(("a.b",), "k", {"a": 1}),
        SearchOp(("a.b",)),
        ListNamespacesOp((MatchCondition("suffix", ("a.b",)),)),
    ):
        with pytest.raises(InvalidNamespaceError):
            await store.abatch([PutOp(("fine",), "k", {"a": 1}), wrong])
    assert await store.asearch(()) == []


@of(*EVERYBODY)
async def test_the_root_of_langgraph_itself_is_open_to_those_who_go_past_the_door(
    store: BaseStore,
) -> None:
    await store.abatch([PutOp(("langgraph", "x"), "k", {"a": 1})])
    assert await keys(store.asearch(("langgraph",))) == ["k"]


@of("langgraph-postgres", "ours")
async def test_in_the_loop_of_the_store_only_awaiting_is_allowed(store: BaseStore) -> None:
    with pytest.raises(asyncio.InvalidStateError, match="await store"):
        store.get(("shelf",), "k")
    await asyncio.to_thread(store.put, ("shelf",), "k", {"a": 1})
    item = await asyncio.to_thread(store.get, ("shelf",), "k")
    assert item is not None
    assert item.value == {"a": 1}
    assert [one.key for one in await asyncio.to_thread(store.search, ("shelf",))] == ["k"]
    await asyncio.to_thread(store.delete, ("shelf",), "k")
    assert await asyncio.to_thread(store.list_namespaces) == []
