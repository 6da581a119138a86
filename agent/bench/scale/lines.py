"""The figures of the scale benchmark, for a person."""

from collections.abc import Iterator, Mapping
from typing import Any


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Write the figures as short tables."""
    yield from _store(report)
    yield from _search(report)
    yield from _live(report["live"])
    yield from _peers(report.get("peers", {}))
    yield f"this process took up to {report['peak_bytes'] / 2**20:,.0f} MiB"


def _store(report: Mapping[str, Any]) -> Iterator[str]:
    load, machine, sizes = report["load"], report["machine"], report["bytes"]
    texts = ", ".join(f"{count} {name}" for name, count in report["made"]["texts"].items())
    yield f"{report['passages']:,} passages, re-mixed from texts of: {texts}"
    yield report["made"]["how"]
    yield (
        f"{machine['cores']} cores, {machine['memory_bytes'] / 2**30:.0f} GiB, load average "
        f"{machine['load_average']}; " + ", ".join(f"{k} {v}" for k, v in machine["server"].items())
    )
    phases = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in load["of_which"].items())
    yield (
        f"loaded {load['chunks']:,} passages and built the indexes in {load['seconds']:.0f} s: "
        f"{phases}; within that {load['mixing_s']:.0f} s to mix the texts"
    )
    yield f"the database takes {sizes['database'] / 2**30:.2f} GiB:"
    for name, size in sizes["relations"].items():
        yield f"  {name:<34}{size / 2**20:9,.0f} MiB"


def _search(report: Mapping[str, Any]) -> Iterator[str]:
    fused, vector, lexical = report["fused"], report["vector"], report["lexical"]
    yield f"search, {report['questions']} real questions, warm, p50 / p95 in ms:"
    yield (
        f"  {'fused':<22}{_pair(fused['ms'])}   overlap@10 with the exhaustive one "
        f"{fused['overlap@10']:.3f}, least {fused['overlap@10_least']:.1f}, "
        f"{fused['short_rows']} with too few rows"
    )
    yield f"  {'fused, two clients':<22}{_pair(fused['ms_two_clients'])}"
    yield f"  {'first on a connection':<22}{fused['first_ms']:8.1f}"
    yield f"  {'words alone':<22}{_pair(lexical['ms'])}   overlap@10 {lexical['overlap@10']:.3f}"
    yield (
        f"  {'vectors alone':<22}{_pair(vector['ms'])}   recall@10 {vector['recall@10']:.3f}, "
        f"nothing found for {vector['found_nothing']}"
    )
    for one in report["filters"]:
        yield (
            f"  {one['filter']:<22}{_pair(one['ms'])}   leaves {100 * one['share']:.2f} %: "
            f"overlap@10 {one['overlap@10']:.3f}, {one['short_rows']} with too few rows"
        )


def _live(live: Mapping[str, Any]) -> Iterator[str]:
    mail = live["mail_of_10_ms"]
    yield (
        f"live: {live['chunks_per_s']:,} passages a second with their vectors (of 1,000: words "
        f"{live['words_ms_per_1000']} ms, vectors {live['vectors_ms_per_1000']} ms); a mail of 10 "
        f"{mail['p50']:.1f} ms, at most {mail['max']:.1f}; deleting 1,000 takes "
        f"{live['delete_ms_per_1000']} ms"
    )


def _peers(peers: Mapping[str, Any]) -> Iterator[str]:
    for name in ("langchain-postgres", "langgraph"):
        if name in peers:
            one = peers[name]
            yield (
                f"  {name + ', vectors':<26}{_pair(one['ms'])}   {peers['passages']:,} passages, "
                f"recall@10 {one['recall@10']:.3f}, loaded {one['rows_per_s']} a second"
            )


def _pair(figures: Mapping[str, float]) -> str:
    return f"{figures['p50']:8.1f} /{figures['p95']:7.1f}"
