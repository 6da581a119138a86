"""A plan in words and columns: a column for each card. Pure."""

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from agent import plan_bar
from agent.models.sizes import gib
from agent.models.subjects import certainty

Card = Mapping[str, Any]

_GAP = "  "
_NARROW = 60


def lines(report: Mapping[str, Any], *, width: int, blocks: bool) -> Iterator[str]:
    """Write a plan for a terminal of a width; `blocks`: it shows more than letters."""
    yield from _subject(report)
    cards = report["cards"]
    yield ""
    yield from _table(_budget_rows(report), cards)
    yield ""
    for card in cards:
        if len(cards) > 1:
            yield f"{card['name']}:"
        yield from plan_bar.lines(card, width=width, blocks=blocks)
    yield ""
    yield "beside the executive, one at a time: what it needs, what is then left"
    yield from _table(_sense_rows(cards), cards)
    yield from _pairs(report)
    yield ""
    yield "longest context that is safe"
    yield from _table(_context_rows(report), cards)
    for card in cards:
        yield from _ladder(card, named=len(cards) > 1)
    yield ""
    for line in _assumed(report):
        yield from textwrap.wrap(line, max(width, _NARROW))


def _subject(report: Mapping[str, Any]) -> Iterator[str]:
    told, load = report["executive"], report["load"]
    attention = "flash attention" if load["flash_attention"] else "no flash attention"
    whose = "shared by" if load["shared_cache"] else "for each of"
    at_once = "" if load["parallel"] == 1 else f" {whose} {load['parallel']} requests"
    kind = "" if told["quantisation"] in told["name"] else f" {told['quantisation']}"
    yield (
        f"{told['name']}{kind}: {load['context_tokens']:,} tokens of "
        f"{load['kv_type']}{at_once}, {load['micro_batch']:,} evaluated at once, {attention}"
    )
    yield certainty(report)


def _budget_rows(report: Mapping[str, Any]) -> Iterator[tuple[str, Callable[[Card], str]]]:
    unified = report["cards"][0]["kind"] == "unified"
    if unified:
        yield "memory", lambda card: gib(card["nominal_bytes"])
    yield "for the GPU" if unified else "card shows", lambda card: gib(card["exposed_bytes"])
    yield "others", lambda card: gib(card["foreign_bytes"])
    for part in ("weights", "cache", "buffer"):
        yield part, lambda card, part=part: gib(card["need"][part])  # type: ignore[misc]
    yield "driver's context", lambda card: gib(card["need"]["process"])
    yield "left", lambda card: _left(card["headroom_bytes"])


def _sense_rows(cards: Sequence[Card]) -> Iterator[tuple[str, Callable[[Card], str]]]:
    for number, one in enumerate(cards[0]["beside"]):
        needs = gib(one["bytes"] + one["process_bytes"])
        mark = "" if one["ground"] == "published" else " ~"
        chosen = "*" if one["name"] == cards[0]["heaviest"] else " "
        yield (
            f"{chosen} {one['task']:9}{one['name']:22}{needs:>9}{mark:2}",
            lambda card, number=number: _left(card["beside"][number]["spare_bytes"]),  # type: ignore[misc]
        )


def _context_rows(report: Mapping[str, Any]) -> Iterator[tuple[str, Callable[[Card], str]]]:
    trained = report["executive"]["trained_tokens"]
    yield "alone", lambda card: _tokens(card["context_alone"], trained)
    heaviest = report["cards"][0]["heaviest"]
    if heaviest is not None:
        yield f"beside {heaviest}", lambda card: _tokens(card["context_beside"], trained)


def _left(size: int) -> str:
    return gib(size) if size >= 0 else f"lacks {gib(-size)}"


def _tokens(tokens: int | None, trained: int) -> str:
    if tokens is None:
        return "none"
    return f"{tokens:,}" + (" (all)" if tokens == trained else "")


def _table(
    rows: Iterator[tuple[str, Callable[[Card], str]]], cards: Sequence[Card]
) -> Iterator[str]:
    written = [(label, [cell(card) for card in cards]) for label, cell in rows]
    if len(cards) > 1:
        written.insert(0, ("", [str(card["name"]).removeprefix("a card of ") for card in cards]))
    widths = [max(len(cells[number]) for _, cells in written) for number in range(len(cards))]
    wide = max(len(label) for label, _ in written)
    for label, cells in written:
        columns = _GAP.join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        yield f"{label:{wide}}{_GAP}{columns}"


