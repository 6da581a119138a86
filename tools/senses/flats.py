"""Areas of even colour in a picture, and which of them fill a rectangle: what screens are made of.

Pixels belong together where each is like the next one, so that a gradient is one area. Runs along
the rows are joined to those below them; no loop goes over pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memory.places import Box

MOST_PIXELS = 4_200_000
"""Of the copy that is looked at. In a larger picture a line is more than a pixel wide."""

_LIKE = 2
"""Levels by which neighbours may differ."""

_LIKE_LOSSY = 7
"""The same where a picture was compressed with loss."""

_LOSSY_SHARE = 0.04
"""Of pairs of near neighbours that differ by three levels and more: drawn pictures have fewer."""

_LEAST_SIDE = 6

_LINE = 3
"""Pixels that a line is wide at most."""

_LEAST_LINE = 32
_MOST_LINES = 400
_SAMPLES = 101
_HOLLOW = 0.1
"""An area that fills less of its box is lines, perhaps those of several frames that touch."""
_MOST_AREAS = 6000

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Runs:
    """Stretches of pixels along rows, each like the one before it."""

    row: Ints
    start: Ints
    end: Ints
    area: Ints
    """To which area each belongs; they are sorted by it, then by row."""
    scale: int
    """Pixels of the picture per pixel here."""
    size: tuple[int, int]
    """Height and width, here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Flat:
    """An area of even colour."""

    box: Box
    area: int
    """Its number among the runs."""
    pixels: int
    """In pixels of the picture."""
    sides: tuple[float, float, float, float]
    """How much of the left, top, right and bottom of its box it reaches, from 0 to 1."""


def runs(small: NDArray[np.uint8], scale: int = 1) -> Runs:
    """Return all areas of an image of shape (height, width, 3), which may be a shrunk one."""
    height, width = small.shape[:2]
    across = _differences(small[:, 1:], small[:, :-1])
    like = _likeness(across)
    begins = np.ones((height, width), bool)
    begins[:, 1:] = across > like
    number = np.cumsum(begins.ravel()).reshape(height, width) - 1
    firsts = np.flatnonzero(begins)
    below = _differences(small[1:], small[:-1]) <= like
    fresh = below.copy()
    fresh[:, 1:] &= begins[1:, 1:] | begins[:-1, 1:] | ~below[:, :-1]
    labels = _joined(len(firsts), number[:-1][fresh], number[1:][fresh])
    order = np.argsort(labels, kind="stable")
    ends = np.append(firsts[1:], height * width)
    row, start = firsts // width, firsts % width
    _, area = np.unique(labels[order], return_inverse=True)
    return Runs(
        row=row[order],
        start=start[order],
        end=(start + ends - firsts)[order],
        area=area,
        scale=scale,
        size=(height, width),
    )


def flats(found: Runs) -> list[Flat]:
    """Return lines, and areas that are large enough to be a part of a screen, the largest first."""
    if not len(found.area):
        return []
    firsts = np.flatnonzero(np.diff(found.area, prepend=-1))
    ends = np.append(firsts[1:], len(found.area))
    left = np.minimum.reduceat(found.start, firsts)
    right = np.maximum.reduceat(found.end, firsts)
    top, bottom = found.row[firsts], found.row[ends - 1] + 1
    pixels = np.add.reduceat(found.end - found.start, firsts)
    wide, high = right - left, bottom - top
    large = (np.minimum(wide, high) >= _LEAST_SIDE) & (pixels >= (wide + high) / 2)
    large |= (np.minimum(wide, high) <= _LINE) & (np.maximum(wide, high) >= _LEAST_LINE)
    chosen = np.flatnonzero(large)
    chosen = chosen[np.argsort(-(wide * high)[chosen], kind="stable")][:_MOST_AREAS]
    return [
        _flat(found, area, slice(firsts[area], ends[area]), int(pixels[area]))
        for area in chosen.tolist()
    ]


def drawn(found: Runs, areas: set[int]) -> NDArray[np.bool_]:
    """Return a mask of the pixels of some areas."""
    mask = np.zeros(found.size, np.bool_)
    chosen = np.isin(found.area, np.fromiter(areas, np.int64, len(areas)))
    for row, start, end in zip(
        found.row[chosen].tolist(),
        found.start[chosen].tolist(),
        found.end[chosen].tolist(),
        strict=True,
    ):
        mask[row, start:end] = True
    return mask


def tone(found: Runs, small: NDArray[np.uint8], area: int) -> NDArray[np.float64]:
    """Return the colour that an area mostly has."""
    first, end = np.searchsorted(found.area, [area, area + 1])
    some = np.unique(np.linspace(first, end - 1, _SAMPLES).astype(np.int64))
    middle = (found.start[some] + found.end[some]) // 2
    return np.asarray(np.median(small[found.row[some], middle], axis=0))


