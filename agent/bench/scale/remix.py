"""A corpus of any size, re-mixed from real texts and their real vectors; the same for a seed.

Each document is about eight texts of one domain, which are drawn by Zipf's law, and each of its
passages joins sentences of four of these to about 130 words. The vector of a passage is the sum of
the four texts' vectors, each by its share of the words, with some noise, at unit length. So words
have the frequencies of real ones, what reads alike lies near in meaning, and neighbours are alike.
Documents come folder by folder, as they are ingested: a folder keeps to one domain.
"""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agent.bench.scale.material import Domain
from memory.documents import NewChunk, NewDocument
from memory.labels import Label, Origin
from memory.places import Place

PASSAGE_WORDS = 130
MIXED = 4
"""Texts that a passage is mixed from."""
THEME = 8
"""Texts that a document is about."""
ZIPF = 0.6
"""Exponent by which texts are drawn within their domain."""
NOISE = 0.3
"""Length of the noise beside that of the mixed vector."""
PASSAGES = 8
"""Of a document, on the mean."""
FOLDER_DOCUMENTS = 50

KINDS = (("recording", 0.001), ("picture", 0.01), ("mail", 0.02), ("html", 0.05), ("pdf", 0.2))
"""Shares of documents by kind, at random; all others are `text`."""
COLLECTIONS = (("small", 0.01), ("large", 0.2))
"""Shares of folders by collection, at random; all others are in `main`."""
_LABEL = Label(origins=frozenset({Origin.DOCUMENT}))
_HEADING_WORDS = 6

Vectors = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Mixed:
    """A document of the corpus."""

    collection: str
    document: NewDocument
    vectors: Vectors
    """One row of unit length for each passage."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Texts:
    """The texts of a domain, ready to be drawn."""

    name: str
    sentences: Sequence[Sequence[str]]
    words: Sequence[Sequence[int]]
    """Number of words of each sentence."""
    vectors: Vectors
    chances: NDArray[np.float64]
    """Rising to 1: where a random number falls tells the text."""


@dataclass(kw_only=True, slots=True)
class Remixer:
    """Makes documents, any number of times the same ones."""

    domains: Sequence[Domain]
    vectors: Sequence[Vectors]
    """For each domain one row for each text, of unit length."""
    seed: int
    _texts: list[_Texts] = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self._texts = [
            _drawable(domain, rows, rng)
            for domain, rows in zip(self.domains, self.vectors, strict=True)
        ]

    def documents(self, chunks: int, *, passages: int | None = None) -> Iterator[Mixed]:
        """Yield documents that have so many passages in all, or each exactly so many."""
        rng = np.random.default_rng(self.seed + 1)
        sizes = np.array([len(texts.sentences) for texts in self._texts], np.float64)
        made = 0
        for folder in itertools.count():
            texts = self._texts[int(rng.choice(len(sizes), p=sizes / sizes.sum()))]
            collection = _chosen(COLLECTIONS, rng.random(), "main")
            for number in range(FOLDER_DOCUMENTS):
                if made == chunks:
                    return
                size = min(passages or 1 + int(rng.poisson(PASSAGES - 1)), chunks - made)
                uri = f"/{1_000 * made // chunks:03}/{texts.name}/{folder:06}/{number:02}"
                kind = _chosen(KINDS, rng.random(), "text")
                yield _mixed(texts, size, uri, kind, collection, rng)
                made += size


def _drawable(domain: Domain, vectors: Vectors, rng: np.random.Generator) -> _Texts:
    order = rng.permutation(len(domain.texts))
    weights = 1 / np.arange(1, len(order) + 1) ** ZIPF
    sentences = [domain.texts[index] for index in order]
    return _Texts(
        name=domain.name,
        sentences=sentences,
        words=[[len(sentence.split()) for sentence in text] for text in sentences],
        vectors=vectors[order],
        chances=np.cumsum(weights) / weights.sum(),
    )


def _chosen(shares: Sequence[tuple[str, float]], chance: float, otherwise: str) -> str:
    for name, share in shares:
        if chance < share:
            return name
        chance -= share
    return otherwise


def _mixed(
    texts: _Texts, size: int, uri: str, kind: str, collection: str, rng: np.random.Generator
) -> Mixed:
    theme = np.minimum(np.searchsorted(texts.chances, rng.random(THEME)), len(texts.words) - 1)
    picks = theme[rng.permuted(np.tile(np.arange(THEME), (size, 1)), axis=1)[:, :MIXED]]
    starts = rng.random((size, MIXED)).tolist()
    shares = np.empty((size, MIXED), np.float32)
    chunks = []
    title = " ".join(texts.sentences[theme[0]][0].split()[:_HEADING_WORDS])
    for row, chosen in enumerate(picks.tolist()):
        parts = [
            _stretch(texts.sentences[text], texts.words[text], start)
            for text, start in zip(chosen, starts[row], strict=True)
        ]
        shares[row] = [words for _, words in parts]
        chunks.append(
            NewChunk(
                text=" ".join(part for part, _ in parts),
                context=title,
                place=Place(line=row + 1),
                label=_LABEL,
            )
        )
    return Mixed(
        collection=collection,
        document=NewDocument(
            uri=uri,
            title=title,
            kind=kind,
            media_type="text/plain",
            content_hash=hashlib.sha256(uri.encode()).digest(),
            reader="remix/1",
            language="en",
            modified_at=None,
            label=_LABEL,
            chunks=tuple(chunks),
        ),
        vectors=_vectors(texts.vectors[picks], shares, rng),
    )


def _stretch(sentences: Sequence[str], words: Sequence[int], start: float) -> tuple[str, int]:
    """Return sentences that follow each other, from a random one on, and their words."""
    wanted = PASSAGE_WORDS // MIXED
    first = last = int(start * len(sentences))
    total = 0
    while total < wanted and last < len(sentences):
        total += words[last]
        last += 1
    return " ".join(sentences[first:last]), total


def _vectors(sources: Vectors, shares: NDArray[np.float32], rng: np.random.Generator) -> Vectors:
    mixed = np.einsum("ijk,ij->ik", sources, shares)
    mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
    mixed += rng.standard_normal(mixed.shape, np.float32) * (NOISE / mixed.shape[1] ** 0.5)
    unit: Vectors = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    return unit
