"""Search: passages by their words and by their meaning, in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg import sql

from memory import lexicon
from memory.characters import storable
from memory.database import Connection, Pool, translated
from memory.documents import Hit
from memory.embedding import Embedder, follow
from memory.embedding_models import Model, checked_vectors, find_named
from memory.errors import ModelReplacedError
from memory.filters import Filter
from memory.queries import query
from memory.rows import Row, chunk_of

CHARACTERS_LIMIT = 10_000
"""How much of a question is looked at; more would be a document."""
WORD_WEIGHT = 0.1
"""What a word of the question can add to the cosine, on average; of a rare one it is more, as BM25
has it. So the more words a passage answers, the more they count, whatever the size of memory."""
QUOTED_WEIGHT = 0.9
"""What is left of a score where a passage only repeats an earlier mail."""
WORDS_PAIRED = 6
"""The rarest words of a question, of which two together make a passage a candidate."""
EXACT_LIMIT = 25_000
"""Up to so many passages that a filter leaves are compared one by one."""
_UNLIMITED = 2**62
_ROWS_LIMIT = 2**40
"""More than there are; of larger numbers the statement could not make multiples."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """How far a search looks where it does not compare everything."""

    depth: int
    """Passages that each leg brings in at least."""
    budget: int
    """Passages that the rarer words of a question may bring in, alone or two together; all its
    words score these."""


USUAL = Effort(depth=200, budget=12_000)
THOROUGH = Effort(depth=400, budget=50_000)
"""Takes about twice as long, and misses next to nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reach:
    """How far one statement goes, and what it returns."""

    effort: Effort
    exact_limit: int = EXACT_LIMIT
    k: int | None = None
    per_document: int | None = None
    fold: bool = True

    def values(self) -> dict[str, Any]:
        return {
            "depth": self.effort.depth,
            "budget": self.effort.budget,
            "exact_limit": self.exact_limit,
            "k": self.k,
            "per_document": self.per_document,
            "fold": self.fold,
            "word_weight": WORD_WEIGHT,
            "words_paired": WORDS_PAIRED,
            "quoted_weight": QUOTED_WEIGHT,
        }

    def further(self) -> "_Reach":
        """Return the next try, which compares whatever it has to."""
        deeper = Effort(depth=10 * self.effort.depth, budget=_UNLIMITED)
        return replace(self, effort=deeper, exact_limit=_UNLIMITED)


class Searcher:
    """Finds passages. A passage counts by its words from the moment it is stored."""

    def __init__(self, pool: Pool, embedder: Embedder) -> None:
        self._pool = pool
        self._embedder = embedder
        self._models: dict[str, Model] = {}

    async def search(
        self,
        text: str,
        *,
        k: int = 10,
        collections: Sequence[str] | None = None,
        filter: Filter | None = None,  # noqa: A002 - the word for it
        per_document: int | None = None,
        fold: bool = True,
        effort: Effort = USUAL,
    ) -> list[Hit]:
        """Return the k best passages, best first; without `collections` from all of them.

        Fewer come only if no more have a vector or one of the words, or, with `per_document`, if
        no more documents have such passages. Passages that read the same are returned once, or
        without `fold` once for each document. Of a text longer than 10,000 characters the beginning
        is looked at.
        """
        if k < 1:
            return []
        k = min(k, _ROWS_LIMIT)
        each = None if per_document is None else min(per_document, _ROWS_LIMIT)
        deep = replace(effort, depth=max(effort.depth, 2 * k))
        reach = _Reach(effort=deep, exact_limit=EXACT_LIMIT, k=k, per_document=each, fold=fold)
        return await self._hits(text, collections, filter, reach)

    async def candidates(
        self,
        text: str,
        *,
        depth: int = USUAL.depth,
        collections: Sequence[str] | None = None,
        filter: Filter | None = None,  # noqa: A002 - the word for it
    ) -> list[Hit]:
        """Return all that either leg brings in, with both scores: the legs' own rankings.

        Sorted by `lexical` or by `cosine`, the first `depth` are those of that leg alone.
        """
        reach = _Reach(effort=replace(USUAL, depth=min(depth, _ROWS_LIMIT)))
        return await self._hits(text, collections, filter, reach)

    async def _hits(
        self,
        text: str,
        collections: Sequence[str] | None,
        narrowing: Filter | None,
        reach: _Reach,
    ) -> list[Hit]:
        """Ask with the model that memory works with; if that changes meanwhile, ask again."""
        while True:
            question = await self._question(text, collections, narrowing)
            if question is None:
                return []
            try:
                rows = await self._rows(question, reach)
            except ModelReplacedError:
                self._models.clear()
                await follow(self._embedder)
                continue
            serving = rows[0]["serving"] if rows else None
            if serving != question["model"]:
                await follow(self._embedder)
                if self._embedder.model != question["model"]:
                    continue
            return [_hit(row) for row in rows]

    async def _rows(self, question: dict[str, Any], reach: _Reach) -> list[Row]:
        rows = await self._run(question, reach)
        while reach.k is not None and len(rows) < reach.k and _more(rows, reach):
            reach = reach.further()
            rows = await self._run(question, reach)
        return rows

    async def _question(
        self, text: str, collections: Sequence[str] | None, narrowing: Filter | None
    ) -> dict[str, Any] | None:
        """Return what all statements of a search have in common; None where nothing is asked."""
        asked = storable(text[:CHARACTERS_LIMIT]).strip()
        if not asked:
            return None
        names = None if collections is None else [storable(name) for name in collections]
        return {
            "words": lexicon.asked(asked),
            **await self._vector(asked),
            "collections": names,
            **(narrowing or Filter()).values(),
        }

    async def _vector(self, asked: str) -> dict[str, Any]:
        """Return the question's vector, None where the model cannot read it, and whose it is."""
        while True:
            known = {"model": self._embedder.model, "dimensions": self._embedder.dimensions}
            if not self._embedder.reads(asked):
                return known | {"vector": None}
            vectors = await self._embedder.embed([asked], role="query")
            if self._embedder.model == known["model"]:
                return known | {"vector": checked_vectors(vectors, self._embedder, 1)[0]}

    async def _run(self, question: dict[str, Any], reach: _Reach) -> list[Row]:
        with translated():
            async with self._pool.connection() as connection:
                statement = await self._statement(connection, question)
                # Not prepared: after five runs a prepared statement keeps a plan that fits none
                # of its filters.
                cursor = await connection.execute(
                    statement, question | reach.values(), prepare=False
                )
                return await cursor.fetchall()

    async def _statement(self, connection: Connection, question: dict[str, Any]) -> sql.Composed:
        name = question["model"]
        if name not in self._models:
            found = await find_named(connection, name, dimensions=question["dimensions"])
            if found is not None:
                self._models[name] = found
        model = self._models.get(name)
        vectors = sql.SQL(query("no_vectors")) if model is None else model.table
        matching = sql.SQL(query("matching_document"))
        return sql.SQL(query("search")).format(vectors=vectors, matching=matching)


def _more(rows: Sequence[Row], reach: _Reach) -> bool:
    """Whether a deeper look can find what this one did not.

    One that compared all passages can only have met too many that read the same, or that belong to
    the same documents. An approximate one may have given up early, or have afforded only words that
    stand together nowhere.
    """
    if rows and rows[0]["found"] >= reach.effort.depth:
        return True
    return reach.exact_limit != _UNLIMITED and not (rows and rows[0]["exact"])


def _hit(row: Row) -> Hit:
    return Hit(
        chunk=chunk_of(row), score=row["score"], lexical=row["lexical"], cosine=row["cosine"]
    )
