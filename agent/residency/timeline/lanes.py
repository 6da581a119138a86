"""Which rows a timeline has: for each model its weights, below them who used it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.residency.books import EXECUTIVE
from agent.residency.timeline.history import TURNS, History, Span, Weights


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """The rows of one model."""

    name: str
    weights: tuple[Weights, ...]
    lanes: tuple[tuple[Span, ...], ...]
    """Spans of a lane do not overlap, nor stand closer than they can be told apart."""


def groups(history: History, begins: float, ends: float, *, gap_s: float) -> list[Group]:
    """Return the rows of a window: the executive and turns, then models as they came."""
    weights = [one for one in history.weights if _within(one.begins, one.ends, begins, ends)]
    spans = [one for one in history.spans if _within(one.begins, one.ends, begins, ends)]
    order = dict.fromkeys((EXECUTIVE, TURNS, *(one.name for one in weights)))
    order |= dict.fromkeys(one.group for one in spans)
    found = [
        Group(
            name=name,
            weights=tuple(one for one in weights if one.name == name),
            lanes=_packed([one for one in spans if one.group == name], gap_s),
        )
        for name in order
    ]
    return [one for one in found if one.weights or one.lanes]


def _within(begun: float, ended: float | None, begins: float, ends: float) -> bool:
    return begun <= ends and (ended is None or ended >= begins)


def _packed(spans: Sequence[Span], gap_s: float) -> tuple[tuple[Span, ...], ...]:
    """Put each span into the first lane that is free by then."""
    lanes: list[list[Span]] = []
    free: list[float] = []
    for span in sorted(spans, key=lambda one: one.begins):
        number = next((at for at, when in enumerate(free) if when <= span.begins), len(lanes))
        if number == len(lanes):
            lanes.append([])
            free.append(0.0)
        lanes[number].append(span)
        ended = float("inf") if span.ends is None else span.ends
        free[number] = max(ended, span.begins) + gap_s
    return tuple(tuple(lane) for lane in lanes)
