"""Lines of text as their ink has them: each for itself, and no larger than its letters.

Recognisers leave some room around a line, take a box to be ticked for its first letter, and read
what stands in a row as one line, however far apart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from memory.places import Box
from tools.senses.base import TextLine

_DIFFERS = 0.35
"""Of the strongest contrast in its box, what a pixel of a letter has at least."""

_LEAST_CONTRAST = 12
_FRAME = 0.6
"""A row of which more is inked is the edge of what the line is written on."""

_APART = 1.1
"""Heights of a line, from which on a gap parts two lines."""

_MARK_GAP = 0.4
"""Heights between a mark and the line behind it, at least."""


def lines(
    found: Sequence[TextLine], image: NDArray[np.uint8]
) -> list[TextLine]:
    """Return lines of an image of shape (height, width, 3), parted and tightened.

    What has neither letter nor digit is left out: it is a drawing that was taken for a sign.
    """
    parted = [part for line in found for part in _parted(line, image)]
    return [line for line in parted if any(letter.isalnum() for letter in line.text)]


@dataclass(frozen=True, slots=True)
class _Group:
    """Ink between two gaps, in pixels from the left of the image."""

    left: int
    right: int


def _parted(line: TextLine, image: NDArray[np.uint8]) -> Iterator[TextLine]:
    """Yield the parts of a line that stand far apart, without a mark before it."""
    ink, left, top = _ink(line.box, image)
    if not ink.any():
        yield line
        return
    high = _height(ink)
    words = line.text.split()
    groups = _groups(ink, left, high)
    if len(groups) > 1 and _begins_with_mark(groups, words, ink, left, high):
        groups = groups[1:]
        words = _without_sign(words)
    if not words:
        return
    for part, some in _parts(groups, words, high):
        yield _tight(replace(line, text=" ".join(some)), ink, left, top, part)


def _ink(box: Box, image: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], int, int]:
    """Return where letters are in a box, with the place of its upper left corner."""
    left, top = max(0, int(box.left)), max(0, int(box.top))
    part = image[top : int(np.ceil(box.bottom)), left : int(np.ceil(box.right))].astype(np.int16)
    if part.size == 0:
        return np.zeros((0, 0), np.bool_), left, top
    ground = np.median(part.reshape(-1, 3), axis=0)
    contrast = np.abs(part - ground).max(axis=2)
    ink = contrast > max(_DIFFERS * float(contrast.max()), _LEAST_CONTRAST)
    return _without_frame(ink), left, top


def _without_frame(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return ink without the edges of what it is written on, where they came into the box."""
    ink = ink.copy()
    deep = max(1, len(ink) // 4)
    for rows in (range(deep), range(len(ink) - 1, len(ink) - 1 - deep, -1)):
        for row in rows:
            if ink[row].mean() > _FRAME:
                ink[row] = False
    high = np.flatnonzero(ink.any(axis=1))
    if len(high):
        inner = ink[high[0] : high[-1] + 1]
        for column in (*range(3), *range(ink.shape[1] - 3, ink.shape[1])):
            if 0 <= column < ink.shape[1] and inner[:, column].all():
                ink[:, column] = False
    return ink


def _height(ink: NDArray[np.bool_]) -> int:
    rows = np.flatnonzero(ink.any(axis=1))
    return int(rows[-1] - rows[0] + 1)


def _groups(ink: NDArray[np.bool_], left: int, high: int) -> list[_Group]:
    """Return what stands between gaps that are wider than those between letters."""
    columns = np.flatnonzero(ink.any(axis=0))
    cuts = np.flatnonzero(np.diff(columns) > max(2, 0.22 * high))
    starts = columns[np.concatenate([[0], cuts + 1])]
    ends = columns[np.concatenate([cuts, [len(columns) - 1]])] + 1
    return [
        _Group(left + int(one), left + int(other))
        for one, other in zip(starts, ends, strict=True)
    ]


def _begins_with_mark(
    groups: Sequence[_Group],
    words: Sequence[str],
    ink: NDArray[np.bool_],
    left: int,
    high: int,
) -> bool:
    """Return whether what stands first is a box or a circle, and no letter."""
    first = groups[0]
    gaps = [two.left - one.right for one, two in zip(groups, groups[1:], strict=False)]
    if not words[0][0].isalnum():
        return gaps[0] >= 0.2 * high
    tall = _height(ink[:, first.left - left : first.right - left])
    square = 0.7 <= (first.right - first.left) / max(tall, 1) <= 1.4
    farther = len(gaps) == 1 or gaps[0] > 1.4 * max(gaps[1:])
    return square and farther and gaps[0] > _MARK_GAP * high and len(groups) > len(words)


def _without_sign(words: Sequence[str]) -> list[str]:
    """Return words without what was read in a mark."""
    first = words[0]
    while first and not first[0].isalnum():
        first = first[1:]
    return [*([first] if first else []), *words[1:]]


def _parts(
    groups: Sequence[_Group], words: Sequence[str], high: int
) -> Iterator[tuple[Sequence[_Group], Sequence[str]]]:
    """Yield the groups and words between wide gaps.

    Of as many gaps as there are spaces the widest are those between words. Where ink and words do
    not agree, the line stays whole.
    """
    gaps = [two.left - one.right for one, two in zip(groups, groups[1:], strict=False)]
    between = sorted(sorted(range(len(gaps)), key=lambda at: -gaps[at])[: len(words) - 1])
    start = first = 0
    if len(between) == len(words) - 1:
        for number, at in enumerate(between, 1):
            if gaps[at] >= _APART * high:
                yield groups[start : at + 1], words[first:number]
                start, first = at + 1, number
    yield groups[start:], words[first:]


def _tight(
    line: TextLine,
    ink: NDArray[np.bool_],
    left: int,
    top: int,
    part: Sequence[_Group],
) -> TextLine:
    start, end = part[0].left, part[-1].right
    rows = np.flatnonzero(ink[:, start - left : end - left].any(axis=1))
    box = Box(
        left=float(start),
        top=float(top + rows[0]),
        right=float(end),
        bottom=float(top + rows[-1] + 1),
    )
    return replace(line, box=box)
