"""Where somebody speaks: Silero's detector, whose weights come with faster-whisper."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.senses.base import SAMPLE_RATE_HZ

WINDOW_S = 30.0
"""What Whisper hears at once."""

_SILENCE_MS = 160
_PADDING_MS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A stretch of sound, in samples."""

    start: int
    end: int

    @property
    def start_s(self) -> float:
        """When it begins."""
        return self.start / SAMPLE_RATE_HZ

    @property
    def end_s(self) -> float:
        """When it ends."""
        return self.end / SAMPLE_RATE_HZ


def spans(samples: NDArray[np.float32]) -> list[Span]:
    """Return where speech is, none longer than `WINDOW_S`; of silence nothing."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        min_silence_duration_ms=_SILENCE_MS,
        speech_pad_ms=_PADDING_MS,
        max_speech_duration_s=WINDOW_S,
    )
    found = get_speech_timestamps(np.ascontiguousarray(samples), options)
    return [Span(start=one["start"], end=one["end"]) for one in found]


def windows(spoken: Sequence[Span]) -> list[Span]:
    """Return the spans joined to windows of at most `WINDOW_S`, from the first word to the last."""
    most = round(WINDOW_S * SAMPLE_RATE_HZ)
    joined: list[Span] = []
    for one in spoken:
        if joined and one.end - joined[-1].start <= most:
            joined[-1] = Span(start=joined[-1].start, end=one.end)
        else:
            joined.append(one)
    return joined
