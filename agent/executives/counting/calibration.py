"""A bound on the tokens of prompts that learns from a server's own counts. Pure."""

import hashlib
import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from agent.executives.counting.tokens import MESSAGE_TOKENS, PROMPT_TOKENS, Floats, makeup

SAMPLES = 128
"""Counts that are kept, the newest."""
NEIGHBOURS = 4
"""Counts of prompts of the same kind from which on they are relied on."""
DISTANCE = 0.12
"""How far apart two prompts of one kind may be: the sum of the differences of their classes' shares
(2 where they have none in common), and a share of `_DOUBLING` for twice the size."""
MARGIN = 1.1
"""What is added to the largest of these counts."""
_DOUBLING = 0.06


@dataclass(frozen=True, slots=True)
class _Sample:
    shares: Floats
    raw: int
    ratio: float


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A prompt whose count is known, by its texts."""

    digest: bytes
    texts: int
    counted: int


class Calibration:
    """Bounds prompts by classes of pieces; what a server counts makes the bound closer.

    A prompt that only adds to one that was counted is that count and a bound of what was added. Any
    other is bounded by the most that prompts of the same kind, made of the same classes in about
    the same shares, were found to take. Where none is known the raw bound holds, raised for good
    where a count was ever above it.
    """

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque(maxlen=SAMPLES)
        self._anchors: deque[_Anchor] = deque(maxlen=16)
        self._raised = 1.0

    def bound(self, parts: Iterable[str]) -> int:
        """Return an upper bound of a prompt made of these texts."""
        texts = list(parts)
        shares, raw = _made(texts)
        known = self._anchored(texts)
        bound = math.ceil(raw * self._factor(shares, raw))
        return bound if known is None else min(bound, known)

    def learn(self, parts: Iterable[str], counted: int) -> None:
        """Take note of what a server counted."""
        texts = list(parts)
        shares, raw = _made(texts)
        self._samples.append(_Sample(shares, raw, counted / raw))
        self._raised = max(self._raised, counted / raw)
        digest = _digests(texts)[-1] if texts else b""
        self._anchors.append(_Anchor(digest, len(texts), counted))

    def _factor(self, shares: Floats, raw: int) -> float:
        near = [one.ratio for one in self._samples if _distance(one, shares, raw) <= DISTANCE]
        if len(near) < NEIGHBOURS:
            return self._raised
        highest = self._raised if self._raised == 1.0 else self._raised * MARGIN
        return min(max(near) * MARGIN, highest)

    def _anchored(self, texts: Sequence[str]) -> int | None:
        """Return the bound by the longest prompt that these texts begin with; None without one."""
        digests = _digests(texts)
        known = [
            one
            for one in self._anchors
            if one.texts and one.texts <= len(digests) and digests[one.texts - 1] == one.digest
        ]
        if not known:
            return None
        best = max(known, key=lambda one: one.texts)
        added = texts[best.texts :]
        rest = sum(MESSAGE_TOKENS + makeup(text).tokens for text in added) * self._raised
        return best.counted + math.ceil(rest)


def _made(texts: Sequence[str]) -> tuple[Floats, int]:
    """Return the shares of the classes, and the raw bound."""
    made = [makeup(text) for text in texts]
    costs = sum((one.costs for one in made), np.zeros_like(makeup("").costs))
    raw = PROMPT_TOKENS + sum(MESSAGE_TOKENS + one.tokens for one in made)
    return costs / max(costs.sum(), 1.0), raw


def _distance(sample: _Sample, shares: Floats, raw: int) -> float:
    size = abs(math.log2(raw / sample.raw)) * _DOUBLING
    return float(np.abs(sample.shares - shares).sum()) + size


def _digests(texts: Sequence[str]) -> list[bytes]:
    """Return a digest of each beginning of the texts."""
    hashed = hashlib.blake2b(digest_size=16)
    found = []
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        hashed.update(len(data).to_bytes(8, "big") + data)
        found.append(hashed.digest())
    return found
