"""The words of passages, counted and weighed: what becomes of them in the index of words.

Postgres cuts and stems them (`tokenise`); adding them up is done here, by arrays, since one passage
has some sixty words and a load has a million passages.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memory import lexicon
from memory.database import Connection
from memory.queries import query

_LEXEME = re.compile(r"'((?:[^'\\]|''|\\\\)*)'(:[\d,]+)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Postings:
    """Which lexeme stands in which passage how often, passage by passage."""

    lexemes: list[str]
    """Each once; the arrays refer to them by position."""
    owners: NDArray[np.int64]
    """For each posting the position of its passage, rising."""
    numbers: NDArray[np.int64]
    """For each posting the position of its lexeme."""
    counts: NDArray[np.int64]
    """For each posting how often the lexeme stands there."""
    passages: int

    def frequencies(self) -> NDArray[np.int64]:
        """Return for each lexeme the number of passages that hold it."""
        return np.bincount(self.numbers, minlength=len(self.lexemes))

    def weights(self, mean_length: float) -> NDArray[np.float32]:
        """Return for each posting its part of the score, as BM25 weighs it."""
        lengths = np.bincount(self.owners, weights=self.counts, minlength=self.passages)
        norms = 1 - lexicon.B + lexicon.B * lengths / mean_length
        weighed = self.counts / (self.counts + lexicon.K1 * norms[self.owners])
        return weighed.astype(np.float32)


async def tokenise(connection: Connection, configuration: str, words: Sequence[str]) -> list[str]:
    """Return the lexemes of each text with their positions, as Postgres writes a tsvector."""
    values = {"configuration": configuration, "words": list(words)}
    cursor = await connection.execute(query("tokenise"), values, binary=True)
    return [row["lexemes"] for row in await cursor.fetchall()]


def counted(vectors: Sequence[str]) -> Postings:
    """Count the lexemes of passages, each given as `tokenise` returns it."""
    known: dict[str, int] = {}
    numbers: list[int] = []
    counts: list[int] = []
    sizes: list[int] = []
    for vector in vectors:
        lexemes, places = _parsed(vector)
        numbers += [known.setdefault(lexeme, len(known)) for lexeme in lexemes]
        counts += [place.count(",") + 1 for place in places]
        sizes.append(len(lexemes))
    return Postings(
        lexemes=list(known),
        owners=np.repeat(np.arange(len(sizes)), sizes),
        numbers=np.array(numbers, np.int64),
        counts=np.array(counts, np.int64),
        passages=len(vectors),
    )


def _parsed(vector: str) -> tuple[Sequence[str], Sequence[str]]:
    """Split `'pump':1,4 'valve':2` into lexemes and positions."""
    if "''" in vector or "\\" in vector:
        found = list(_unquoted(vector))
        return [lexeme for lexeme, _ in found], [places for _, places in found]
    parts = vector.split("'")
    return parts[1::2], parts[2::2]


def _unquoted(vector: str) -> Iterator[tuple[str, str]]:
    for match in _LEXEME.finditer(vector):
        yield match[1].replace("''", "'").replace("\\\\", "\\"), match[2] or ""
