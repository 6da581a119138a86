"""Where speech pauses: recordings are cut there, and words are joined between."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tools.senses.base import SAMPLE_RATE_HZ, Segment, Word

LEVEL_S = 0.03
"""Length of sound that one level stands for."""

SHORTEST_S, LONGEST_S = 10.0, 30.0
"""Of the pieces that a long recording is decoded in."""

SILENCE_DB = -80.0
"""Below this a recording holds nothing: the last bit of 16 is at -96."""

SPEECH_RANGE_DB = 45.0
"""What lies further below the loud parts of a recording is no speech."""

_LOUD_DB = -20.0
_MOST_GAIN_DB = 40.0
_PAUSE_S = 0.5


def levels(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the level of each `LEVEL_S` of sound, in decibels below full scale."""
    step = round(LEVEL_S * SAMPLE_RATE_HZ)
    count = -(-len(samples) // step)
    powers = np.empty(count, dtype=np.float32)
    # By stretches, so that a long recording that lies on disk is never all in memory.
    stretch = 4096
    for first in range(0, count, stretch):
        block = samples[first * step : (first + stretch) * step]
        block = np.pad(block, (0, -len(block) % step)).reshape(-1, step)
        powers[first : first + len(block)] = np.square(block).mean(axis=1)
    return np.asarray(10 * np.log10(powers + 1e-12), np.float32)


def loudness_db(level_db: NDArray[np.float32]) -> float:
    """Return the level of the loud parts of a recording, -120 where it is empty."""
    return float(np.percentile(level_db, 95)) if len(level_db) else -120.0


def gain(loud_db: float) -> float:
    """Return the factor that makes quiet speech as loud as what the decoder was trained on."""
    return float(10 ** (min(max(_LOUD_DB - loud_db, 0.0), _MOST_GAIN_DB) / 20))


def pieces(level_db: NDArray[np.float32], loud_db: float) -> Iterator[tuple[int, int]]:
    """Yield the first and the last level, itself excluded, of pieces that may hold speech.

    Pieces end where it is quietest between `SHORTEST_S` and `LONGEST_S`, so in a pause where there
    is one. Silence before, between and behind them is left out.
    """
    speech = level_db > loud_db - SPEECH_RANGE_DB
    margin = round(0.3 / LEVEL_S)
    shortest, longest = round(SHORTEST_S / LEVEL_S), round(LONGEST_S / LEVEL_S)
    window = round(_PAUSE_S / LEVEL_S)
    calm = np.convolve(level_db, np.ones(window) / window, mode="same")
    (heard,) = np.nonzero(speech)
    at = 0
    while len(heard := heard[np.searchsorted(heard, at) :]):
        start = max(at, int(heard[0]) - margin)
        end = len(level_db)
        if end - start > longest:
            end = start + shortest + int(np.argmin(calm[start + shortest : start + longest]))
        last = int(heard[np.searchsorted(heard, end) - 1])
        yield start, min(end, last + 1 + margin)
        at = end


def segments(words: Sequence[Word]) -> Iterator[Segment]:
    """Yield the words between two pauses together."""
    first = 0
    for index in range(1, len(words) + 1):
        if index == len(words) or _is_pause(words[index - 1], words[index]):
            held = tuple(words[first:index])
            yield Segment(
                text=" ".join(word.text for word in held),
                start_s=held[0].start_s,
                end_s=held[-1].end_s,
                words=held,
            )
            first = index


def _is_pause(before: Word, after: Word) -> bool:
    return after.start_s - before.end_s > _PAUSE_S - 0.005
