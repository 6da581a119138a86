"""LangGraph's PostgresStore on the database whose address is handed over.

It makes tables of its own there (`store`, `store_vectors`), so the database should be a spare one.
"""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import islice
from typing import Any

import numpy as np

PACKAGES = ("langgraph-checkpoint-postgres", "langgraph-checkpoint", "psycopg")
_HELD: dict[str, Any] = {"vectors": {}, "stack": ExitStack()}


def open_store(dsn: str, dimensions: int) -> None:
    """Make its tables, with its default index (HNSW over `vector`)."""
    from langgraph.store.postgres import PostgresStore
    from langgraph.store.postgres.base import PostgresIndexConfig

    index = PostgresIndexConfig(dims=dimensions, embed=_given, fields=["text"])
    store = _HELD["stack"].enter_context(PostgresStore.from_conn_string(dsn, index=index))
    store.setup()
    _HELD["store"] = store


def _given(texts: Sequence[str]) -> list[list[float]]:
    """Look the vectors up: they are handed over, nothing is embedded here."""
    return [_HELD["vectors"][text] for text in texts]


def put(namespace: list[str], corpus: str, vectors: str, first: int, count: int, batch: int) -> int:
    """Put rows of a JSONL file with their vectors of a `.npy` file, in batches; return how many.

    The number of its line is the key of an item.
    """
    from langgraph.store.base import PutOp

    matrix = np.load(vectors, mmap_mode="r")
    with open(corpus, encoding="utf-8") as lines:  # noqa: PTH123 - a path out of a request
        texts = [json.loads(line)["text"] for line in islice(lines, first, first + count)]
    for start in range(0, len(texts), batch):
        part = texts[start : start + batch]
        rows = range(first + start, first + start + len(part))
        _HELD["vectors"] = dict(zip(part, matrix[rows.start : rows.stop].tolist(), strict=True))
        puts = [
            PutOp(tuple(namespace), str(row), {"text": text})
            for row, text in zip(rows, part, strict=True)
        ]
        _HELD["store"].batch(puts)
    return len(texts)


def search(namespace: list[str], vector: list[float], k: int) -> list[int]:
    """Return the rows of the k nearest below a namespace, best first."""
    _HELD["vectors"] = {"query": [float(number) for number in vector]}
    found = _HELD["store"].search(tuple(namespace), query="query", limit=k)
    return [int(item.key) for item in found]
