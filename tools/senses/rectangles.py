"""What a screen is made of, told by its even areas: rectangles, and small marks that are no text.

Needs no model: a window, a button, a field has an even ground or an even border. What has neither
(a photograph, a drawing) a model of segments adds.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from memory.places import Box
from tools.senses import flats
from tools.senses.base import Region
from tools.senses.boxes import NEAR, Rows, apart, area, areas, common_with, rows, same
from tools.senses.flats import Flat

_ALIKE = 0.9
"""Of two boxes that overlap more the smaller one is the ground within the other."""

_LEAST_RECTANGLE = 9
_SMALL = 64
_LEAST_MARK = 6
_MOST_MARK = 48
_SURROUNDED = 0.85
"""How much of what is around a mark is ground."""

_CONTRAST = 40
"""Levels by which a mark differs from its ground; what compression leaves differs less."""

_FAINT = 24
"""Levels up to which what differs from its ground is a trace of compression or a gradient."""

_LEAST_GROUND = 900

_MARK_GAP = 3
"""Pixels between the parts of one mark, at most."""

_LEAST_BAR, _MOST_BAR = 16, 72
"""Height of a title bar."""

_LEAST_WINDOW = 120

_CORNER = 10.0
"""Pixels that a corner may be round."""

_WHOLE = np.ones((1, 1), dtype=np.bool_)
"""The mask of what fills its box."""


def regions(image: NDArray[np.uint8], texts: Sequence[Box]) -> tuple[Region, ...]:
    """Return rectangles and marks in an image of shape (height, width, 3), the largest first.

    `texts` are where lines of text stand: their letters are no marks.
    """
    height, width = image.shape[:2]
    small, scale = flats.shrunk(image)
    found = flats.runs(small, scale)
    even = flats.flats(found)
    screen = Box(left=0, top=0, right=width, bottom=height)
    letters = rows(texts)
    shapes = [one for one in even if _is_rectangle(one) and not _is_of_text(one.box, letters)]
    inner = [one for one in shapes if not same(one.box, screen)]
    plates = [one.box for one in inner] + list(_framed(*flats.lines(found, even)))
    boxes = apart([*_windows(plates), *plates], _ALIKE)
    sure = {one.box: min(one.sides) for one in inner}
    marks = _marks(small, found, [one for one in even if not same(one.box, screen)], texts)
    fresh = [box for box in marks if not _is_held(box, rows(boxes))]
    told = [
        *(_region(box, round(sure.get(box, 1.0), 3)) for box in boxes),
        *(_region(box, 0.5) for box in fresh),
    ]
    return tuple(sorted(told, key=lambda one: -area(one.box)))


def _region(box: Box, score: float) -> Region:
    return Region(box=box, pixels=round(area(box)), score=score, mask=_WHOLE)


def _is_rectangle(one: Flat) -> bool:
    """Return whether an area reaches all sides of its box; of a covered window it may lack some."""
    wide, high = one.box.right - one.box.left, one.box.bottom - one.box.top
    if min(wide, high) < _LEAST_RECTANGLE:
        return False
    if max(wide, high) <= _SMALL or min(wide, high) <= _SMALL // 2:
        return min(one.sides) >= 0.7
    if sum(one.sides) >= 3.0 and min(one.sides) >= 0.25:
        return True
    if min(wide, high) < _LEAST_WINDOW:
        return False
    # What is before it covers a corner, or what is in it a whole side.
    left, top, right, bottom = one.sides
    covered = min(max(left, right), max(top, bottom)) >= 0.95 and min(one.sides) >= 0.15
    return covered or sorted(one.sides)[1] >= 0.95


def _is_of_text(box: Box, texts: Rows) -> bool:
    """Return whether an area is a part of a letter, or the ground that letters close in."""
    high = texts[:, 3] - texts[:, 1]
    return bool(
        (
            (common_with(texts, box) >= 0.8 * area(box))
            & (box.bottom - box.top <= 1.1 * high)
            & (box.right - box.left <= 2.5 * high)
        ).any()
    )


def _framed(level: Sequence[Box], upright: Sequence[Box]) -> Iterator[Box]:
    """Yield what lines go around; at round corners they do not meet.

    One side and two upright ones beside it are enough: something may stand before the rest.
    """
    for line in level:
        if line.right - line.left < _LEAST_WINDOW:
            continue
        for rises in (True, False):
            left = _met(upright, line.left, line, rises=rises)
            right = _met(upright, line.right, line, rises=rises)
            if left is not None and right is not None:
                yield line.union(left).union(right)


def _met(upright: Sequence[Box], x: float, line: Box, *, rises: bool) -> Box | None:
    """Return the longest upright line at an end of a level one, above it or below."""
    meeting = [
        box
        for box in upright
        if min(abs(box.left - x), abs(box.right - x)) <= _CORNER
        and (abs(box.bottom - line.bottom) if rises else abs(box.top - line.top)) <= _CORNER
    ]
    return max(meeting, key=lambda box: box.bottom - box.top, default=None)


def _windows(boxes: Sequence[Box]) -> Iterator[Box]:
    """Yield windows that have no border: bars with what stands right below them, as wide."""
    for bar in boxes:
        high, wide = bar.bottom - bar.top, bar.right - bar.left
        if not _LEAST_BAR <= high <= _MOST_BAR or wide < _LEAST_WINDOW:
            continue
        if any(_is_below(bar, other) and _as_wide(bar, other) for other in boxes):
            continue
        whole = bar
        while (taller := _taller(whole, boxes)) is not None:
            whole = taller
        if whole.bottom - whole.top > 2 * high:
            yield whole


def _taller(whole: Box, boxes: Sequence[Box]) -> Box | None:
    """Return a box with what is right below it, where that is as wide together."""
    below = [
        box
        for box in boxes
        if _is_below(box, whole)
        and box.left >= whole.left - NEAR
        and box.right <= whole.right + NEAR
    ]
    if sum(box.right - box.left for box in apart(below, _ALIKE)) < 0.9 * (whole.right - whole.left):
        return None
    return whole.union(max(below, key=lambda box: box.bottom))


def _is_below(box: Box, other: Box) -> bool:
    return abs(box.top - other.bottom) <= NEAR and box.bottom > other.bottom + NEAR


def _as_wide(one: Box, other: Box) -> bool:
    return abs(one.left - other.left) <= NEAR and abs(one.right - other.right) <= NEAR


def _marks(
    small: NDArray[np.uint8], found: flats.Runs, even: Sequence[Flat], texts: Sequence[Box]
) -> list[Box]:
    """Return the boxes of small things on an even ground that are no text."""
    scale = found.scale
    grounds = [one for one in even if _is_ground(one)]
    ground = flats.drawn(found, {one.area for one in grounds})
    ink = np.zeros(found.size, np.bool_)
    for one in grounds:
        part = _slices(one.box, scale)
        tone = flats.tone(found, small, one.area)
        ink[part] = np.abs(small[part] - tone).max(axis=2) > _FAINT
        ground[part] |= ~ink[part]
    ink &= ~ground
    for text in texts:
        ink[_slices(text, scale, margin=2)] = False
    stains = (_standing_out(stain, small, ground) for stain in _stains(ink))
    boxes = (stain.scaled(scale) for stain in stains if stain is not None)
    return [box for box in boxes if _is_mark(box)]


def _standing_out(stain: Box, small: NDArray[np.uint8], ground: NDArray[np.bool_]) -> Box | None:
    """Return the box of what differs from the ground of a stain; None if that is not all around."""
    left, top = max(0, int(stain.left) - 2), max(0, int(stain.top) - 2)
    right, bottom = int(stain.right) + 2, int(stain.bottom) + 2
    around = ground[top:bottom, left:right]
    edge = np.ones(around.shape, np.bool_)
    edge[2:-2, 2:-2] = False
    if around[edge].mean() < _SURROUNDED:
        return None
    part = small[top:bottom, left:right].astype(np.int16)
    tone = np.median(part[edge & around], axis=0)
    strong = (np.abs(part - tone).max(axis=2) > _CONTRAST) & ~around
    return _bounds(strong, left, top)


def _bounds(mask: NDArray[np.bool_], left: int, top: int) -> Box | None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return Box(
        left=left + int(columns[0]),
        top=top + int(rows[0]),
        right=left + int(columns[-1]) + 1,
        bottom=top + int(rows[-1]) + 1,
    )


def _is_mark(box: Box) -> bool:
    wide, high = box.right - box.left, box.bottom - box.top
    return _LEAST_MARK <= max(wide, high) <= _MOST_MARK and max(wide, high) <= 4 * min(wide, high)


def _stains(ink: NDArray[np.bool_]) -> Iterator[Box]:
    """Yield the boxes of what belongs together in a mask, across gaps of a few pixels."""
    closed = _closed(ink)
    found = flats.runs(np.repeat(closed[:, :, None], 3, axis=2).astype(np.uint8) * 255)
    inked = set(found.area[closed[found.row, found.start]].tolist())
    for one in flats.flats(found):
        if one.area in inked:
            left, top = int(one.box.left), int(one.box.top)
            box = _bounds(ink[top : int(one.box.bottom), left : int(one.box.right)], left, top)
            if box is not None:
                yield box


def _is_ground(one: Flat) -> bool:
    """Return whether an area is large and whole enough for marks to stand on it."""
    box = one.box
    narrow = min(box.right - box.left, box.bottom - box.top)
    return narrow >= 20 and area(box) > _LEAST_GROUND and one.pixels >= 0.35 * area(box)


def _slices(box: Box, scale: int, margin: int = 0) -> tuple[slice, slice]:
    """Return rows and columns of a box in the shrunk picture."""
    return (
        slice(max(0, int(box.top / scale) - margin), int(-(-box.bottom // scale)) + margin),
        slice(max(0, int(box.left / scale) - margin), int(-(-box.right // scale)) + margin),
    )


def _closed(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return ink with gaps of a few pixels closed."""
    wide = ink.copy()
    for shift in range(1, _MARK_GAP + 1):
        wide[:, shift:] |= ink[:, :-shift]
    high = wide.copy()
    for shift in range(1, _MARK_GAP + 1):
        high[shift:] |= wide[:-shift]
    return high


def _is_held(mark: Box, boxes: Rows) -> bool:
    """Return whether a mark is a rectangle itself, or stands in one that is hardly larger."""
    both, sizes = common_with(boxes, mark), areas(boxes)
    itself = both > 0.5 * (sizes + area(mark) - both)
    within = (both > 0.8 * area(mark)) & (sizes <= _MOST_MARK**2 / 2)
    return bool((itself | within).any())
