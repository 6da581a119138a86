"""How good a ranking is, and how sure that is. Pure."""

import math
import random
from collections.abc import Mapping, Sequence

_RESAMPLES = 2_000


def ndcg(ranking: Sequence[str], gains: Mapping[str, float], k: int = 10) -> float:
    """Return the discounted gain of the first k as a share of the best that could be had.

    Linear gains, discounted by log2(rank + 1), as trec_eval computes it (Järvelin and Kekäläinen
    2002).
    """
    best = sorted(gains.values(), reverse=True)[:k]
    return _discounted([gains.get(one, 0.0) for one in ranking[:k]]) / _discounted(best)


def recall(ranking: Sequence[str], gains: Mapping[str, float], k: int = 10) -> float:
    """Return the share of the documents with a gain that are among the first k."""
    return sum(one in gains for one in ranking[:k]) / len(gains)


def interval(values: Sequence[float], *, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a mean, by percentiles of resampled means."""
    return interval_of_means([values], seed=seed)


def interval_of_means(groups: Sequence[Sequence[float]], *, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean of the groups' means, resampled in each."""
    source = random.Random(seed)  # noqa: S311 - draws questions, no secrets
    means = sorted(
        sum(sum(source.choices(group, k=len(group))) / len(group) for group in groups) / len(groups)
        for _ in range(_RESAMPLES)
    )
    return means[int(0.025 * _RESAMPLES)], means[int(0.975 * _RESAMPLES) - 1]


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 2) for rank, gain in enumerate(gains))
