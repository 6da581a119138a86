"""What an exhaustive search finds: every passage scored by both legs, outside of the database.

Only the stored weights and vectors are taken from it. Frequencies are counted anew, and the sums
are done by numpy, so that a fault of the statement, of its indexes or of its budgets shows.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from memory import lexicon
from memory.database import Pool
from memory.embedding_models import Model
from memory.search import WORD_WEIGHT

_HEADER_BYTES = 19
_BLOCK = 50_000
_CONFIGURATION = "english"
_AT_ONCE = 24
"""Questions whose cosines with all passages are held at the same time."""
_DEEP = 200
"""Passages that are looked through for `k` that read differently."""

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A question with its vector, and what is known of its words."""

    text: str
    vector: Floats
    terms: tuple[int, ...]
    """Of its words that any passage holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Best:
    """The best of all passages, best first."""

    ids: Integers
    scores: Floats

    def share(self, found: Sequence[int], scores: Sequence[float]) -> float:
        """Return the share of these that were found; an equal score is as good as the same id."""
        if not len(self.ids):
            return 1.0
        wanted, least = set(self.ids.tolist()), float(self.scores[-1]) - 1e-5
        good = sum(
            one in wanted or score >= least for one, score in zip(found, scores, strict=True)
        )
        return min(1.0, good / len(wanted))


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What an exhaustive search finds for a question."""

    fused: Best
    words: Best
    nearest: Best
    within: Sequence[Best]
    """By both scores, under each filter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Exhaustive:
    """All passages of a database, as arrays over the same order."""

    ids: Integers
    documents: Integers
    text_keys: Integers
    vectors: NDArray[np.float16]
    postings: Mapping[int, tuple[Integers, Floats]]
    """By term, for the words of the questions alone: positions of passages, and weights."""

    def cosines(self, vectors: Floats) -> Floats:
        """Return the cosines of questions with all passages, of shape (questions, passages)."""
        asked = vectors.astype(np.float16).astype(np.float32)
        parts = [
            asked @ self.vectors[start : start + _BLOCK].astype(np.float32).T
            for start in range(0, len(self.ids), _BLOCK)
        ]
        return np.concatenate(parts, axis=1)

    def lexical(self, terms: Sequence[int]) -> Floats:
        """Return for each passage its BM25 as a share of the most that the question could score."""
        scores = np.zeros(len(self.ids))
        for term in terms:
            places, weights = self.postings[term]
            scores[places] += self._idf(term) * weights
        most = sum(self._idf(term) for term in terms) or 1
        shares: Floats = (scores / most).astype(np.float32)
        return shares

    def _idf(self, term: int) -> float:
        frequency = len(self.postings[term][0])
        return math.log(1 + (len(self.ids) - frequency + 0.5) / (frequency + 0.5))

    def fused(self, words: Floats, cosines: Floats, terms: int) -> Floats:
        """Return the score of each passage, as search adds it up."""
        scores: Floats = (np.maximum(cosines, 0) + WORD_WEIGHT * terms * words).astype(np.float32)
        return scores

    def answers(
        self, asked: Sequence[Question], withins: Sequence[NDArray[np.bool_]], k: int
    ) -> list[Answer]:
        """Return the best of all passages for each question, and those within each filter."""
        found = []
        for start in range(0, len(asked), _AT_ONCE):
            group = asked[start : start + _AT_ONCE]
            rows = self.cosines(np.array([question.vector for question in group]))
            for question, cosines in zip(group, rows, strict=True):
                words = self.lexical(question.terms)
                fused = self.fused(words, cosines, len(question.terms))
                found.append(
                    Answer(
                        fused=self.best(fused, k),
                        words=self.best(words, k),
                        nearest=self.best(cosines, k, fold=False),
                        within=[self.best(fused, k, within=within) for within in withins],
                    )
                )
        return found

    def best(
        self,
        scores: Floats,
        k: int,
        *,
        within: NDArray[np.bool_] | None = None,
        fold: bool = True,
    ) -> Best:
        """Return the `k` best by their scores; with `fold`, one of those that read the same."""
        open_to = np.flatnonzero(within) if within is not None else np.arange(len(scores))
        deep = min(_DEEP, len(open_to))
        if not deep:
            return Best(ids=self.ids[:0], scores=scores[:0])
        few = open_to[np.argpartition(-scores[open_to], deep - 1)[:deep]]
        ordered = few[np.lexsort((self.ids[few], -scores[few]))]
        keys = self.text_keys[ordered] if fold else ordered
        _, firsts = np.unique(keys, return_index=True)
        chosen = ordered[np.sort(firsts)[:k]]
        return Best(ids=self.ids[chosen], scores=scores[chosen])


async def questions(pool: Pool, texts: Sequence[str], vectors: Floats) -> list[Question]:
    """Return the questions with their terms; their words go through Postgres as in search."""
    statement = """
        SELECT array_agg(DISTINCT term_id) FILTER (WHERE term_id IS NOT NULL) AS terms
        FROM unnest(%(words)s::text[]) WITH ORDINALITY AS given (words, line)
        LEFT JOIN LATERAL unnest(tsvector_to_array(to_tsvector(
            %(configuration)s::text::regconfig, given.words))) AS lexeme ON true
        LEFT JOIN terms ON terms.lexeme = lexeme.lexeme AND configuration = %(configuration)s::text
        GROUP BY line ORDER BY line"""
    values = {
        "words": [lexicon.asked(text) for text in texts],
        "configuration": _CONFIGURATION,
    }
    async with pool.connection() as connection:
        rows = await (await connection.execute(statement, values)).fetchall()
    return [
        Question(text=text, vector=vector, terms=tuple(row["terms"] or ()))
        for text, vector, row in zip(texts, vectors, rows, strict=True)
    ]


async def read(pool: Pool, model: Model, asked: Sequence[Question]) -> Exhaustive:
    """Read all passages of a database: about 1 kB of memory for each."""
    wanted = np.unique(np.array([term for one in asked for term in one.terms], np.int64))
    ids, documents, keys, postings = await _lexical(pool, wanted)
    order = np.argsort(ids)
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    return Exhaustive(
        ids=ids[order],
        documents=documents[order],
        text_keys=keys[order],
        vectors=await _vectors(pool, model, ids[order]),
        postings={term: (places[where], weights) for term, (where, weights) in postings.items()},
    )


_Postings = dict[int, tuple[Integers, Floats]]


async def _lexical(pool: Pool, wanted: Integers) -> tuple[Integers, Integers, Integers, _Postings]:
    """Return ids, documents and keys of all passages, and the postings of the wanted terms."""
    heads: list[bytes] = []
    owners: defaultdict[int, list[Integers]] = defaultdict(list)
    weights: defaultdict[int, list[Floats]] = defaultdict(list)
    statement = "COPY (SELECT chunk_id, document_id, text_key, weights FROM lexical) TO STDOUT"
    async for rows in _binary_rows(pool, sql.SQL(statement)):
        first = len(heads)
        heads += [row[2:38] for row in rows]
        sizes = np.array([(len(row) - 54) // 8 for row in rows])
        terms = np.frombuffer(
            b"".join(row[54 : 54 + 4 * size] for row, size in zip(rows, sizes, strict=True)), ">i4"
        )
        values = np.frombuffer(
            b"".join(row[54 + 4 * size :] for row, size in zip(rows, sizes, strict=True)), ">f4"
        )
        kept = np.isin(terms + 1, wanted)
        where = np.repeat(np.arange(first, len(heads)), sizes)[kept]
        found, parts = terms[kept].astype(np.int64) + 1, values[kept].astype(np.float32)
        order = np.argsort(found, kind="stable")
        starts = np.searchsorted(found[order], wanted, "left")
        ends = np.searchsorted(found[order], wanted, "right")
        for term, start, end in zip(wanted.tolist(), starts, ends, strict=True):
            owners[term].append(where[order[start:end]])
            weights[term].append(parts[order[start:end]])
    head = np.frombuffer(
        b"".join(heads),
        [
            ("a", ">i4"),
            ("id", ">i8"),
            ("b", ">i4"),
            ("document", ">i8"),
            ("c", ">i4"),
            ("key", ">i8"),
        ],
    )
    postings = {
        term: (np.concatenate(owners[term]), np.concatenate(weights[term])) for term in owners
    }
    return (
        head["id"].astype(np.int64),
        head["document"].astype(np.int64),
        head["key"].astype(np.int64),
        postings,
    )


async def _vectors(pool: Pool, model: Model, ids: Integers) -> NDArray[np.float16]:
    """Return the vectors in the order of the ids, which rise."""
    dimensions = model.dimensions
    layout: list[Any] = [
        ("fields", ">i2"), ("a", ">i4"), ("id", ">i8"), ("b", ">i4"), ("head", ">i4"),
        ("vector", ">f2", (dimensions,)),
    ]  # fmt: skip
    vectors = np.zeros((len(ids), dimensions), np.float16)
    statement = sql.SQL(
        "COPY (SELECT chunk_id, embedding FROM {} WHERE embedding IS NOT NULL) TO STDOUT"
    ).format(model.table)
    async for rows in _binary_rows(pool, statement):
        block = np.frombuffer(b"".join(rows), np.dtype(layout))
        vectors[np.searchsorted(ids, block["id"].astype(np.int64))] = block["vector"]
    return vectors


async def _binary_rows(pool: Pool, statement: sql.Composable) -> Any:
    """Yield the rows of a COPY in blocks, each row with its count of fields."""
    binary = sql.SQL("{} (FORMAT binary)").format(statement)
    held: list[bytes] = []
    async with (
        pool.connection() as connection,
        connection.cursor() as cursor,
        cursor.copy(binary) as copy,
    ):
        skipped = _HEADER_BYTES
        async for data in copy:
            row = bytes(data)[skipped:]
            skipped = 0
            if len(row) > 2:
                held.append(row)
            if len(held) == _BLOCK:
                yield held
                held = []
    if held:
        yield held
