"""The weight of a word as it would be chosen without looking at the questions reported.

With several folders it is chosen on the other ones. With one folder, on four fifths of its
questions for the last fifth, in turn.
"""

from collections.abc import Mapping, Sequence
from statistics import fmean

from agent.bench.retrieval.legs import Asked
from agent.bench.retrieval.measures import ndcg

WEIGHTS = tuple(round(0.01 * step, 2) for step in range(1, 26))
_FOLDS = 5

Gains = Mapping[str, Mapping[str, float]]


def weights(runs: Sequence[Sequence[Asked]], gains: Sequence[Gains]) -> list[list[float]]:
    """Return for each question of each run the weight chosen on other questions."""
    scores = [_scores(run, judged) for run, judged in zip(runs, gains, strict=True)]
    if len(runs) == 1:
        return [_within(scores[0])]
    return [
        [_best([other for index, other in enumerate(scores) if index != held])] * len(runs[held])
        for held in range(len(runs))
    ]


def _scores(run: Sequence[Asked], gains: Gains) -> list[list[float]]:
    """Return for each question what each weight gives it."""
    return [[ndcg(one.weighed(weight), gains[one.key]) for weight in WEIGHTS] for one in run]


def _within(scores: Sequence[Sequence[float]]) -> list[float]:
    chosen = []
    for index in range(len(scores)):
        others = [row for at, row in enumerate(scores) if at % _FOLDS != index % _FOLDS]
        chosen.append(_best([others or scores]))
    return chosen


def _best(groups: Sequence[Sequence[Sequence[float]]]) -> float:
    """Return the weight with the best mean of the groups' means."""
    means = [
        fmean(fmean(row[at] for row in group) for group in groups) for at in range(len(WEIGHTS))
    ]
    return WEIGHTS[max(range(len(WEIGHTS)), key=means.__getitem__)]
