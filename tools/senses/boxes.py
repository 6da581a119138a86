"""How boxes lie to each other, one to one and one to many."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from memory.places import Box

NEAR = 4.0
"""Pixels by which edges of the same thing may differ: a border, and the ground within it."""

Rows = NDArray[np.float64]
"""Shape (n, 4): left, top, right, bottom of each box."""


def area(box: Box) -> float:
    """Return the pixels of a box."""
    return max(0.0, box.right - box.left) * max(0.0, box.bottom - box.top)


def common(one: Box, other: Box) -> float:
    """Return the pixels that two boxes share."""
    wide = min(one.right, other.right) - max(one.left, other.left)
    high = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(0.0, wide) * max(0.0, high)


def overlap(one: Box, other: Box) -> float:
    """Return the intersection of two boxes over their union, from 0 to 1."""
    both = common(one, other)
    return both / (area(one) + area(other) - both) if both else 0.0


def same(one: Box, other: Box) -> bool:
    """Return whether two boxes are those of the same thing."""
    return bool(same_as(rows([one]), other)[0])


def rows(boxes: Sequence[Box]) -> Rows:
    """Return boxes as rows of numbers."""
    told = [(box.left, box.top, box.right, box.bottom) for box in boxes]
    return np.array(told, dtype=np.float64).reshape(-1, 4)


def areas(many: Rows) -> NDArray[np.float64]:
    """Return the pixels of each of many boxes."""
    return np.asarray(
        np.maximum(many[:, 2] - many[:, 0], 0.0) * np.maximum(many[:, 3] - many[:, 1], 0.0)
    )


def common_with(many: Rows, box: Box) -> NDArray[np.float64]:
    """Return the pixels that each of many boxes shares with one."""
    wide = np.minimum(many[:, 2], box.right) - np.maximum(many[:, 0], box.left)
    high = np.minimum(many[:, 3], box.bottom) - np.maximum(many[:, 1], box.top)
    return np.asarray(np.maximum(wide, 0.0) * np.maximum(high, 0.0))


def same_as(many: Rows, box: Box) -> NDArray[np.bool_]:
    """Return which of many boxes are those of the same thing as one."""
    return np.asarray((np.abs(many - rows([box])) <= NEAR).all(axis=1))


def apart(boxes: Sequence[Box], alike: float) -> list[Box]:
    """Return boxes, the largest first, without those that are nearly the same as a larger one.

    `alike` is the intersection over union from which on two are.
    """
    kept: list[Box] = []
    many = np.empty((len(boxes), 4))
    for box in sorted(boxes, key=lambda box: -area(box)):
        before = many[: len(kept)]
        both = common_with(before, box)
        if (both > alike * (areas(before) + area(box) - both)).any() or same_as(before, box).any():
            continue
        many[len(kept)] = rows([box])
        kept.append(box)
    return kept
