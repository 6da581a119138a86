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
LINE_WIDTH = 4800
"""The height that lines are read at, and the most width; a longer line is squeezed."""

LEAST_SIDE, LONGEST_SIDE = 64, 6000
"""Bounds of what lines are looked for in, in pixels."""

_STEEP = 1.5
"""A box this much higher than wide holds a line that runs up or down."""

BAND_OVERLAP = 96
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
    """Return a line, by its box as it runs, set level and about as high as it is read.

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
    read_width = min(max(1, round(wide * LINE_HEIGHT / high)), LINE_WIDTH)
    if high > LINE_HEIGHT or read_width == LINE_WIDTH:
        level = cv2.resize(level, (read_width, LINE_HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(level, np.uint8)


def running(box: Box) -> Box:
    """Return the box of a line as it runs: up, where it is much higher than wide."""
    width, height = _size(box)
    return box[[1, 2, 3, 0]] if height >= _STEEP * width else box


def height(box: Box) -> float:
    """Return the height of a line."""
    return _size(running(box))[1]


def _size(box: Box) -> tuple[float, float]:
    a, b, c, d = box
    width = float(max(np.linalg.norm(a - b), np.linalg.norm(c - d)))
    height = float(max(np.linalg.norm(a - d), np.linalg.norm(b - c)))
    return width, height
