"""The embedded sense of hearing: pocketsphinx with the English model that comes with it."""

import re
import threading
from collections.abc import Iterator, Sequence
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from tools.senses import background, pauses
from tools.senses.background import Patience
from tools.senses.base import SAMPLE_RATE_HZ, Recording, Transcript, Word
from tools.senses.sphinx import FRAME_S, Sphinx, Token

_VARIANT = re.compile(r"\(\d+\)$")
_NO_WORD = re.compile(r"[<\[+]")

LONGEST_WORD_S = 1.5
"""Longer ones are tones: a dialling tone is heard as one word, and with certainty."""

_NOISE = 3.0
"""Of 32768: some 80 decibels below the loudest."""


class PocketsphinxTranscriber:
    """Hears English. The model is loaded at first use and then kept."""

    def __init__(self) -> None:
        # Held while the decoder is loaded and while it decodes one piece.
        self._lock = threading.Lock()
        self._sphinx: Sphinx | None = None

    @property
    def name(self) -> str:
        """Name and tier."""
        return f"pocketsphinx {version('pocketsphinx')} (embedded)"

    async def transcribe(self, recording: Recording) -> Transcript:
        """Return timed words. What is not English is heard as English all the same."""
        words = await background.run(lambda patience: self._words(recording.samples, patience))
        return Transcript(
            segments=tuple(pauses.segments(words)), language="en", duration_s=recording.duration_s
        )

    def _words(self, samples: NDArray[np.float32], patience: Patience) -> list[Word]:
        level_db = pauses.levels(samples)
        loud_db = pauses.loudness_db(level_db)
        if loud_db < pauses.SILENCE_DB:
            return []
        factor = pauses.gain(loud_db)
        step = round(pauses.LEVEL_S * SAMPLE_RATE_HZ)
        words: list[Word] = []
        for first, last in pauses.pieces(level_db, loud_db):
            patience.check()
            tokens = self._decode(_pcm(samples[first * step : last * step] * factor))
            words.extend(cleaned(tokens, first * pauses.LEVEL_S))
        return words

    def _decode(self, samples: NDArray[np.int16]) -> list[Token]:
        with self._lock:
            if self._sphinx is None:
                self._sphinx = Sphinx()
            return self._sphinx.decode(samples)


def _pcm(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return 16 bits with a little noise: digital silence would be heard as a vowel."""
    noise = np.random.default_rng(0).normal(0, _NOISE, len(samples))
    return np.clip(samples * 32767 + noise, -32768, 32767).astype(np.int16)


def cleaned(tokens: Sequence[Token], start_s: float) -> Iterator[Word]:
    """Yield the words among tokens, without silences, noises and numbers of pronunciations."""
    for token in tokens:
        frames = token.end + 1 - token.start
        if _NO_WORD.match(token.entry) or frames * FRAME_S > LONGEST_WORD_S:
            continue
        yield Word(
            text=_VARIANT.sub("", token.entry),
            start_s=round(start_s + token.start * FRAME_S, 2),
            end_s=round(start_s + (token.end + 1) * FRAME_S, 2),
            probability=round(token.probability, 4),
        )
