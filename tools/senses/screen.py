"""The elements of a screen, from the regions of its picture and the lines of text in it.

Windows hold panels, buttons, fields, texts and icons, as boxes hold each other. What an element is,
is told from its size, from what is in it and from where that stands. Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from memory.places import Box
from tools.senses.base import Region, TextLine
from tools.senses.rectangles import area, common, overlap, same


class Kind(StrEnum):
    """What an element of a screen is."""

    WINDOW = "window"
    PANEL = "panel"
    BUTTON = "button"
    FIELD = "field"
    TEXT = "text"
    ICON = "icon"


@dataclass(frozen=True, kw_only=True, slots=True)
class Element:
    """A part of a screen, with the parts within it."""

    kind: Kind
    box: Box
    text: str
    """The title of a window, what is written on a button or into a field; else may be empty."""
    score: float
    """How sure its outline or its text is, from 0 to 1."""
    children: tuple["Element", ...] = ()
    """In reading order."""


_HELD = 0.8
"""Of what stands in a box, at least so much of its area lies there."""

_MOST_ICON = 56
_BAR = 64
"""Pixels below the upper edge of a window, within which its title stands."""

_LEAST_WINDOW = (160.0, 80.0)
_TALL = 4.5
"""A button or a field is at most so many times as high as what is written in it."""

_LEAST_FIELD_ASPECT = 2.5
_MOST_FIELD = 64
_SOLID = 0.6
"""A region that fills less of its box than this is no rectangle."""


@dataclass(slots=True)
class _Node:
    """A region with what it holds."""

    region: Region
    nodes: list["_Node"] = field(default_factory=list)
    lines: list[TextLine] = field(default_factory=list)

    @property
    def box(self) -> Box:
        return self.region.box

    @property
    def wide(self) -> float:
        return self.box.right - self.box.left

    @property
    def high(self) -> float:
        return self.box.bottom - self.box.top


def elements(
    regions: Sequence[Region], lines: Sequence[TextLine], width: int, height: int
) -> tuple[Element, ...]:
    """Return the outermost elements of a screen of so many pixels, in reading order.

    Of regions that are nearly the same the first one counts.
    """
    screen = Box(left=0, top=0, right=width, bottom=height)
    root = _Node(Region(box=screen, pixels=width * height, score=1.0, mask=_no_mask()))
    nodes = [_Node(region) for region in _useful(regions, lines, screen)]
    nodes.sort(key=lambda node: -area(node.box))
    for number, node in enumerate(nodes):
        _holder(node.box, nodes[:number], root).nodes.append(node)
    for line in lines:
        if not (is_drawing(line) and any(_is_it(node.box, line.box) for node in nodes)):
            _holder(line.box, nodes, root).lines.append(line)
    return _in_order(_contents(root, outermost=True))


def flattened(found: Sequence[Element]) -> Iterator[Element]:
    """Yield elements, each before those within it."""
    for one in found:
        yield one
        yield from flattened(one.children)


def to_json(element: Element) -> dict[str, Any]:
    """Return an element and those within it as JSON."""
    box = element.box
    return {
        "kind": element.kind.value,
        "box": {"left": box.left, "top": box.top, "right": box.right, "bottom": box.bottom},
        "text": element.text,
        "score": element.score,
        "children": [to_json(child) for child in element.children],
    }


def _no_mask() -> Any:
    import numpy as np

    return np.ones((1, 1), np.bool_)


def _useful(regions: Sequence[Region], lines: Sequence[TextLine], screen: Box) -> Iterator[Region]:
    """Yield regions without repetitions, without the screen itself and without mere text."""
    kept: list[Box] = []
    for region in regions:
        box = region.box
        small = max(box.right - box.left, box.bottom - box.top) <= _MOST_ICON
        solid = region.pixels >= _SOLID * area(box)
        if not area(box) or same(box, screen) or not (small or solid):
            continue
        if any(same(box, other) for other in kept) or _is_text(box, lines):
            continue
        kept.append(box)
        yield region


def _is_it(box: Box, drawing: Box) -> bool:
    """Return whether a region is the drawing that was read as a letter, and not its frame."""
    return common(box, drawing) >= 0.6 * area(drawing) and area(box) <= 2 * area(drawing)


def _is_text(box: Box, lines: Sequence[TextLine]) -> bool:
    """Return whether a region is a line of text, or a part of one."""
    return any(
        overlap(box, line.box) > 0.8
        or (
            common(box, line.box) > 0.9 * area(box)
            and box.bottom - box.top < 1.1 * (line.box.bottom - line.box.top)
            and area(box) < 0.5 * area(line.box)
        )
        for line in lines
        if not is_drawing(line)
    )


def _holder(box: Box, nodes: Sequence[_Node], root: _Node) -> _Node:
    """Return the smallest node that a box stands in. Nodes are sorted, the largest first."""
    for node in reversed(nodes):
        if area(node.box) > area(box) and common(box, node.box) >= _HELD * area(box):
            return node
    return root


def _contents(node: _Node, *, outermost: bool = False) -> list[Element]:
    """Return the elements within a node."""
    found = []
    for child in node.nodes:
        found += _element(child, outermost=outermost)
    return [*found, *map(_text, node.lines)]


def _text(line: TextLine) -> Element:
    """Return a line as an element; a letter alone that is as wide as high is a drawing."""
    if is_drawing(line):
        return Element(kind=Kind.ICON, box=line.box, text="", score=line.score)
    return Element(kind=Kind.TEXT, box=line.box, text=line.text, score=line.score)


def is_drawing(line: TextLine) -> bool:
    """Return whether a line is but one letter, as wide as high: an icon mostly."""
    box = line.box
    return len(line.text) == 1 and box.right - box.left >= 0.8 * (box.bottom - box.top)


def _element(node: _Node, *, outermost: bool) -> list[Element]:
    """Return a node as an element; where it is none of its own, what is in it."""
    if _is_window(node, outermost=outermost):
        return [_window(node)]
    kind = _kind(node)
    if kind is Kind.PANEL:
        return [_made(node, kind, "", _contents(node))]
    text = " ".join(line.text for line in sorted(node.lines, key=lambda line: line.box.left))
    icons = [] if kind is Kind.ICON else _contents(_Node(node.region, nodes=node.nodes))
    return [_made(node, kind, text, icons)]


def _made(node: _Node, kind: Kind, text: str, children: list[Element]) -> Element:
    return Element(
        kind=kind,
        box=node.box,
        text=text,
        score=node.region.score,
        children=_in_order(children),
    )


def _kind(node: _Node) -> Kind:
    """Return what a region is that is no window."""
    if _is_small(node) and not any(_is_label(line, node) for line in node.lines):
        return Kind.ICON
    icons = [one for one in node.nodes if max(one.wide, one.high) <= _MOST_ICON]
    lines = [line for line in node.lines if not is_drawing(line)]
    drawings = len(icons) + len(node.lines) - len(lines)
    if len(icons) < len(node.nodes) or _rows(lines) > 1 or drawings > 1:
        return Kind.PANEL
    if not lines and len(node.lines) == 1:
        lines = node.lines  # the key of a calculator
    if not lines:
        return _unlettered(node)
    line = max(lines, key=lambda line: area(line.box))
    if node.high > _TALL * (line.box.bottom - line.box.top):
        return Kind.PANEL
    left, right = _margins(node, lines)
    if drawings and right > left:
        return Kind.FIELD
    return Kind.FIELD if right - left > max(0.12 * node.wide, 6) else Kind.BUTTON


def _is_label(line: TextLine, node: _Node) -> bool:
    """Return whether a line is written on a region, and not what the region is a drawing of."""
    return not is_drawing(line) or area(line.box) < 0.3 * area(node.box)


def _is_small(node: _Node) -> bool:
    """Return whether a region is as small as icons are, and no empty field."""
    return max(node.wide, node.high) <= _MOST_ICON and node.wide < _LEAST_FIELD_ASPECT * node.high


def _unlettered(node: _Node) -> Kind:
    """Return what a region without text is that is no icon."""
    is_field = node.wide >= _LEAST_FIELD_ASPECT * node.high and 14 <= node.high <= _MOST_FIELD
    return Kind.FIELD if is_field else Kind.PANEL


def _margins(node: _Node, lines: Sequence[TextLine]) -> tuple[float, float]:
    """Return the room to the left and to the right of what is written in a node."""
    left = min(line.box.left for line in lines)
    right = max(line.box.right for line in lines)
    return left - node.box.left, node.box.right - right


def _rows(lines: Sequence[TextLine]) -> int:
    """Return how many rows some lines stand in."""
    rows = 0
    bottom = float("-inf")
    for line in sorted(lines, key=lambda line: line.box.top):
        if line.box.top + line.box.bottom > 2 * bottom:
            rows += 1
            bottom = line.box.bottom
    return rows


def _is_window(node: _Node, *, outermost: bool) -> bool:
    """Return whether a region has a title at its top, and holds more than that."""
    if node.wide < _LEAST_WINDOW[0] or node.high < _LEAST_WINDOW[1]:
        return False
    title = _title(node)
    if title is None:
        return outermost and len(node.nodes) + len(node.lines) > 2
    return outermost or _bar(node) is not None or bool(_corner_icons(node))


def _bar(node: _Node) -> _Node | None:
    """Return the title bar of a window, where it has a ground of its own."""
    for child in node.nodes:
        box = child.box
        if (
            child.high <= _BAR
            and child.high < 0.5 * node.high
            and box.top - node.box.top <= 5
            and child.wide >= node.wide - 12
        ):
            return child
    return None


def _corner_icons(node: _Node) -> list[_Node]:
    """Return icons near the upper corners of a window."""
    holder = _bar(node) or node
    near = max(0.25 * node.wide, 110)
    return [
        child
        for child in holder.nodes
        if max(child.wide, child.high) <= _MOST_ICON
        and child.box.bottom - node.box.top <= _BAR
        and (child.box.left - node.box.left < near or node.box.right - child.box.right < near)
    ]


def _title(node: _Node) -> TextLine | None:
    holder = _bar(node) or node
    top = [
        line
        for line in holder.lines
        if line.box.bottom - node.box.top <= _BAR and len(line.text) > 1
    ]
    return min(top, key=lambda line: (line.box.top + line.box.bottom, line.box.left), default=None)


def _window(node: _Node) -> Element:
    """Return a window; its bar and its ground are no elements of their own."""
    title, bar = _title(node), _bar(node)
    children: list[Element] = []
    for child in node.nodes:
        if child is bar or _is_ground(child, node):
            children += _contents(child)
        else:
            children += _element(child, outermost=False)
    children += map(_text, node.lines)
    if title is not None:
        children = [one for one in children if one.box != title.box or one.kind is not Kind.TEXT]
    return _made(node, Kind.WINDOW, "" if title is None else title.text, children)


def _is_ground(child: _Node, node: _Node) -> bool:
    """Return whether a region is the ground of a window below its bar."""
    return (
        child.wide >= node.wide - 16
        and node.box.bottom - child.box.bottom <= 16
        and child.high >= 0.5 * node.high
    )


def _in_order(found: Sequence[Element]) -> tuple[Element, ...]:
    """Return elements by rows from the top, each row from the left."""
    rows: list[list[Element]] = []
    for one in sorted(found, key=lambda one: one.box.top + one.box.bottom):
        if rows and _level(rows[-1][-1], one):
            rows[-1].append(one)
        else:
            rows.append([one])
    return tuple(one for row in rows for one in sorted(row, key=lambda one: one.box.left))


def _level(one: Element, other: Element) -> bool:
    shared = min(one.box.bottom, other.box.bottom) - max(one.box.top, other.box.top)
    return shared > 0.5 * min(one.box.bottom - one.box.top, other.box.bottom - other.box.top)
