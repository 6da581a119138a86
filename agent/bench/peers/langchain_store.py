"""langchain-postgres: a PGVectorStore on the server whose address is handed over."""

import json
from itertools import islice
from typing import Any

import numpy as np

PACKAGES = ("langchain-postgres", "langchain-core", "SQLAlchemy", "psycopg")
_HELD: dict[str, Any] = {}


def open_table(dsn: str, table: str, dimensions: int) -> None:
    """Make an empty table. An older one of that name is replaced."""
    from langchain_core.embeddings import Embeddings
    from langchain_postgres import PGEngine, PGVectorStore
    from psycopg.conninfo import conninfo_to_dict
    from sqlalchemy import URL

    class Given(Embeddings):
        """The vectors are handed over; nothing is ever embedded here."""

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            raise NotImplementedError

        def embed_query(self, text: str) -> list[float]:
            raise NotImplementedError

    parts = conninfo_to_dict(dsn)
    url = URL.create(
        "postgresql+psycopg",
        username=parts.pop("user", None),
        password=parts.pop("password", None),
        database=parts.pop("dbname", None),
        query={name: str(value) for name, value in parts.items()},
    )
    engine = PGEngine.from_connection_string(url)
    engine.init_vectorstore_table(table, dimensions, overwrite_existing=True)
    _HELD["store"] = PGVectorStore.create_sync(engine, Given(), table)


def load(corpus: str, vectors: str, first: int, count: int) -> int:
    """Add rows of a JSONL file with their vectors of a `.npy` file; return how many.

    The number of its line becomes the metadata `row` of a document.
    """
    matrix = np.load(vectors, mmap_mode="r")
    with open(corpus, encoding="utf-8") as lines:  # noqa: PTH123 - a path out of a request
        texts = [json.loads(line)["text"] for line in islice(lines, first, first + count)]
    rows = range(first, first + len(texts))
    added = _HELD["store"].add_embeddings(
        texts=texts,
        embeddings=matrix[first : first + len(texts)].tolist(),
        metadatas=[{"row": row} for row in rows],
    )
    return len(added)


def build_index() -> None:
    """Build an HNSW index with the library's defaults."""
    from langchain_postgres.v2.indexes import HNSWIndex

    _HELD["store"].apply_vector_index(HNSWIndex())


def search(vector: list[float], k: int, where: dict[str, Any] | None = None) -> list[int]:
    """Return the rows of the k nearest, best first, among those that a metadata filter leaves."""
    hits = _HELD["store"].similarity_search_with_score_by_vector(vector, k=k, filter=where)
    return [document.metadata["row"] for document, _ in hits]
