"""How fast search is at that size, and what share of the exhaustive result it finds."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pgvector import HalfVector
from psycopg import sql

from agent.bench.scale.exhaustive import Best, Exhaustive, Question
from agent.bench.scale.timing import percentiles, timed
from memory.database import Pool
from memory.documents import Hit
from memory.embedding_models import Model
from memory.filters import Filter
from memory.search import Searcher

K = 10
_WARM_UP = 30
"""Questions that are asked before the first is timed."""
_TOLERANCE = 1e-5
_FILTERED = 60
"""Questions that are asked under each filter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Narrowing:
    """A filter, and the passages that it leaves."""

    name: str
    filter: Filter
    collections: Sequence[str] | None
    within: np.ndarray[Any, np.dtype[np.bool_]]


async def fused(searcher: Searcher, asked: Sequence[Question], all_: Exhaustive) -> dict[str, Any]:
    """Time the whole search by one client and by two; compare it with the exhaustive one."""

    async def ask(question: Question) -> list[Hit]:
        return await searcher.search(question.text, k=K)

    _, cold = await timed(ask, asked[:1])
    await timed(ask, asked[:_WARM_UP])
    found, seconds = await timed(ask, asked)
    _, of_two = await timed(ask, asked, clients=2)
    wanted = [all_.best(all_.fused(question), K) for question in asked]
    shares = [_share(best, hits) for best, hits in zip(wanted, found, strict=True)]
    return {
        "ms": percentiles(seconds),
        "ms_two_clients": percentiles(of_two),
        "first_ms": round(1e3 * cold[0], 1),
        "overlap@10": round(statistics.mean(shares), 4),
        "overlap@10_least": round(min(shares), 2),
        "short_rows": sum(
            len(hits) < len(best.ids) for best, hits in zip(wanted, found, strict=True)
        ),
    }


async def vector_leg(
    pool: Pool, model: Model, asked: Sequence[Question], all_: Exhaustive
) -> dict[str, Any]:
    """Ask the approximate index alone, and count the questions that it finds nothing for."""
    statement = sql.SQL("SELECT chunk_id FROM {} ORDER BY embedding <#> %s LIMIT %s").format(
        model.table
    )

    async def nearest(question: Question) -> list[int]:
        async with pool.connection() as connection:
            values = [HalfVector(question.vector), K]
            cursor = await connection.execute(statement, values, prepare=False)
            return [row["chunk_id"] for row in await cursor.fetchall()]

    await timed(nearest, asked[:_WARM_UP])
    found, seconds = await timed(nearest, asked)
    recalls = []
    for question, ids in zip(asked, found, strict=True):
        cosines = all_.cosines(question.vector)
        least = np.sort(cosines)[-K:][0] - _TOLERANCE
        recalls.append(sum(cosines[np.searchsorted(all_.ids, ids)] >= least) / K)
    return {
        "ms": percentiles(seconds),
        "recall@10": round(float(np.mean(recalls)), 4),
        "found_nothing": sum(recall == 0 for recall in recalls),
    }


async def lexical_leg(
    searcher: Searcher, asked: Sequence[Question], all_: Exhaustive
) -> dict[str, Any]:
    """Search by words alone, as where the embedding model cannot read the question."""

    async def ask(question: Question) -> list[Hit]:
        return await searcher.search(question.text, k=K)

    spoken = [question for question in asked if question.terms]
    await timed(ask, spoken[:_WARM_UP])
    found, seconds = await timed(ask, spoken)
    wanted = (all_.best(all_.lexical(question.terms), K) for question in spoken)
    shares = [
        best.share([hit.chunk.id for hit in hits], [hit.lexical for hit in hits])
        for best, hits in zip(wanted, found, strict=True)
    ]
    return {"ms": percentiles(seconds), "overlap@10": round(statistics.mean(shares), 4)}


async def filtered(
    searcher: Searcher,
    narrowings: Sequence[Narrowing],
    asked: Sequence[Question],
    all_: Exhaustive,
) -> list[dict[str, Any]]:
    """Ask under each filter; what is found is compared with the best that the filter leaves."""
    scores = [all_.fused(question) for question in asked[:_FILTERED]]
    report = []
    for narrowing in narrowings:

        async def ask(question: Question, to: Narrowing = narrowing) -> list[Hit]:
            return await searcher.search(
                question.text, k=K, collections=to.collections, filter=to.filter
            )

        found, seconds = await timed(ask, asked[:_FILTERED])
        wanted = [all_.best(one, K, within=narrowing.within) for one in scores]
        pairs = list(zip(wanted, found, strict=True))
        left = int(narrowing.within.sum())
        report.append(
            {
                "filter": narrowing.name,
                "chunks": left,
                "share": round(left / len(all_.ids), 4),
                "ms": percentiles(seconds),
                "overlap@10": round(statistics.mean(_share(best, hits) for best, hits in pairs), 4),
                "short_rows": sum(len(hits) < len(best.ids) for best, hits in pairs),
            }
        )
    return report


def _share(best: Best, hits: Sequence[Hit]) -> float:
    return best.share([hit.chunk.id for hit in hits], [hit.score for hit in hits])
