"""Peers of the benchmarks: spoken to over pipes, ended with their context, errors in words."""

import ast
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.bench import peer
from agent.errors import PeerError, UsageError

OURS = Path(sys.executable)
SCRIPTS = sorted((Path(peer.__file__).with_name("peers")).glob("*.py"))
THEIRS = peer.interpreter(None)
with_peers = pytest.mark.skipif(THEIRS is None, reason="`make peers` has not been run")

DOCUMENTS = [
    {"_id": "pump", "title": "Pumps", "text": "The pump is running warm after an hour."},
    {"_id": "boat", "title": "", "text": "Boats were moored beside the quay."},
    {"_id": "none", "title": "", "text": ""},
]
VECTORS = np.eye(3, 4, dtype=np.float32)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.jsonl"
    path.write_text("".join(json.dumps(document) + "\n" for document in DOCUMENTS))
    return path


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    np.save(tmp_path / "vectors.npy", VECTORS)
    return tmp_path / "vectors.npy"


def stand_in(folder: Path, script: str) -> Path:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_of_the_peers_imports_nothing_of_ours(script: Path) -> None:
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(script.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert not imported & {"agent", "graphs", "tools", "memory"}


async def test_a_store_of_langgraph_is_filled_and_searched(
    dsn: str, corpus: Path, vectors: Path
) -> None:
    async with peer.started(OURS, "langgraph_store") as store:
        await store.ask("open_store", dsn=dsn, dimensions=4)
        put = await store.ask(
            "put",
            namespace=["bench"],
            corpus=str(corpus),
            vectors=str(vectors),
            first=0,
            count=3,
            batch=2,
        )
        found = await store.ask("search", namespace=["bench"], vector=[0.1, 0.9, 0, 0], k=2)

    assert "psycopg" in store.versions
    assert put.value == 3
    assert found.value == [1, 0]
    assert 0 < found.seconds < 60
    assert put.peak_bytes > 10_000_000


async def test_a_package_that_is_missing_is_named_with_how_to_get_it() -> None:
    with pytest.raises(PeerError, match=r"bm25s.*make peers"):
        async with peer.started(OURS, "lexical"):
            pass


async def test_a_request_that_fails_costs_that_request_only(dsn: str) -> None:
    async with peer.started(OURS, "langgraph_store") as store:
        with pytest.raises(PeerError, match=r"'search': KeyError: 'store'"):
            await store.ask("search", namespace=["bench"], vector=[1, 0, 0, 0], k=1)
        await store.ask("open_store", dsn=dsn, dimensions=4)


async def test_a_peer_that_dies_is_told_of_with_its_last_words(tmp_path: Path) -> None:
    dying = stand_in(tmp_path, "echo out of memory >&2; exit 3")
    with pytest.raises(PeerError, match="ended with code 3 in 'start': out of memory"):
        async with peer.started(dying, "lexical"):
            pass


async def test_a_peer_that_does_not_answer_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "_END_S", 0.1)
    mute = stand_in(tmp_path, """echo '{"value": {}}'; exec sleep 600""")
    with pytest.raises(PeerError, match="did not answer 'search' in 0 s"):
        async with peer.started(mute, "lexical") as one:
            await one.ask("search", timeout_s=0.1)
    assert one._process.returncode == -9


async def test_an_interpreter_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no/python"):
        peer.interpreter(tmp_path / "no" / "python")
    broken = tmp_path / "python"
    broken.write_text("")
    with pytest.raises(PeerError, match="cannot be run"):
        async with peer.started(broken, "lexical"):
            pass


@with_peers
@pytest.mark.parametrize(("stem", "pump"), [(True, ["pump"]), (False, [])])
async def test_bm25s_finds_stems_only_with_a_stemmer(
    corpus: Path, stem: bool, pump: list[str]
) -> None:
    assert THEIRS is not None
    async with peer.started(THEIRS, "lexical") as lexical:
        indexed = await lexical.ask("index", corpus=str(corpus), stem=stem)
        found = await lexical.ask("search", queries=["runs", "boats", "zebra"], k=10)

    assert indexed.value == 3
    assert [[one for one, _ in hits] for hits in found.value] == [pump, ["boat"], []]
    assert all(score > 0 for hits in found.value for _, score in hits)


@with_peers
async def test_sentence_transformers_write_vectors_into_a_file(tmp_path: Path) -> None:
    assert THEIRS is not None
    into = tmp_path / "out.npy"
    async with peer.started(THEIRS, "sentences") as sentences:
        await sentences.ask("load")
        shape = await sentences.ask("embed", texts=["a pump", "a boat"], into=str(into))
    vectors = await asyncio.to_thread(np.load, into)

    assert shape.value == [2, 384] == list(vectors.shape)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)


@with_peers
async def test_a_table_of_langchain_is_filled_and_searched(
    dsn: str, corpus: Path, vectors: Path
) -> None:
    assert THEIRS is not None
    async with peer.started(THEIRS, "langchain_store") as table:
        await table.ask("open_table", dsn=dsn, table="peer", dimensions=4)
        loaded = await table.ask("load", corpus=str(corpus), vectors=str(vectors), first=0, count=9)
        await table.ask("build_index")
        found = await table.ask("search", vector=[0.1, 0.9, 0, 0], k=2)
        only = await table.ask("search", vector=[0.1, 0.9, 0, 0], k=2, where={"row": 2})

    assert loaded.value == 3
    assert found.value == [1, 0]
    assert only.value == [2]


@with_peers
async def test_an_agent_of_langchain_tells_what_it_sends() -> None:
    assert THEIRS is not None
    schema = {
        "title": "sorted",
        "description": "The category.",
        "type": "object",
        "properties": {"category": {"type": "string"}},
        "required": ["category"],
    }
    tool = {
        "name": "recall",
        "description": "Search.",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}},
    }
    searches = [
        {"name": "recall", "args": {"query": f"word {number}"}, "result": f"found {number} " * 90}
        for number in range(3)
    ]
    inquiry = {"question": "Why?", "calls": searches, "answer": "So."}
    work: dict[str, Any] = {
        "system": "You answer.",
        "tools": [tool],
        "inquiries": [inquiry] * 3,
        "summary": "Old.",
    }
    async with peer.started(THEIRS, "langchain_agent") as agent:
        mails = await agent.ask(
            "triage",
            system="You sort.",
            examples=[["a mail", '{"category":"A"}']],
            schema=schema,
            mails=["one", "two"],
            answers=[{"category": "A"}, {"category": "B"}],
        )
        whole = await agent.ask("research", **work, context_tokens=1_000, summarise=False)
        cut = await agent.ask("research", **work, context_tokens=1_000, summarise=True)

    shown = [[one["content"] for one in sent["messages"]] for sent in mails.value]
    assert shown == [["You sort.", "a mail", '{"category":"A"}', mail] for mail in ("one", "two")]
    assert [sent["tool_choice"] for sent in mails.value] == ["any", "any"]
    # The history only grows, also past the context, unless the middleware sums it up.
    sizes = [len(sent["messages"]) for asked in whole.value for sent in asked]
    assert sizes == sorted(sizes)
    assert sizes[-1] == 1 + 3 * 8 - 1
    assert sum(not sent["tools"] for asked in cut.value for sent in asked) > 0
    assert max(len(sent["messages"]) for asked in cut.value for sent in asked) < sizes[-1]
