"""Search: passages by their words and by their meaning, in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pgvector import HalfVector
from psycopg import sql

from memory.characters import storable
from memory.database import Connection, Pool, translated
from memory.documents import Hit
from memory.embedding import Embedder
from memory.embedding_models import Model, checked_vectors, find_model
from memory.language import searchable
from memory.queries import query
from memory.rows import Row, chunk_of

CHARACTERS_LIMIT = 10_000
"""How much of a question is looked at; more would be a document."""
DEPTH = 100
"""Passages that each leg brings in at least."""
LEXICAL_SHARE = 0.5
"""Weight of the words in the sum of both; the rest is that of the meaning."""
TERMS_BUDGET = 20_000
"""Passages that the rarest words of a question may bring in; all its words score these."""
EXACT_LIMIT = 20_000
"""Up to so many passages that a filter leaves are compared one by one."""
_UNLIMITED = 2**62

Fold = Literal["text", "document"]
"""Of passages that read the same, or that are of one document, the best stands for all."""
_FOLDED_BY: dict[Fold, str] = {"text": "text_key", "document": "document_id"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """Which documents are looked at. What is None does not matter."""

    kinds: frozenset[str] | None = None
    uri_prefix: str | None = None
    document_ids: frozenset[int] | None = None

    @property
    def narrows(self) -> bool:
        """Whether it asks for anything."""
        return (self.kinds, self.uri_prefix, self.document_ids) != (None, None, None)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reach:
    """How far one statement goes."""

    depth: int
    exact_limit: int
    k: int | None


class Searcher:
    """Finds passages. A passage counts by its words from the moment it is stored."""

    def __init__(self, pool: Pool, embedder: Embedder) -> None:
        self._pool = pool
        self._embedder = embedder
        self._model: Model | None = None

    async def search(
        self,
        text: str,
        *,
        k: int = 10,
        collections: Sequence[str] | None = None,
        filter: Filter | None = None,  # noqa: A002 - the word for it
        fold: Fold = "text",
    ) -> list[Hit]:
        """Return the k best passages, best first; without `collections` from all of them.

        Fewer come only if no more have a vector or one of the words. Passages that read the same
        are returned once, or with `fold` those of one document. Of a text longer than 10,000
        characters the beginning is looked at.
        """
        question = await self._question(text, collections, filter or Filter())
        if question is None or k < 1:
            return []
        reach = _Reach(depth=max(DEPTH, 2 * k), exact_limit=EXACT_LIMIT, k=k)
        rows = await self._run(question, reach, fold)
        while len(rows) < k and _more(rows, reach, question):
            reach = _Reach(depth=10 * reach.depth, exact_limit=_UNLIMITED, k=k)
            rows = await self._run(question, reach, fold)
        return [_hit(row) for row in rows]

    async def candidates(
        self,
        text: str,
        *,
        depth: int = DEPTH,
        collections: Sequence[str] | None = None,
        filter: Filter | None = None,  # noqa: A002 - the word for it
    ) -> list[Hit]:
        """Return all that either leg brings in, with both scores: the legs' own rankings.

        Sorted by `lexical` or by `cosine`, the first `depth` are those of that leg alone.
        """
        question = await self._question(text, collections, filter or Filter())
        if question is None:
            return []
        reach = _Reach(depth=depth, exact_limit=EXACT_LIMIT, k=None)
        return [_hit(row) for row in await self._run(question, reach)]

    async def explain(
        self,
        text: str,
        *,
        collections: Sequence[str] | None = None,
        filter: Filter | None = None,  # noqa: A002 - the word for it
    ) -> str:
        """Return the plan by which Postgres would answer, without running it."""
        question = await self._question(text, collections, filter or Filter())
        if question is None:
            return ""
        reach = _Reach(depth=DEPTH, exact_limit=EXACT_LIMIT, k=DEPTH)
        rows = await self._run(question, reach, prefix=sql.SQL("EXPLAIN "))
        return "\n".join(row["QUERY PLAN"] for row in rows)

    async def _question(
        self, text: str, collections: Sequence[str] | None, narrowing: Filter
    ) -> dict[str, Any] | None:
        """Return what all statements of a search have in common; None where nothing is asked."""
        asked = storable(text[:CHARACTERS_LIMIT]).strip()
        if not asked:
            return None
        vector = await self._vector(asked)
        kinds, ids = narrowing.kinds, narrowing.document_ids
        prefix = narrowing.uri_prefix
        return {
            "words": searchable(asked, question=True),
            "vector": vector,
            "collections": None
            if collections is None
            else [storable(name) for name in collections],
            "narrowed": narrowing.narrows,
            "kinds": None if kinds is None else sorted(kinds),
            "uri_prefix": None if prefix is None else storable(prefix),
            "document_ids": None if ids is None else sorted(ids),
        }

    async def _vector(self, asked: str) -> HalfVector | None:
        """Return the question's vector; None where the model cannot read it."""
        if not self._embedder.reads(asked):
            return None
        vectors = await self._embedder.embed([asked], role="query")
        return checked_vectors(vectors, self._embedder, 1)[0]

    async def _run(
        self,
        question: dict[str, Any],
        reach: _Reach,
        fold: Fold = "text",
        *,
        prefix: sql.SQL | None = None,
    ) -> list[Row]:
        values = question | {
            "depth": reach.depth,
            "exact_limit": reach.exact_limit,
            "k": reach.k,
            "budget": TERMS_BUDGET,
            "lexical_share": LEXICAL_SHARE,
        }
        with translated():
            async with self._pool.connection() as connection:
                statement = (prefix or sql.SQL("")) + await self._statement(connection, fold)
                # Not prepared: after five runs a prepared statement keeps a plan that fits none
                # of its filters.
                cursor = await connection.execute(statement, values, prepare=False)
                return await cursor.fetchall()

    async def _statement(self, connection: Connection, fold: Fold) -> sql.Composed:
        if self._model is None:
            self._model = await find_model(connection, self._embedder)
        vectors = sql.SQL(query("no_vectors")) if self._model is None else self._model.table
        matching = sql.SQL(query("matching_document"))
        return sql.SQL(query("search")).format(
            vectors=vectors, matching=matching, fold=sql.Identifier(_FOLDED_BY[fold])
        )


def _more(rows: Sequence[Row], reach: _Reach, question: dict[str, Any]) -> bool:
    """Whether a deeper look can find what this one did not.

    One that compared all passages can only have met too many that read the same. An approximate
    one under a filter may have given up early.
    """
    if rows and rows[0]["found"] >= reach.depth:
        return True
    filtered = question["narrowed"] or question["collections"] is not None
    return filtered and reach.exact_limit != _UNLIMITED and not (rows and rows[0]["exact"])


def _hit(row: Row) -> Hit:
    return Hit(
        chunk=chunk_of(row), score=row["score"], lexical=row["lexical"], cosine=row["cosine"]
    )
