"""Filters of several widths, and what each of them leaves."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from agent.bench.scale.exhaustive import Exhaustive
from agent.bench.scale.remix import COLLECTIONS, KINDS
from agent.bench.scale.searching import Narrowing
from memory.database import Pool
from memory.filters import Filter

PREFIXES = ("/500", "/50")
"""Of 1,000 equal parts of the corpus one, and ten that lie together."""


async def of(pool: Pool, all_: Exhaustive) -> list[Narrowing]:
    """Return the filters that leave any passage: by kind and collection at random, by uri not."""
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT document_id, kind, documents.uri, name AS collection FROM documents "
            "JOIN sources USING (source_id) JOIN collections USING (collection_id)"
        )
        rows = await cursor.fetchall()
    found = []
    for name, narrowing, collections in _wanted():
        left = [row["document_id"] for row in rows if _fits(row, narrowing, collections)]
        within = np.isin(all_.documents, np.array(left, np.int64))
        if within.any():
            found.append(
                Narrowing(name=name, filter=narrowing, collections=collections, within=within)
            )
    return found


def _wanted() -> list[tuple[str, Filter, list[str] | None]]:
    kinds = [(f"kind {kind}", Filter(kinds=frozenset({kind})), None) for kind, _ in KINDS]
    places = [(f"uri {prefix}", Filter(uri_prefix=prefix), None) for prefix in PREFIXES]
    shelves = [(f"collection {name}", Filter(), [name]) for name, _ in COLLECTIONS]
    return [*kinds, *places, *shelves]


def _fits(row: Mapping[str, Any], narrowing: Filter, collections: list[str] | None) -> bool:
    return (
        (narrowing.kinds is None or row["kind"] in narrowing.kinds)
        and (narrowing.uri_prefix is None or row["uri"].startswith(narrowing.uri_prefix))
        and (collections is None or row["collection"] in collections)
    )
