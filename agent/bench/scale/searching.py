"""How fast search is at that size, and what share of the exhaustive result it finds."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pgvector import HalfVector
from psycopg import sql

from agent.bench.scale.exhaustive import Answer, Best, Question
from agent.bench.timing import percentiles, timed
from memory.database import Pool
from memory.documents import Hit
from memory.embedding_models import Model
from memory.filters import Filter
from memory.rows import Row
from memory.search import Searcher

K = 10
_WARM_UP = 30
"""Questions that are asked before the first is timed."""
FILTERED = 60
"""Questions that are asked under each filter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Narrowing:
    """A filter, and the passages that it leaves."""

    name: str
    filter: Filter
    collections: Sequence[str] | None
    within: np.ndarray[Any, np.dtype[np.bool_]]


async def fused(
    searcher: Searcher, asked: Sequence[Question], wanted: Sequence[Answer]
) -> dict[str, Any]:
    """Time the whole search by one client and by two; compare it with the exhaustive one."""

    async def ask(question: Question) -> list[Hit]:
        return await searcher.search(question.text, k=K)

    _, cold = await timed(ask, asked[:1])
    await timed(ask, asked[:_WARM_UP])
    found, seconds = await timed(ask, asked)
    _, of_two = await timed(ask, asked, clients=2)
    pairs = [(answer.fused, hits) for answer, hits in zip(wanted, found, strict=True)]
    shares = [_share(best, hits) for best, hits in pairs]
    return {
        "ms": percentiles(seconds),
        "ms_two_clients": percentiles(of_two),
        "first_ms": round(1e3 * cold[0], 1),
        "overlap@10": round(statistics.mean(shares), 4),
        "overlap@10_least": round(min(shares), 2),
        "short_rows": sum(len(hits) < len(best.ids) for best, hits in pairs),
    }


async def vector_leg(
    pool: Pool, model: Model, asked: Sequence[Question], wanted: Sequence[Answer]
) -> dict[str, Any]:
    """Ask the approximate index alone, and count the questions that it finds nothing for."""
    statement = sql.SQL(
        "SELECT chunk_id, embedding <#> %(vector)s AS distance FROM {} "
        "ORDER BY embedding <#> %(vector)s LIMIT %(k)s"
    ).format(model.table)

    async def nearest(question: Question) -> list[Row]:
        async with pool.connection() as connection:
            values = {"vector": HalfVector(question.vector), "k": K}
            cursor = await connection.execute(statement, values, prepare=False)
            return await cursor.fetchall()

    await timed(nearest, asked[:_WARM_UP])
    found, seconds = await timed(nearest, asked)
    recalls = [
        answer.nearest.share([row["chunk_id"] for row in rows], [-row["distance"] for row in rows])
        for answer, rows in zip(wanted, found, strict=True)
    ]
    return {
        "ms": percentiles(seconds),
        "recall@10": round(statistics.mean(recalls), 4),
        "found_nothing": sum(recall == 0 for recall in recalls),
    }


async def lexical_leg(
    searcher: Searcher, asked: Sequence[Question], wanted: Sequence[Answer]
) -> dict[str, Any]:
    """Search by words alone, as where the embedding model cannot read the question."""

    async def ask(question: Question) -> list[Hit]:
        return await searcher.search(question.text, k=K)

    await timed(ask, asked[:_WARM_UP])
    found, seconds = await timed(ask, asked)
    shares = [
        answer.words.share([hit.chunk.id for hit in hits], [hit.lexical for hit in hits])
        for answer, hits in zip(wanted, found, strict=True)
    ]
    return {"ms": percentiles(seconds), "overlap@10": round(statistics.mean(shares), 4)}


async def filtered(
    searcher: Searcher,
    narrowings: Sequence[Narrowing],
    asked: Sequence[Question],
    wanted: Sequence[Answer],
) -> list[dict[str, Any]]:
    """Ask under each filter; what is found is compared with the best that the filter leaves."""
    report = []
    for number, narrowing in enumerate(narrowings):

        async def ask(question: Question, to: Narrowing = narrowing) -> list[Hit]:
            return await searcher.search(
                question.text, k=K, collections=to.collections, filter=to.filter
            )

        found, seconds = await timed(ask, asked[:FILTERED])
        pairs = [
            (answer.within[number], hits)
            for answer, hits in zip(wanted[:FILTERED], found, strict=True)
        ]
        report.append(
            {
                "filter": narrowing.name,
                "chunks": int(narrowing.within.sum()),
                "share": round(float(narrowing.within.mean()), 4),
                "ms": percentiles(seconds),
                "overlap@10": round(statistics.mean(_share(*pair) for pair in pairs), 4),
                "short_rows": sum(len(hits) < len(best.ids) for best, hits in pairs),
            }
        )
    return report


def _share(best: Best, hits: Sequence[Hit]) -> float:
    return best.share([hit.chunk.id for hit in hits], [hit.score for hit in hits])
