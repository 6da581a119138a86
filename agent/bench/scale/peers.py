"""The vector stores of LangChain and of LangGraph on the same server, with the same vectors.

They load row by row, so they get a part of the corpus only; the report says how large.
"""

import asyncio
import json
import statistics
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent.bench import peer, place
from agent.bench.scale.exhaustive import Floats
from agent.bench.scale.remix import Mixed
from agent.bench.timing import percentiles

PASSAGES = 10_000
QUESTIONS = 60
_DATABASE = "cortical_bench_peers"
_TABLE = "peer"
_K = 10
_BATCH = 500
_PATIENCE_S = 1_800.0

Search = Callable[[Floats], Awaitable[peer.Answer]]


async def measure(
    dsn: str, interpreter: Path, mixed: Iterable[Mixed], asked: Sequence[Floats]
) -> dict[str, Any]:
    """Return for each peer how fast it loads and searches, and its recall against exact search."""
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder)
        vectors = await asyncio.to_thread(_write, files, mixed)
        of_files = {
            "corpus": str(files / "corpus.jsonl"),
            "vectors": str(files / "vectors.npy"),
            "first": 0,
            "count": len(vectors),
        }
        async with place.lent(dsn, _DATABASE) as own:
            return {
                "passages": len(vectors),
                "langchain-postgres": await _langchain(own, interpreter, of_files, vectors, asked),
                "langgraph": await _langgraph(own, interpreter, of_files, vectors, asked),
            }


async def _langchain(
    dsn: str, interpreter: Path, files: dict[str, Any], vectors: Floats, asked: Sequence[Floats]
) -> dict[str, Any]:
    async with peer.started(interpreter, "langchain_store") as store:
        dimensions = vectors.shape[1]
        await store.ask("open_table", dsn=dsn, table=_TABLE, dimensions=dimensions)
        loaded = await store.ask("load", timeout_s=_PATIENCE_S, **files)
        built = await store.ask("build_index", timeout_s=_PATIENCE_S)

        async def search(question: Floats) -> peer.Answer:
            return await store.ask("search", vector=question.tolist(), k=_K)

        found = await _searched(search, vectors, asked)
        return {"versions": store.versions, **_load(loaded, built.seconds), **found}


async def _langgraph(
    dsn: str, interpreter: Path, files: dict[str, Any], vectors: Floats, asked: Sequence[Floats]
) -> dict[str, Any]:
    async with peer.started(interpreter, "langgraph_store") as store:
        await store.ask("open_store", dsn=dsn, dimensions=vectors.shape[1])
        space = ["bench"]
        loaded = await store.ask(
            "put", timeout_s=_PATIENCE_S, namespace=space, batch=_BATCH, **files
        )

        async def search(question: Floats) -> peer.Answer:
            vector = question.tolist()
            return await store.ask("search", namespace=space, vector=vector, k=_K)

        found = await _searched(search, vectors, asked)
        return {"versions": store.versions, **_load(loaded, None), **found}


def _load(loaded: peer.Answer, built_s: float | None) -> dict[str, Any]:
    """Where the index is there from the beginning, its building is in the load."""
    return {"rows_per_s": round(loaded.value / loaded.seconds), "index_s": built_s}


async def _searched(search: Search, vectors: Floats, asked: Sequence[Floats]) -> dict[str, Any]:
    recalls, seconds = [], []
    for question in asked[:QUESTIONS]:
        answer = await search(question)
        cosines = vectors @ question
        least = np.sort(cosines)[-_K]
        recalls.append(float(np.sum(cosines[answer.value] >= least - 1e-5)) / _K)
        seconds.append(answer.seconds)
    return {"ms": percentiles(seconds), "recall@10": round(statistics.mean(recalls), 4)}


def _write(folder: Path, mixed: Iterable[Mixed]) -> Floats:
    rows: list[Floats] = []
    with (folder / "corpus.jsonl").open("w", encoding="utf-8") as lines:
        for one in mixed:
            rows.append(one.vectors)
            for number, chunk in enumerate(one.document.chunks):
                row = {"_id": f"{one.document.uri}#{number}", "title": "", "text": chunk.text}
                lines.write(json.dumps(row) + "\n")
    vectors: Floats = np.concatenate(rows)
    np.save(folder / "vectors.npy", vectors)
    return vectors
