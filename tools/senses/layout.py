"""The order in which lines on a page are read, from where they stand."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

Point = tuple[float, float]
Corners = tuple[Point, Point, Point, Point]
"""Upper left, upper right, lower right, lower left corner of a line as it is read."""

_ASPECT = 4
"""A box this much longer than high tells how much the page is slanted."""

_COLUMN_ASPECT = 6
"""Lines of prose are this much longer than high; cells of a table mostly are not."""

_COLUMN_FILL = 0.5
"""Lines of prose are this long, as a share of their column."""

_COLUMN_LINES = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class _Strip:
    """A line on the page set straight."""

    index: int
    left: float
    right: float
    top: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


def order(lines: Sequence[Corners]) -> list[int]:
    """Return the indices of lines in reading order.

    Rows go from the top, each from the left; columns of prose one after the other.
    """
    slant = _slant(lines)
    strips = [_straight(index, corners, slant) for index, corners in enumerate(lines)]
    return [strip.index for strip in _read(strips)]


def _slant(lines: Sequence[Corners]) -> float:
    """Return the angle that most long lines run at, in radians; pi for a page upside down."""
    runs = []
    for (x0, y0), (x1, y1), _, (x3, y3) in lines:
        length, height = math.hypot(x1 - x0, y1 - y0), math.hypot(x3 - x0, y3 - y0)
        if length > _ASPECT * height:
            runs.append(((x1 - x0) / length, (y1 - y0) / length))
    if not runs:
        return 0.0
    return math.atan2(median(y for _, y in runs), median(x for x, _ in runs))


def _straight(index: int, corners: Corners, slant: float) -> _Strip:
    cosine, sine = math.cos(slant), math.sin(slant)
    xs = [x * cosine + y * sine for x, y in corners]
    ys = [y * cosine - x * sine for x, y in corners]
    return _Strip(index=index, left=min(xs), right=max(xs), top=min(ys), bottom=max(ys))


def _read(strips: Sequence[_Strip]) -> Iterator[_Strip]:
    """Yield strips in order, by columns where there are some, else by rows."""
    gutter = _gutter(strips)
    if gutter is None:
        for row in _rows(strips):
            yield from sorted(row, key=lambda strip: strip.left)
        return
    for band in _bands(strips, gutter):
        if len(band) == 1:
            yield from band
            continue
        yield from _read([strip for strip in band if strip.right <= gutter])
        yield from _read([strip for strip in band if strip.left >= gutter])


def _rows(strips: Sequence[_Strip]) -> Iterator[list[_Strip]]:
    """Yield strips that stand at the same height together, from the top."""
    row: list[_Strip] = []
    for strip in sorted(strips, key=lambda strip: strip.middle):
        if row and not _level(row[-1], strip):
            yield row
            row = []
        row.append(strip)
    if row:
        yield row


def _level(one: _Strip, other: _Strip) -> bool:
    overlap = min(one.bottom, other.bottom) - max(one.top, other.top)
    return overlap > 0.5 * min(one.height, other.height)


def _gutter(strips: Sequence[_Strip]) -> float | None:
    """Return where columns of prose part, None where there is one column, or a table."""
    if len(strips) < 2 * _COLUMN_LINES:
        return None
    best: tuple[int, float] | None = None
    for x in _gaps(strips):
        left = [strip for strip in strips if strip.right <= x]
        right = [strip for strip in strips if strip.left >= x]
        crossing = len(strips) - len(left) - len(right)
        beside = _are_prose(left, right) and _overlap(left, right)
        if beside and crossing <= len(strips) // 4 and (best is None or crossing < best[0]):
            best = crossing, x
    return None if best is None else best[1]


def _gaps(strips: Sequence[_Strip]) -> list[float]:
    """Return the middles between right edges and the next left edges."""
    lefts = sorted(strip.left for strip in strips)
    gaps = set()
    for right in {strip.right for strip in strips}:
        following = next((left for left in lefts if left > right), None)
        if following is not None:
            gaps.add((right + following) / 2)
    return sorted(gaps)


def _are_prose(*sides: Sequence[_Strip]) -> bool:
    if min(map(len, sides)) < _COLUMN_LINES:
        return False
    # A side may hold several columns: the narrower one tells how wide a column is.
    width = min(
        max(strip.right for strip in side) - min(strip.left for strip in side) for side in sides
    )
    return all(
        median(strip.width for strip in side) >= _COLUMN_FILL * width
        and median(strip.width / max(strip.height, 1) for strip in side) >= _COLUMN_ASPECT
        for side in sides
    )


def _overlap(left: Sequence[_Strip], right: Sequence[_Strip]) -> bool:
    """Return whether columns stand beside each other, not one below the other."""
    top = max(min(strip.top for strip in side) for side in (left, right))
    bottom = min(max(strip.bottom for strip in side) for side in (left, right))
    heights = [
        max(strip.bottom for strip in side) - min(strip.top for strip in side)
        for side in (left, right)
    ]
    return bottom - top > 0.3 * min(heights)


def _bands(strips: Sequence[_Strip], gutter: float) -> Iterator[list[_Strip]]:
    """Yield what stands between lines that cross the gutter, and each of these alone."""
    band: list[_Strip] = []
    for strip in sorted(strips, key=lambda strip: strip.middle):
        if strip.left < gutter < strip.right:
            if band:
                yield band
            yield [strip]
            band = []
        else:
            band.append(strip)
    if band:
        yield band
