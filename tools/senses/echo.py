"""Whether the microphone hears a person, or only the loudspeaker. Pure but for the newest sound.

A room delays a sound and changes it, but what comes back stays a filtered copy of what was played.
Two questions tell a person from it. Does the sound of the microphone hold what was played at all?
The correlation of both with every frequency weighed alike (GCC-PHAT) then has a peak, at the delay.
And if it does, how much of it is not a copy? That is what their coherence at this delay leaves. A
person who speaks into the loudspeaker's sound leaves much.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tools.senses.base import SAMPLE_RATE_HZ

WINDOW = 8_192
"""Samples of the microphone that are compared: half a second."""

LONGEST_DELAY = 8_192
"""Samples between playing and hearing, buffers of both devices included: half a second."""

PEAK = 9.0
"""Times the root mean square over all delays, from which a peak is an echo's. Of sounds that have
nothing in common the highest is at 4 to 6."""

SHARE = 0.7
"""Of the microphone's energy that is no copy, from which a person speaks. Echoes leave less than
0.5 in a furnished room, a voice as loud as the echo some 0.7, a louder one more."""

_LOWEST_HZ, _HIGHEST_HZ = 150.0, 6_000.0
_SILENT = 1e-4
"""Root mean square below which nothing was played that could be heard."""

_SEGMENT, _HOP = 1_024, 256
_EARLY = 64
"""Samples by which a segment begins before the peak, which need not be the first way of a sound."""

_TINY = 1e-12


def unexplained(heard: NDArray[np.float32], played: NDArray[np.float32]) -> float:
    """Return how much of what was heard is no copy of what was played: 0 nothing, 1 all.

    `heard` holds the newest `WINDOW` samples of the microphone, `played` the newest
    `WINDOW + LONGEST_DELAY` of the loudspeaker, both at `SAMPLE_RATE_HZ`.
    """
    if np.sqrt(np.mean(np.square(played))) < _SILENT:
        return 1.0
    delay, height = _peak(heard, played)
    if height < PEAK:
        return 1.0
    start = LONGEST_DELAY - max(0, delay - _EARLY)
    return 1.0 - _coherent(played[start : start + WINDOW], heard)


def _peak(heard: NDArray[np.float32], played: NDArray[np.float32]) -> tuple[int, float]:
    """Return the delay at which both are most alike, and how much that stands out."""
    size = WINDOW + LONGEST_DELAY
    aligned = np.zeros(size, np.float32)
    aligned[LONGEST_DELAY:] = heard
    cross = np.fft.rfft(aligned) * np.conj(np.fft.rfft(played))
    cross[~_audible(size)] = 0
    cross /= np.abs(cross) + _TINY
    likeness = np.abs(np.fft.irfft(cross)[:LONGEST_DELAY])
    usual = float(np.sqrt(np.mean(np.square(likeness)))) + _TINY
    return int(likeness.argmax()), float(likeness.max()) / usual


def _coherent(played: NDArray[np.float32], heard: NDArray[np.float32]) -> float:
    """Return the share of what was heard that a filter would make of what was played."""
    audible = _audible(_SEGMENT)
    source, result = _spectra(played)[:, audible], _spectra(heard)[:, audible]
    both = np.sum(np.conj(source) * result, axis=0)
    copied = np.square(np.abs(both)) / (np.sum(np.square(np.abs(source)), axis=0) + _TINY)
    return float(np.sum(copied) / (np.sum(np.square(np.abs(result))) + _TINY))


def _spectra(samples: NDArray[np.float32]) -> NDArray[np.complex128]:
    segments = sliding_window_view(samples, _SEGMENT)[::_HOP]
    return np.asarray(np.fft.rfft(segments * np.hanning(_SEGMENT)))


def _audible(size: int) -> NDArray[np.bool_]:
    frequencies = np.fft.rfftfreq(size, 1 / SAMPLE_RATE_HZ)
    return np.asarray((frequencies > _LOWEST_HZ) & (frequencies < _HIGHEST_HZ))


class Echo:
    """The newest sound of microphone and loudspeaker, in step."""

    def __init__(self) -> None:
        self._heard = np.zeros(WINDOW, np.float32)
        self._played = np.zeros(WINDOW + LONGEST_DELAY, np.float32)

    def add(self, heard: NDArray[np.float32], played: NDArray[np.float32]) -> None:
        """Take what came in and what went out meanwhile, which may be a little more or less."""
        self._heard = np.concatenate([self._heard, heard])[-WINDOW:]
        self._played = np.concatenate([self._played, played])[-(WINDOW + LONGEST_DELAY) :]

    @property
    def only(self) -> bool:
        """Whether what the microphone heard last is the loudspeaker, and nobody besides."""
        return unexplained(self._heard, self._played) < SHARE
