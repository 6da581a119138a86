"""Play days on each card under each policy, and put the figures beside each other."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agent.bench.residency import costs, day
from agent.bench.residency.costs import Card, Memory
from agent.bench.residency.others import PEOPLE_FIRST, RULES, Others
from agent.bench.residency.ours import Ours
from agent.bench.residency.stage import Stage, Tally
from agent.residency import check

OURS = "cortical"
PAGEABLE = "cortical, pageable memory"
STAYS_S = 300.0
"""A policy stays within the card if no allocation failed and other programs had their room after
at most so many seconds a day."""


def measure(
    files: Sequence[Path], *, seed: int, watch: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Return the figures of each day, card and policy; without files, of a day of our own."""
    own = day.parse(day.made(seed), f"a day of our own, seed {seed}")
    days = [day.read(file) for file in files] or [own]
    rows = []
    for one in days:
        for card in costs.CARDS:
            watch({"event": "measuring", "text": f"{one.name} on {card.name}"})
            rows += _rows(one, card)
    return {"assumed": costs.ASSUMED, "rows": rows, "goals": [_goal(group) for group in _by(rows)]}


def _rows(one: day.Day, card: Card) -> list[dict[str, Any]]:
    rows = []
    for name, memory in ((OURS, Memory.PINNED), (PAGEABLE, Memory.PAGEABLE)):
        stage = Stage(one, card)
        trace: list[dict[str, Any]] = []
        ours = Ours(stage, trace.append, memory=memory)
        tally = stage.play(ours)
        ours.close()
        report = check.check(trace, name=f"the trace of {one.name}")
        rows.append({**_row(one, card, name, tally), "verdict": report.verdict})
    for rules in RULES:
        stage = Stage(one, card)
        rows.append(_row(one, card, rules.name, stage.play(Others(stage, rules))))
    return rows


def _row(one: day.Day, card: Card, policy: str, tally: Tally) -> dict[str, Any]:
    figures = asdict(tally)
    waits = sorted(figures.pop("waits_s"))
    return {
        "day": one.name,
        "card": card.name,
        "policy": policy,
        "wait_p50_s": statistics.median(waits) if waits else None,
        "wait_p99_s": waits[min(len(waits) - 1, int(0.99 * len(waits)))] if waits else None,
        "turns": len(waits),
        "stays": not tally.out_of_memory and tally.over_s <= STAYS_S and not tally.unfinished,
        **figures,
    }


def _by(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["day"], row["card"]), []).append(row)
    return list(groups.values())


def _goal(group: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how far our row is from what is wished for."""
    ours = next(row for row in group if row["policy"] == OURS)
    alone = next(row for row in group if row["policy"] == PEOPLE_FIRST)
    others = [row for row in group if not row["policy"].startswith(OURS) and row is not alone]
    staying = [row for row in others if row["stays"]]
    best = min(staying, key=lambda row: row["wait_p99_s"], default=None)
    quickest = min(others, key=lambda row: row["wait_p99_s"])
    freeing = next(row for row in group if row["policy"] == "load and free")
    return {
        "day": ours["day"],
        "card": ours["card"],
        "reloads_in_turn": ours["reloads_in_turn"],
        "best_other": best["policy"] if best else None,
        "p99_of_best": ours["wait_p99_s"] / best["wait_p99_s"] if best else None,
        "quickest_other": quickest["policy"],
        "p99_of_quickest": ours["wait_p99_s"] / quickest["wait_p99_s"],
        "p99_of_people_first": ours["wait_p99_s"] / alone["wait_p99_s"],
        "moved_of_load_and_free": ours["moved_bytes"] / freeing["moved_bytes"],
    }


def lines(report: dict[str, Any]) -> list[str]:
    """Return the figures as tables for a person."""
    told = ["Assumed for every policy alike:", *(f"  {one}" for one in report["assumed"])]
    for group, goal in zip(_by(report["rows"]), report["goals"], strict=True):
        told += ["", f"{group[0]['day']} on {group[0]['card']}", _HEAD]
        told += [_line(row) for row in group]
        told.append(_verdict(goal))
    return told


_HEAD = (
    f"  {'policy':<30} {'p50 s':>7} {'p99 s':>8} {'in turn':>7} {'exec':>5} {'senses':>7} "
    f"{'GB moved':>9} {'hours':>6} {'OOM':>5} {'over s':>7} {'CPU':>5} {'spill':>5} {'small':>5}"
)


def _line(row: dict[str, Any]) -> str:
    return (
        f"  {row['policy']:<30} {row['wait_p50_s']:>7.2f} {row['wait_p99_s']:>8.2f} "
        f"{row['reloads_in_turn']:>7} {row['executive_loads']:>5} {row['senses_loaded']:>7} "
        f"{row['moved_bytes'] / 1e9:>9.1f} {row['ended_s'] / 3600:>6.2f} "
        f"{row['out_of_memory']:>5} {row['over_s']:>7.0f} {row['on_cpu']:>5} "
        f"{row['spilled_calls']:>5} {row['compact_calls']:>5}"
        + (f"  {row['verdict']}" if "verdict" in row else "")
        + ("" if row["stays"] else "  leaves the card")
    )


def _verdict(goal: dict[str, Any]) -> str:
    best = goal["best_other"]
    against = (
        f"p99 {goal['p99_of_best']:.2f} of the best other that stays within the card ({best})"
        if best
        else "no other policy stays within the card"
    )
    return (
        f"  cortical: {against}, {goal['p99_of_quickest']:.2f} of the quickest of all "
        f"({goal['quickest_other']}), {goal['p99_of_people_first']:.2f} of executive kept with "
        f"people first; {goal['moved_of_load_and_free']:.3f} of the bytes that load and free moves"
    )
