"""The upper part of a timeline: bytes on the card, layer upon layer."""

from collections.abc import Iterator, Mapping, Sequence

from agent.models.sizes import gib
from agent.residency.books import JsonObject
from agent.residency.timeline.axes import bytes_ticks
from agent.residency.timeline.history import CONTEXT, FOREIGN, UNCONFIRMED, WORKING, Level
from agent.residency.timeline.plane import Plane
from agent.residency.timeline.svg import element, number, text

HEIGHT = 280.0
_HEADROOM = 1.04


class Stack:
    """Layers from the bottom up, drawn as areas."""

    def __init__(
        self, levels: Sequence[Level], limits: JsonObject, plane: Plane, *, top: float
    ) -> None:
        self._plane = plane
        windowed = _windowed(levels, plane)
        self._levels = _thinned(windowed, plane)
        self._capacity: int = limits["capacity_bytes"]
        self._safety: int = limits["safety_bytes"]
        self.bottom = top + HEIGHT
        """Where 0 bytes are."""
        self._most = {
            name: max(one.layers.get(name, 0) for one in windowed)
            for name in dict.fromkeys(name for one in windowed for name in one.layers)
        }
        present = {name for name, most in self._most.items() if most}
        below, above = (FOREIGN, CONTEXT), (WORKING, UNCONFIRMED)
        self.names = [
            *(one for one in below if one in present),
            *(one for one in self._most if one not in (*below, *above) and one in present),
            *(one for one in above if one in present),
        ]
        """Of the layers, the lowest first."""

    def drawn(self, colours: Mapping[str, str]) -> Iterator[str]:
        """Return the areas, the axis, the card's end and what was measured."""
        for tick in bytes_ticks(self._capacity):
            y = number(self._y(tick.at))
            yield element("path", class_="grid", d=f"M{self._plane.left} {y}H{self._plane.right}")
            yield element(
                "text", tick.text, class_="faint", x=self._plane.left - 8, y=y, dy="4",
                text_anchor="end",
            )  # fmt: skip
        yield element(
            "text", "GiB", class_="faint", x=self._plane.left - 8, y=self._y(self._capacity) - 10,
            text_anchor="end",
        )  # fmt: skip
        # The highest first: each area reaches down to 0, and those below it cover the rest.
        for at in reversed(range(len(self.names))):
            yield self._area(at, colours)
        yield from self._limits()
        yield self._used()

    def _area(self, at: int, colours: Mapping[str, str]) -> str:
        name, below = self.names[at], self.names[: at + 1]
        heights = [sum(one.layers.get(layer, 0) for layer in below) for one in self._levels]
        path = self._steps(heights)
        edge = f"V{number(self.bottom)}H{number(self._plane.x(self._levels[0].t))}Z"
        return element(
            "path",
            fill=colours[name],
            d=path + edge,
            title=f"{name}: up to {gib(self._most[name])}",
        )

    def _steps(self, heights: Sequence[int]) -> str:
        """Return a line that keeps each height until the next moment."""
        path, last = "", ""
        for level, height in zip(self._levels, heights, strict=True):
            x, y = number(self._plane.x(level.t)), number(self._y(height))
            if not path:
                path = f"M{x} {y}"
            elif y != last:
                path += f"H{x}V{y}"
            last = y
        return f"{path}H{number(self._plane.right)}"

    def _limits(self) -> Iterator[str]:
        plane = self._plane
        end, granted = self._y(self._capacity), self._y(self._capacity - self._safety)
        words = f"{gib(self._safety)} that are never granted"
        yield element(
            "rect", x=plane.left, y=end, width=plane.width, height=granted - end,
            fill="url(#never)", title=words,
        )  # fmt: skip
        yield element(
            "path", class_="alarm", d=f"M{plane.left} {number(granted)}H{plane.right}",
            stroke_dasharray="5 3", title=words,
        )  # fmt: skip
        yield element("path", class_="rule", d=f"M{plane.left} {number(end)}H{plane.right}")
        yield element(
            "text", text(f"the card: {gib(self._capacity)}, of which {words}"), class_="faint",
            x=plane.right, y=end - 6, text_anchor="end",
        )  # fmt: skip

    def _used(self) -> str:
        measured = [one for one in self._levels if one.used is not None]
        if not measured:
            return ""
        heights = [one.used or 0 for one in self._levels]
        first = self._levels.index(measured[0])
        whole, self._levels = self._levels, self._levels[first:]
        path = self._steps(heights[first:])
        self._levels = whole
        return element("path", class_="used", d=path, title="as the card's driver measured it")

    def _y(self, size: float) -> float:
        return self.bottom - HEIGHT * size / (self._capacity * _HEADROOM)


def _windowed(levels: Sequence[Level], plane: Plane) -> list[Level]:
    """Return what the card held at the begin of the window, and what changed in it."""
    before = [one for one in levels if one.t <= plane.begins][-1:]
    return [*before, *(one for one in levels if plane.begins < one.t <= plane.ends)] or [levels[0]]


def _thinned(levels: Sequence[Level], plane: Plane) -> list[Level]:
    """Return for each column the fullest moment and the last: no peak is left out."""
    columns: dict[int, tuple[Level, Level]] = {}
    for one in levels:
        column = int(plane.x(one.t))
        fullest = columns[column][0] if column in columns else one
        columns[column] = (max(fullest, one, key=lambda each: sum(each.layers.values())), one)
    return [
        one
        for fullest, last in columns.values()
        for one in ([last] if fullest is last else [fullest, last])
    ]
