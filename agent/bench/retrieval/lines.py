"""The figures as lines for a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

_NAMES = {
    "fused": "words and meaning",
    "cross_fitted": "  weight chosen on other questions",
    "of_other_folders": "  weight chosen on other folders",
    "lexical": "words alone",
    "vector": "meaning alone",
    "bm25s": "bm25s",
    "exact_minilm": "exact MiniLM, whole documents",
}


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the report of one folder, or of several and their mean."""
    for one in report.get("sets", [report]):
        yield f"{one['name']}: {one['documents']:,} documents, {one['queries']:,} questions"
        yield from _table(one)
        times = one["ms_per_query"]
        yield f"  a question takes {times['p50']:.1f} ms, 95 % below {times['p95']:.1f} ms"
        yield from _above(one["above_the_better_peer"])
    if "mean" in report:
        yield f"mean of {len(report['sets'])} folders"
        yield from _table(report["mean"])
        yield from _above(report["mean"]["above_the_better_peer"])


def _table(one: Mapping[str, Any]) -> Iterator[str]:
    yield f"  {'':38}nDCG@10  95 % interval   recall@10"
    for name, value in one["ndcg@10"].items():
        low, high = one["ndcg@10_interval"][name]
        yield (
            f"  {_NAMES.get(name, name):38}{value:7.3f}  {low:.3f} to {high:.3f}"
            f"  {one['recall@10'][name]:10.3f}"
        )


def _above(above: Mapping[str, Any] | None) -> Iterator[str]:
    if above is None:
        yield "  No peers were run. Get them by `make peers`."
        return
    low, high = above["interval"]
    which = f" ({above['peer']})" if "peer" in above else f", least {above['least']:+.3f}"
    yield "  with the weight chosen on other questions, above the better peer by"
    yield f"    {above['by']:+.3f} ({low:+.3f} to {high:+.3f}){which}"
