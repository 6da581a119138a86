"""What memory answered to one question: the fused ranking, and that of each leg alone."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from memory.documents import Hit
from memory.search import WORD_WEIGHT


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One question's rankings, as ids of documents, best first."""

    key: str
    fused: tuple[str, ...]
    lexical: tuple[str, ...]
    vector: tuple[str, ...]
    seconds: float
    evidence: tuple[tuple[str, float, float], ...]
    """Of each candidate: its document, its cosine (at least 0), and its share of BM25 times the
    words of the question."""

    def weighed(self, weight: float) -> tuple[str, ...]:
        """Return the ranking that another weight of the words would have given."""
        scored = sorted(self.evidence, key=lambda one: -(one[1] + weight * one[2]))
        return _documents(one[0] for one in scored)


def asked_of(key: str, hits: Sequence[Hit], candidates: Sequence[Hit], seconds: float) -> Asked:
    """Return what was found: by search itself, and by each leg among the candidates."""

    def ranked(score: Callable[[Hit], float]) -> tuple[str, ...]:
        found = sorted((hit for hit in candidates if score(hit) > 0), key=lambda hit: -score(hit))
        return _documents(hit.chunk.document.uri for hit in found)

    return Asked(
        key=key,
        fused=_documents(hit.chunk.document.uri for hit in hits),
        lexical=ranked(lambda hit: hit.lexical),
        vector=ranked(lambda hit: hit.cosine or 0.0),
        seconds=seconds,
        evidence=tuple(
            (
                hit.chunk.document.uri,
                max(hit.cosine or 0.0, 0.0),
                (hit.score - max(hit.cosine or 0.0, 0.0)) / WORD_WEIGHT,
            )
            for hit in candidates
        ),
    )


def _documents(uris: Iterable[str]) -> tuple[str, ...]:
    """Return each document at the place of its best passage."""
    return tuple(dict.fromkeys(uris))
