"""A history drawn as one SVG file."""

from collections.abc import Iterator
from datetime import tzinfo

from agent.models.sizes import gib
from agent.residency.timeline import lanes, palette
from agent.residency.timeline.axes import Clock, time_ticks
from agent.residency.timeline.history import History
from agent.residency.timeline.legend import Legend
from agent.residency.timeline.plane import Plane
from agent.residency.timeline.rows import Rows
from agent.residency.timeline.stack import HEIGHT, Stack
from agent.residency.timeline.svg import element, number, text
from agent.residency.timeline.window import Window

WIDTH = 1200.0
_LEFT, _RIGHT = 190.0, 24.0
_LEGEND_TOP = 62.0
_LEAST_S = 0.01
_PAUSED = 120.0
"""Least width of a pause that is named."""


def draw(history: History, window: Window, *, zone: tzinfo | None = None) -> str:
    """Return the picture of a part of a trace; times are told in a zone, the local one if None."""
    ends = max(window.ends, window.begins + _LEAST_S)
    plane = Plane(left=_LEFT, width=WIDTH - _LEFT - _RIGHT, begins=window.begins, ends=ends)
    clock = Clock(history.begins, history.head.get("began"), zone)
    groups = lanes.groups(history, plane.begins, plane.ends, gap_s=plane.pixel_s)
    colours = palette.colours([*(one.name for one in groups), *_models(history)])
    stack = Stack(history.levels, history.head["limits"], plane, top=0.0)
    legend = Legend(stack.names[::-1], colours, left=_LEFT, right=WIDTH - _RIGHT)
    top = _LEGEND_TOP + legend.height + 22
    stack = Stack(history.levels, history.head["limits"], plane, top=top)
    rows = Rows(groups, history.marks, plane, clock, top=top + HEIGHT + 42)
    bottom = rows.bottom + 22
    parts = [
        element("rect", class_="ground", width="100%", height="100%"),
        *_heading(history, plane, clock),
        *legend.drawn(_LEGEND_TOP),
        *_pauses(history, plane, top, rows.bottom),
        *_times(plane, clock, top, stack.bottom, rows.bottom),
        *stack.drawn(colours),
        *rows.drawn(colours),
        *_whole_card(history, plane, clock, top, rows.bottom),
    ]
    return element(
        "svg", palette.definitions(), *parts, xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {number(WIDTH)} {number(bottom)}", width=WIDTH, height=bottom,
    ) + "\n"  # fmt: skip


def _models(history: History) -> Iterator[str]:
    yield from (one.name for one in history.weights)


def _heading(history: History, plane: Plane, clock: Clock) -> Iterator[str]:
    card = history.head.get("card")
    name = f"The card {card}" if card else "A card"
    yield element("text", text(name), class_="ink head", x=_LEFT, y=28)
    limits = history.head["limits"]
    broken = sum(one.kind == "broken" for one in history.marks)
    told = [
        f"{clock.date(plane.begins)} {clock.exact(plane.begins)} to {clock.exact(plane.ends)}",
        f"life {history.head['epoch']} of its arbiter" if "epoch" in history.head else "",
        f"{gib(limits['capacity_bytes'])}",
        "every rule was kept" if not broken else f"rules broken {broken} times",
    ]
    words = ", ".join(one.strip() for one in told if one)
    yield element("text", text(words), class_="alarmed" if broken else "faint", x=_LEFT, y=47)


def _pauses(history: History, plane: Plane, top: float, bottom: float) -> Iterator[str]:
    for pause in history.pauses:
        ends = plane.ends if pause.ends is None else pause.ends
        if ends >= plane.begins and pause.begins <= plane.ends:
            x, right = plane.x(pause.begins), plane.x(ends)
            yield element(
                "rect", class_="pause", x=x, y=top, width=max(1.0, right - x), height=bottom - top,
                title="paused by the owner",
            )  # fmt: skip
            if right - x >= _PAUSED:
                yield element(
                    "text", "paused by the owner", class_="faint", x=(x + right) / 2, y=top + 34,
                    text_anchor="middle",
                )  # fmt: skip


def _times(plane: Plane, clock: Clock, top: float, chart: float, bottom: float) -> Iterator[str]:
    for tick in time_ticks(plane.begins, plane.ends, clock=clock):
        x = number(plane.x(tick.at))
        yield element("path", class_="grid", d=f"M{x} {number(top)}V{number(bottom)}")
        for y in (chart + 16, bottom + 14):
            yield element("text", tick.text, class_="faint", x=x, y=y, text_anchor="middle")


def _whole_card(
    history: History, plane: Plane, clock: Clock, top: float, bottom: float
) -> Iterator[str]:
    """Draw what concerns all of the card: restarts, broken rules."""
    for mark in history.marks:
        if not mark.group and plane.shows(mark.t):
            x = number(plane.x(mark.t))
            yield element(
                "path", class_="alarm", d=f"M{x} {number(top)}V{number(bottom)}",
                stroke_dasharray="3 3" if mark.kind == "restart" else None,
                title=f"{clock.exact(mark.t)}: {mark.text}",
            )  # fmt: skip
