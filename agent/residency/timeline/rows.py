"""The lower part of a timeline: for each model its weights, and who waited for it or used it."""

from collections.abc import Iterator, Mapping, Sequence

from agent.models.sizes import gib
from agent.residency.timeline.axes import Clock
from agent.residency.timeline.history import TURNS, Mark, Span, Weights
from agent.residency.timeline.lanes import Group
from agent.residency.timeline.plane import Plane
from agent.residency.timeline.svg import element, number, text

MOST_LANES = 16
_WEIGHTS, _LANE, _GAP, _BETWEEN = 9.0, 11.0, 3.0, 11.0
_LABEL = 26
_APART = 6.0
"""Marks of a row that would stand closer than this are one."""
_BEGIN = 3.0
"""A wait that is narrower shows no begin."""


class Rows:
    """Groups below each other."""

    def __init__(
        self,
        groups: Sequence[Group],
        marks: Sequence[Mark],
        plane: Plane,
        clock: Clock,
        *,
        top: float,
    ) -> None:
        self._groups = groups
        self._marks = marks
        self._plane = plane
        self._clock = clock
        self._top = top
        self.bottom = top + sum(_height(group) + _BETWEEN for group in groups)

    def drawn(self, colours: Mapping[str, str]) -> Iterator[str]:
        """Return all rows with their names."""
        y = self._top
        for group in self._groups:
            yield from self._group(group, y, colours[group.name])
            y += _height(group) + _BETWEEN

    def _group(self, group: Group, y: float, colour: str) -> Iterator[str]:
        left = self._plane.left
        name = group.name if len(group.name) <= _LABEL else f"{group.name[: _LABEL - 1]}…"
        yield element(
            "text", text(name), class_="ink name", x=left - 20, y=y + _WEIGHTS, text_anchor="end",
            title=group.name,
        )  # fmt: skip
        yield element("rect", x=left - 14, y=y + 1, width=8, height=8, rx=2, fill=colour)
        yield element("path", class_="grid", d=f"M{left} {number(y - 5)}H{self._plane.right}")
        if group.weights:
            yield from self._weights_row(group, y, colour)
            y += _WEIGHTS + _GAP
        for lane in group.lanes[:MOST_LANES]:
            for span in lane:
                yield from self._span(span, y, colour)
            y += _LANE + _GAP
        more = sum(len(lane) for lane in group.lanes[MOST_LANES:])
        if more:
            yield element(
                "text", f"and {more} more at the same time", class_="faint", x=left, y=y + 9
            )

    def _weights_row(self, group: Group, y: float, colour: str) -> Iterator[str]:
        for one in group.weights:
            yield self._weights(one, y, colour)
        apart = _Apart(self._plane)
        for one in group.weights:
            if one.phase != "there" and apart.stands(one.phase, one.begins):
                yield self._arrow(one, y)
        for mark in self._marks:
            if mark.group == group.name and apart.stands(mark.kind, mark.t):
                yield self._mark(mark, y)

    def _weights(self, one: Weights, y: float, colour: str) -> str:
        ends = self._plane.ends if one.ends is None else one.ends
        x, right = self._plane.x(one.begins), self._plane.x(ends)
        opacity = {"coming": 0.35, "there": 0.85, "going": 0.35}[one.phase]
        return element(
            "rect", x=x, y=y + 3, width=max(right - x, 0.6), height=_WEIGHTS - 5, fill=colour,
            opacity=opacity, title=self._told(one),
        )  # fmt: skip

    def _told(self, one: Weights) -> str:
        ends = self._plane.ends if one.ends is None else one.ends
        because = f" ({one.reason})" if one.reason else ""
        doing = {"coming": "loading", "there": "on the card", "going": f"leaving{because}"}
        return (
            f"{one.name}, {gib(one.size)}: {doing[one.phase]} from "
            f"{self._clock.exact(one.begins)}, {ends - one.begins:.3f} s"
        )

    def _arrow(self, one: Weights, y: float) -> str:
        tip, base = (y - 2, y + 5) if one.phase == "coming" else (y + 10, y + 3)
        d = f"M{number(self._plane.x(one.begins))} {number(tip)}l3.5 {number(base - tip)}h-7z"
        return element("path", class_="ink", d=d, title=self._told(one))

    def _mark(self, mark: Mark, y: float) -> str:
        x, title = self._plane.x(mark.t), f"{self._clock.exact(mark.t)}: {mark.text}"
        if mark.kind == "hint":
            d = f"M{number(x)} {number(y)}l4 5-4 5-4-5z"
            return element("path", class_="rule", fill="none", d=d, title=title)
        d = f"M{number(x)} {number(y - 1)}l5 10h-10z"
        return element("path", class_="alarmed", d=d, title=title)

    def _span(self, span: Span, y: float, colour: str) -> Iterator[str]:
        plane = self._plane
        works, ends = span.works, plane.ends if span.ends is None else span.ends
        title = self._story(span)
        waited = ends if works is None else works
        x, until = plane.x(span.begins), plane.x(waited)
        if until - x >= 0.5:
            yield element(
                "rect", x=x, y=y + 4, width=until - x, height=3, fill=colour, opacity=0.55,
                title=title,
            )  # fmt: skip
            if until - x >= _BEGIN:
                yield element("path", class_="rule", d=f"M{number(x)} {number(y + 2)}v7")
        if works is not None and ends >= plane.begins:
            yield self._work(span, plane.x(works), plane.x(ends), y, colour, title)
        if span.outcome.startswith(("refused", "revoked")) and plane.shows(ends):
            d = f"M{number(plane.x(ends) - 3)} {number(y + 2)}l6 7m0-7-6 7"
            yield element("path", class_="alarm", d=d, title=title)

    def _work(self, span: Span, x: float, right: float, y: float, colour: str, title: str) -> str:
        width = max(right - x, 1.2)
        on_cpu = span.place == "cpu"
        return element(
            "rect", x=x, y=y + 0.5, width=width, height=_LANE - 1, rx=min(2.0, width / 2),
            fill="none" if on_cpu else colour, stroke=colour if on_cpu else None,
            opacity=None if span.person else 0.5, title=title,
        )  # fmt: skip

    def _story(self, span: Span) -> str:
        what = "turn" if span.group == TURNS else "operation"
        who = "a person" if span.person else "a job"
        told = [f"{what} {span.name} of {span.holder}, for {who}"]
        answered = span.works if span.works is not None else span.ends
        since = self._clock.exact(span.begins)
        if answered is None:
            told.append(f"waits since {since}")
        else:
            told.append(f"asked at {since}, waited {answered - span.begins:.3f} s")
        if span.works is not None:
            where = "on the CPU" if span.place == "cpu" else "on the card"
            took = "goes on" if span.ends is None else f"{span.ends - span.works:.3f} s"
            told.append(f"{span.group} {where}: {took}")
        told += [one for one in (span.note, span.outcome) if one]
        return "\n".join(told)


class _Apart:
    """Leaves out marks of a kind that cannot be told from the one before."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._last: dict[str, float] = {}

    def stands(self, kind: str, t: float) -> bool:
        x = self._plane.x(t)
        if not self._plane.shows(t) or x - self._last.get(kind, float("-inf")) < _APART:
            return False
        self._last[kind] = x
        return True


def _height(group: Group) -> float:
    lanes = min(len(group.lanes), MOST_LANES) + (len(group.lanes) > MOST_LANES)
    return (_WEIGHTS + _GAP) * bool(group.weights) + lanes * (_LANE + _GAP)
