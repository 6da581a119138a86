"""The figures of a folder, and the mean of several. Pure."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from agent.bench.retrieval.beir import Judged
from agent.bench.retrieval.legs import Asked
from agent.bench.retrieval.measures import interval, interval_of_means, ndcg, recall
from agent.bench.timing import percentiles
from agent.errors import AgentError
from memory.search import WORD_WEIGHT


def of(
    judged: Judged,
    run: Sequence[Asked],
    rankings: Mapping[str, Mapping[str, Sequence[str]]],
    chosen: Mapping[str, Sequence[float]],
) -> dict[str, Any]:
    """Return the figures of a folder. Raises AgentError where nothing was scored.

    `chosen` has for each question the weight that was chosen on others, `cross_fitted` at least.
    """
    ours = {
        "fused": {one.key: one.fused for one in run},
        "lexical": {one.key: one.lexical for one in run},
        "vector": {one.key: one.vector for one in run},
    } | {
        name: {one.key: one.weighed(weight) for one, weight in zip(run, weights, strict=True)}
        for name, weights in chosen.items()
    }
    scores = {
        name: [ndcg(found.get(key, ()), judged.gains[key]) for key, _ in judged.questions]
        for name, found in (ours | dict(rankings)).items()
    }
    if not any(map(any, scores.values())):
        raise AgentError(
            f"Of {len(run)} questions on {judged.name} none found a document that answers it. Are "
            "the ids of the judgements those of the corpus?"
        )
    recalls = {
        name: fmean(recall(found.get(key, ()), judged.gains[key]) for key, _ in judged.questions)
        for name, found in (ours | dict(rankings)).items()
    }
    return {
        "name": judged.name,
        "documents": len(judged.documents),
        "queries": len(run),
        "word_weight": WORD_WEIGHT,
        "chosen_weights": {name: sorted(set(weights)) for name, weights in chosen.items()},
        "ndcg@10": {name: fmean(values) for name, values in scores.items()},
        "ndcg@10_interval": {name: interval(values) for name, values in scores.items()},
        "recall@10": recalls,
        "ms_per_query": percentiles([one.seconds for one in run]),
        "above_the_better_peer": _above(scores, list(rankings)),
        "scores": scores,
    }


def _above(
    scores: Mapping[str, Sequence[float]], peer_names: Sequence[str]
) -> dict[str, Any] | None:
    """Return by how much search with a weight from elsewhere is above the peer that is better."""
    if not peer_names:
        return None
    better = max(peer_names, key=lambda name: fmean(scores[name]))
    gaps = [
        ours - theirs for ours, theirs in zip(scores["cross_fitted"], scores[better], strict=True)
    ]
    return {"peer": better, "by": fmean(gaps), "interval": interval(gaps), "gaps": gaps}


def mean(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean of several folders' figures, each counted the same."""
    names = reports[0]["ndcg@10"]
    above = [one["above_the_better_peer"] for one in reports if one["above_the_better_peer"]]
    return {
        "ndcg@10": {name: fmean(one["ndcg@10"][name] for one in reports) for name in names},
        "ndcg@10_interval": {
            name: interval_of_means([one["scores"][name] for one in reports]) for name in names
        },
        "recall@10": {name: fmean(one["recall@10"][name] for one in reports) for name in names},
        "above_the_better_peer": {
            "by": fmean(one["by"] for one in above),
            "interval": interval_of_means([one["gaps"] for one in above]),
            "least": min(one["by"] for one in above),
        }
        if above
        else None,
    }
