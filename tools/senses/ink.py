"""Lines of text as their ink has them: each for itself, and no larger than its letters.

Recognisers leave some room around a line, take a box to be ticked for its first letter, and read
what stands in a row as one line, however far apart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from memory.places import Box
from tools.senses.base import TextLine

_DIFFERS = 0.35
"""Of the strongest contrast in its box, what a pixel of a letter has at least."""

_LEAST_CONTRAST = 12
_FRAME = 0.6
"""A row of which more is inked is the edge of what the line is written on."""

_TAILS = 0.4
"""Heights of the middle of a line, by which letters at its ends may be longer."""

_APART = 1.1
"""Heights of a line, from which on a gap parts two lines."""

_GAP = 0.22
"""Heights of a line, from which on a gap parts words."""

_MOST_MARKS = 3

_MARK_GAP = 0.4
"""Heights between a mark and the line behind it, at least."""


def lines(found: Sequence[TextLine], image: NDArray[np.uint8]) -> list[TextLine]:
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
    marks = _leading_marks(groups, words, ink, left, high)
    if marks:
        groups = groups[marks:]
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
    """Return ink without the edges of what it is written on, where they came into the box.

    Letters stand in the middle, in rows that follow each other; an upright line that goes on beyond
    these is no letter.
    """
    ink = ink.copy()
    ink[ink.mean(axis=1) > _FRAME] = False
    wide = ink.shape[1]
    top, bottom = _band(np.any(ink[:, wide // 5 : wide - wide // 5], axis=1, keepdims=True)[:, 0])
    if bottom == top:
        return ink
    margin = max(2, round(_TAILS * (bottom - top)))
    beyond = np.ones(len(ink), np.bool_)
    beyond[max(0, top - margin) : bottom + margin] = False
    if beyond.sum() >= 3:
        ink[:, ink[beyond].mean(axis=0) > _FRAME / 2] = False
    rows = np.any(ink, axis=1, keepdims=True)[:, 0]
    first, last = top, bottom
    while first > max(0, top - margin) and rows[first - 1]:
        first -= 1
    while last < min(len(ink), bottom + margin) and rows[last]:
        last += 1
    ink[:first] = False
    ink[last:] = False
    return ink


def _band(rows: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the longest stretch of rows with ink, across gaps such as below the dot of an i."""
    inked = np.flatnonzero(rows)
    if not len(inked):
        return 0, 0
    cuts = np.flatnonzero(np.diff(inked) > 4)
    starts = inked[np.concatenate([[0], cuts + 1])]
    ends = inked[np.concatenate([cuts, [len(inked) - 1]])] + 1
    longest = int(np.argmax(ends - starts))
    return int(starts[longest]), int(ends[longest])


def _height(ink: NDArray[np.bool_]) -> int:
    rows = np.flatnonzero(ink.any(axis=1))
    return int(rows[-1] - rows[0] + 1) if len(rows) else 0


def _groups(ink: NDArray[np.bool_], left: int, high: int) -> list[_Group]:
    """Return what stands between gaps that are wider than those between letters."""
    columns = np.flatnonzero(ink.any(axis=0))
    cuts = np.flatnonzero(np.diff(columns) > max(2, _GAP * high))
    starts = columns[np.concatenate([[0], cuts + 1])]
    ends = columns[np.concatenate([cuts, [len(columns) - 1]])] + 1
    return [
        _Group(left + int(one), left + int(other)) for one, other in zip(starts, ends, strict=True)
    ]


def _leading_marks(
    groups: Sequence[_Group],
    words: Sequence[str],
    ink: NDArray[np.bool_],
    left: int,
    high: int,
) -> int:
    """Return how many boxes and circles stand before the first letter."""
    gaps = [two.left - one.right for one, two in pairwise(groups)]
    if not gaps:
        return 0
    if not words[0][0].isalnum():
        return int(gaps[0] >= _GAP * high)
    marks = max(_alike(groups, ink, left), int(len(groups) > len(words)))
    if not 1 <= marks <= min(_MOST_MARKS, len(gaps)) or gaps[marks - 1] < _MARK_GAP * high:
        return 0
    shapes = [
        (one.right - one.left) / max(_height(ink[:, one.left - left : one.right - left]), 1)
        for one in groups[:marks]
        if one.left > left  # else the box of the line cuts it
    ]
    return marks if all(0.7 <= shape <= 1.4 for shape in shapes) else 0


def _alike(groups: Sequence[_Group], ink: NDArray[np.bool_], left: int) -> int:
    """Return how many groups at the beginning are of one size, at least two; else 0."""
    sizes = [
        (one.right - one.left, _height(ink[:, one.left - left : one.right - left]))
        for one in groups[: _MOST_MARKS + 1]
    ]
    if groups[0].left == left:
        sizes[0] = sizes[1]  # the box of the line cuts it
    like = [size == sizes[0] for size in sizes]
    count = like.index(False) if False in like else len(like)
    return count if count > 1 else 0


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
    gaps = [two.left - one.right for one, two in pairwise(groups)]
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