def _pairs(report: Mapping[str, Any]) -> Iterator[str]:
    """Say what would be left with two of the chosen senses on the card, and how many pairs fit."""
    cards = report["cards"]
    chosen = set(report["senses"])
    shown = [
        number for number, one in enumerate(cards[0]["pairs"]) if chosen.issuperset(one["senses"])
    ]
    if shown:
        yield ""
        yield "two at once: what is then left"
        yield from _table(_pair_rows(cards, shown), cards)


def _pair_rows(
    cards: Sequence[Card], shown: Sequence[int]
) -> Iterator[tuple[str, Callable[[Card], str]]]:
    for number in shown:
        label = "  " + " + ".join(cards[0]["pairs"][number]["senses"])
        yield label, lambda card, number=number: _left(card["pairs"][number]["spare_bytes"])  # type: ignore[misc]
    every = len(cards[0]["pairs"])
    yield f"  of all {every} pairs fit", lambda card: str(_fitting(card))


def _fitting(card: Card) -> int:
    return sum(one["spare_bytes"] >= 0 for one in card["pairs"])


def _ladder(card: Card, *, named: bool) -> Iterator[str]:
    if not card["ladder"] and (card["heaviest"] is not None or card["headroom_bytes"] >= 0):
        return
    yield ""
    where = f" on {card['name']}" if named else ""
    what = "the executive" if card["headroom_bytes"] < 0 else f"{card['heaviest']} beside it"
    yield f"{what} does not fit{where}; step by step, each on top of the last:"
    for number, step in enumerate(card["ladder"], 1):
        rest = f"{gib(step['spare_bytes'])} left" if step["fits"] else _left(step["spare_bytes"])
        yield f"  {number}. {step['action']}: {rest}"
    if not any(step["fits"] for step in card["ladder"]):
        compact = card["compact"]
        instead = "none of the well-known ones fits" if compact is None else f"{compact} would fit"
        yield f"  then a compact executive: {instead}"


def _assumed(report: Mapping[str, Any]) -> Iterator[str]:
    cards = report["cards"]
    derived = any(one["ground"] != "published" for one in cards[0]["beside"])
    if cards[0]["heaviest"] is not None:
        yield "* heaviest of the senses that were chosen"
    if derived:
        yield "~ derived, not measured by anybody who published it"
    if not any(card["measured"] for card in cards):
        yield from _supposed(cards[0])
    if len(report["load"]["builds"]) > 1:
        yield _builds(report["load"])
    if report["executive"]["window_tokens"] and report["executive"]["windowed_layers"]:
        yield (
            f"note: {report['executive']['windowed_layers']} of {report['executive']['layers']} "
            f"layers look back over {report['executive']['window_tokens']:,} tokens only"
        )
    yield from (f"note: {note}" for note in report["notes"])


def _builds(load: Mapping[str, Any]) -> str:
    each = ", ".join(f"{build} {gib(size)}" for build, size in load["buffer_by_build"].items())
    return (
        f"note: the buffer depends on the build of llama.cpp ({each}); the largest of "
        f"{', '.join(load['builds'])} was taken, and --llama-cpp names one"
    )


def _supposed(card: Card) -> Iterator[str]:
    if card["kind"] == "unified":
        share = card["exposed_bytes"] / card["nominal_bytes"]
        yield (
            f"note: Metal lets the GPU use {share:.0%} of this memory; `sudo sysctl "
            "iogpu.wired_limit_mb=N` sets another limit"
        )
        host = card["host_bytes"]["embedding"]
        staged = sum(one["host_bytes"] for one in card["beside"] if one["name"] == card["heaviest"])
        yield (
            f"note: copies on the host come out of the same memory: {gib(host)} of the token "
            f"embedding, {gib(staged)} of the heaviest sense"
        )
        return
    yield (
        "note: a card shows a little less than its name says (24 GiB: 24,122 MiB), and a desktop "
        "was assumed on it; --foreign 0B is a card without one"
    )
