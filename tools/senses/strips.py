"""Lines cut out of an image, and the parts of an image that lines are looked for in.

Boxes are arrays of shape (4, 2): upper left, upper right, lower right, lower left corner of a line
as it runs, in pixels.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Box = NDArray[np.float32]

LINE_HEIGHT = 48
"""The height that lines are read at."""

PART_WIDTH = 1600
"""Longer lines are read in parts: what reading takes of memory rises with the width."""

_WIDTH_STEP = 160
"""Parts are filled up to a multiple of this, so that memory of few sizes is asked for."""

_WINDOW = 400
_BLANK_CONTRAST = 0.35
_SPACE_WIDTH = 10
"""A blank this wide, at `LINE_HEIGHT`, parts words; narrower ones part letters."""

LEAST_SIDE, LONGEST_SIDE = 64, 6000
"""Bounds of what lines are looked for in, in pixels."""

_STEEP = 1.5
"""A box this much higher than wide holds a line that runs down, or up."""

BAND_OVERLAP = 64
"""Half the height of the largest line that is sure to be whole in one band, in pixels."""


def shrunk(image: Image, pixels: int) -> tuple[Image, float]:
    """Return a copy of at most so many pixels, and the factor back to the image."""
    import cv2

    height, width = image.shape[:2]
    scale = max(1.0, math.sqrt(height * width / pixels), max(height, width) / LONGEST_SIDE)
    size = max(1, round(width / scale)), max(1, round(height / scale))
    small: Any = image
    if scale > 1.0:
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    below, right = max(0, LEAST_SIDE - size[1]), max(0, LEAST_SIDE - size[0])
    if below or right:
        small = cv2.copyMakeBorder(small, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return np.asarray(small, np.uint8), scale


def bands(image: Image, count: int) -> Iterator[tuple[Image, int, int, int]]:
    """Yield parts of an image from the top, as wide as it is, that overlap.

    Each with its top, and with the first and the last row, itself excluded, of the middles of lines
    that are to be taken from it: there they are whole and no other part gives them.
    """
    rows = image.shape[0]
    edges = [rows * index // count for index in range(count + 1)]
    for first, last in pairwise(edges):
        top = max(0, first - BAND_OVERLAP)
        yield image[top : last + BAND_OVERLAP], top, first, last


def cut(image: Image, box: Box) -> Image | None:
    """Return a line, by its box as it runs, set level and `LINE_HEIGHT` high.

    None stands for a speck.
    """
    import cv2

    width, height = _size(box)
    left, top = np.floor(box.min(axis=0)).astype(int).clip(0)
    right, bottom = np.ceil(box.max(axis=0)).astype(int) + 1
    part = image[top:bottom, left:right]
    if min(width, height) < 1 or not part.size:
        return None
    wide, high = round(width), round(height)
    target = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    source = np.asarray(box - np.array([left, top]), np.float32)
    level: Any = cv2.warpPerspective(
        part,
        cv2.getPerspectiveTransform(source, target),
        (wide, high),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    size = max(1, round(wide * LINE_HEIGHT / high)), LINE_HEIGHT
    way = cv2.INTER_AREA if high > LINE_HEIGHT else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(level, size, interpolation=way), np.uint8)


def parts(strip: Image) -> Iterator[tuple[Image, bool]]:
    """Yield a line in parts that can be read, each with whether a space stands before it."""
    width = strip.shape[1]
    count = -(-width // (PART_WIDTH - _WINDOW)) if width > PART_WIDTH else 1
    grey = strip.mean(axis=2)
    contrast = grey.max(axis=0) - grey.min(axis=0)
    blank = contrast < _BLANK_CONTRAST * np.percentile(contrast, 80)
    start, spaced = 0, False
    for index in range(1, count + 1):
        end, run = width, 0
        if index < count:
            end, run = _widest_blank(blank, width * index // count)
        yield _filled(strip[:, start:end]), spaced
        start, spaced = end, run >= _SPACE_WIDTH


def _widest_blank(blank: NDArray[np.bool_], near: int) -> tuple[int, int]:
    """Return the middle and the width of the widest blank within half a window of a column."""
    first = near - _WINDOW // 2
    part = np.concatenate([[False], blank[first : first + _WINDOW], [False]])
    edges = np.flatnonzero(part[1:] != part[:-1])
    if not len(edges):
        return near, 0
    starts, ends = edges[::2], edges[1::2]
    widest = int(np.argmax(ends - starts))
    return first + int(starts[widest] + ends[widest]) // 2, int(ends[widest] - starts[widest])


def _filled(part: Image) -> Image:
    width = -(-part.shape[1] // _WIDTH_STEP) * _WIDTH_STEP
    filled = np.full((LINE_HEIGHT, width, 3), 127, np.uint8)
    filled[:, : part.shape[1]] = part
    return filled


def running(box: Box) -> Box:
    """Return the box of a line as it runs: down, where it is much higher than wide."""
    width, height = _size(box)
    return box[[1, 2, 3, 0]] if height >= _STEEP * width else box


def holds(box: Box, point: NDArray[np.float32]) -> bool:
    """Return whether a point lies within the bounds of a box."""
    return bool((box.min(axis=0) <= point).all() and (point <= box.max(axis=0)).all())


def height(box: Box) -> float:
    """Return the height of a line."""
    return _size(running(box))[1]


def _size(box: Box) -> tuple[float, float]:
    a, b, c, d = box
    width = float(max(np.linalg.norm(a - b), np.linalg.norm(c - d)))
    height = float(max(np.linalg.norm(a - d), np.linalg.norm(b - c)))
    return width, height
