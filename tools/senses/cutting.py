"""A long recording, cut at its pauses into pieces. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.senses import pauses
from tools.senses.base import SAMPLE_RATE_HZ
from tools.senses.pauses import LEVEL_S

_STEP = round(LEVEL_S * SAMPLE_RATE_HZ)
_CALM_LEVELS = round(0.5 / LEVEL_S)
_SHORTEST_S = 2 * LEVEL_S


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A part of a recording, in samples."""

    start: int
    end: int

    @property
    def start_s(self) -> float:
        """When it begins in the recording."""
        return self.start / SAMPLE_RATE_HZ


def pieces(samples: NDArray[np.float32], longest_s: float) -> list[Piece]:
    """Return pieces of at most `longest_s` that together are the whole recording.

    A piece that is not the last ends in the middle of the longest pause of its second half, without
    any pause where it is quietest for half a second. Raises ValueError for a length that is no
    length.
    """
    if longest_s < _SHORTEST_S:
        raise ValueError(f"pieces of {longest_s} s: give {_SHORTEST_S} or more")
    if len(samples) <= longest_s * SAMPLE_RATE_HZ:
        return [Piece(start=0, end=len(samples))] if len(samples) else []
    level_db = pauses.levels(samples)
    return list(_cut(level_db, len(samples), int(longest_s / LEVEL_S)))


def _cut(level_db: NDArray[np.float32], count: int, most: int) -> Iterator[Piece]:
    silent = level_db <= max(
        pauses.loudness_db(level_db) - pauses.SPEECH_RANGE_DB, pauses.SILENCE_DB
    )
    at = 0
    while len(level_db) - at > most:
        first, behind = at + (most + 1) // 2, at + most
        end = _best(level_db[first:behind], silent[first:behind]) + first
        yield Piece(start=at * _STEP, end=end * _STEP)
        at = end
    yield Piece(start=at * _STEP, end=count)


def _best(level_db: NDArray[np.float32], silent: NDArray[np.bool_]) -> int:
    """Return where to cut: in the middle of the longest pause, else where it is quietest."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], silent, [False])).astype(np.int8)))
    if len(edges):
        starts, ends = edges[::2], edges[1::2]
        # Of pauses of one length the last: then there are fewer pieces.
        longest = len(starts) - 1 - int(np.argmax((ends - starts)[::-1]))
        return int(starts[longest] + ends[longest]) // 2
    width = min(_CALM_LEVELS, len(level_db))
    return int(np.argmin(np.convolve(level_db, np.ones(width), mode="valid"))) + width // 2
