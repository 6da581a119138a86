"""The weight of a word as it would be chosen without looking at the questions reported."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from agent.bench.retrieval.legs import Asked
from agent.bench.retrieval.measures import ndcg

WEIGHTS = tuple(round(0.01 * step, 2) for step in range(1, 26))
_FOLDS = 5

Gains = Mapping[str, Mapping[str, float]]


def of_other_questions(
    runs: Sequence[Sequence[Asked]], gains: Sequence[Gains]
) -> list[list[float]]:
    """Return for each question of each run the weight chosen on questions of all runs but its own.

    One weight serves all runs: that of a fifth of the questions is chosen on the other four fifths.
    """
    scores = _all_scores(runs, gains)
    chosen = [
        _best(list(_without(scores, fold)) or scores)
        for fold in range(min(_FOLDS, max(map(len, runs))))
    ]
    return [[chosen[index % _FOLDS] for index in range(len(run))] for run in runs]


def of_other_folders(runs: Sequence[Sequence[Asked]], gains: Sequence[Gains]) -> list[list[float]]:
    """Return for each question of each run the weight chosen on the other runs."""
    scores = _all_scores(runs, gains)
    return [
        [_best([other for index, other in enumerate(scores) if index != held])] * len(run)
        for held, run in enumerate(runs)
    ]


def _all_scores(runs: Sequence[Sequence[Asked]], gains: Sequence[Gains]) -> list[list[list[float]]]:
    return [_scores(run, judged) for run, judged in zip(runs, gains, strict=True)]


def _without(scores: Sequence[list[list[float]]], fold: int) -> Iterator[list[list[float]]]:
    """Yield what is left of each run without a fold, if anything is."""
    for run in scores:
        others = [row for index, row in enumerate(run) if index % _FOLDS != fold]
        if others:
            yield others


def _scores(run: Sequence[Asked], gains: Gains) -> list[list[float]]:
    """Return for each question what each weight gives it."""
    return [[ndcg(one.weighed(weight), gains[one.key]) for weight in WEIGHTS] for one in run]


def _best(groups: Sequence[Sequence[Sequence[float]]]) -> float:
    """Return the weight with the best mean of the groups' means."""
    means = [
        fmean(fmean(row[at] for row in group) for group in groups) for at in range(len(WEIGHTS))
    ]
    return WEIGHTS[max(range(len(WEIGHTS)), key=means.__getitem__)]