def lines(found: Runs, areas: Sequence[Flat]) -> tuple[list[Box], list[Box]]:
    """Return straight lines, the level and the upright ones, the longest first."""
    hollow = {
        one.area
        for one in areas
        if one.pixels < _HOLLOW * (one.box.right - one.box.left) * (one.box.bottom - one.box.top)
        or min(one.box.right - one.box.left, one.box.bottom - one.box.top) <= _LINE * found.scale
    }
    mask = drawn(found, hollow)
    level = [
        Box(left=start, top=row, right=end, bottom=row + 1) for row, start, end in _stretches(mask)
    ]
    upright = [
        Box(left=column, top=start, right=column + 1, bottom=end)
        for column, start, end in _stretches(mask.T)
    ]
    return (
        [box.scaled(found.scale) for box in level],
        [box.scaled(found.scale) for box in upright],
    )


def _stretches(mask: NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """Return row, start and end of the longest stretches along the rows of a mask."""
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, start = np.nonzero(edges == 1)
    end = np.nonzero(edges == -1)[1]
    long = np.flatnonzero(end - start >= _LEAST_LINE)
    long = long[np.argsort((start - end)[long], kind="stable")][:_MOST_LINES]
    return [(int(row[at]), int(start[at]), int(end[at])) for at in long]


def _flat(found: Runs, area: int, part: slice, pixels: int) -> Flat:
    row, start, end = found.row[part], found.start[part], found.end[part]
    left, right, top, bottom = int(start.min()), int(end.max()), int(row[0]), int(row[-1]) + 1
    scale = found.scale
    return Flat(
        box=Box(left=left * scale, top=top * scale, right=right * scale, bottom=bottom * scale),
        area=int(area),
        pixels=pixels * scale * scale,
        sides=_sides(row, start, end, (left, top, right, bottom)),
    )


def _sides(
    row: Ints, start: Ints, end: Ints, bounds: tuple[int, int, int, int]
) -> tuple[float, float, float, float]:
    """Return what share of each side an area reaches; rounded corners count as reaching it."""
    left, top, right, bottom = bounds
    wide, high = right - left, bottom - top
    near = max(2, min(wide, high) // 4) if min(wide, high) < 64 else 3
    lefts, rights = np.full(high, right), np.full(high, left)
    np.minimum.at(lefts, row - top, start)
    np.maximum.at(rights, row - top, end)
    return (
        float((lefts <= left + near).mean()),
        _reach(start, end, row < top + near, left, wide),
        float((rights >= right - near).mean()),
        _reach(start, end, row >= bottom - near, left, wide),
    )


def _reach(start: Ints, end: Ints, chosen: NDArray[np.bool_], left: int, wide: int) -> float:
    """Return what share of the width some runs cover together."""
    steps = np.zeros(wide + 1, np.int64)
    np.add.at(steps, start[chosen] - left, 1)
    np.add.at(steps, end[chosen] - left, -1)
    return float((np.cumsum(steps[:-1]) > 0).mean())


def shrunk(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """Return an image of at most `MOST_PIXELS`, and by which whole factor it became smaller."""
    scale = 1
    while image.shape[0] * image.shape[1] > MOST_PIXELS * scale * scale:
        scale += 1
    height, width = image.shape[0] // scale * scale, image.shape[1] // scale * scale
    if scale == 1:
        return image, 1
    parts = image[:height, :width].reshape(height // scale, scale, width // scale, scale, 3)
    return parts.mean(axis=(1, 3)).astype(np.uint8), scale


def _differences(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return by how much pixels differ, in the colour where they differ most."""
    return np.asarray((np.maximum(one, other) - np.minimum(one, other)).max(axis=2))


def _likeness(across: NDArray[np.uint8]) -> int:
    """Return by how much neighbours may differ in this picture."""
    near = np.bincount(across.ravel(), minlength=256)[: _LIKE_LOSSY + 1]
    lossy = near[_LIKE + 1 :].sum() > _LOSSY_SHARE * max(near.sum(), 1)
    return _LIKE_LOSSY if lossy else _LIKE


def _joined(count: int, one: Ints, other: Ints) -> Ints:
    """Return the least number of those that each is joined with, at any remove."""
    parent = np.arange(count)
    while len(one):
        np.minimum.at(parent, np.maximum(one, other), np.minimum(one, other))
        while True:
            further = parent[parent]
            if np.array_equal(further, parent):
                break
            parent = further
        one, other = parent[one], parent[other]
        apart = one != other
        one, other = one[apart], other[apart]
    return parent
