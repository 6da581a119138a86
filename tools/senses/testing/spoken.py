"""Sentences spoken by eSpeak, to be heard."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from tools.senses import espeak
from tools.senses.background import Patience
from tools.senses.base import SAMPLE_RATE_HZ

SENTENCES = {
    "en": "the water filter must be cleaned every week",
    "de": "der Filter wird jede Woche gereinigt",
}
"""What is said in each language."""

_VOICES = {"en": "en-us", "de": "de"}


@cache
def speech(language: str) -> NDArray[np.float32]:
    """Return the sentence of a language as sound, without silence around."""
    with espeak.held() as library:
        library.has(_VOICES[language])
        samples = library.say(SENTENCES[language], Patience())
        rate_hz = library.sample_rate_hz
    heard = np.trim_zeros(samples.astype(np.float32) / 32768)
    places = np.arange(int(len(heard) * SAMPLE_RATE_HZ / rate_hz)) * rate_hz / SAMPLE_RATE_HZ
    return np.asarray(np.interp(places, np.arange(len(heard)), heard), np.float32)


def recording(*parts: str | float) -> NDArray[np.float32]:
    """Return sound of sentences, by their language, and of silence, by its seconds."""
    return np.concatenate(
        [
            speech(part) if isinstance(part, str) else np.zeros(round(part * SAMPLE_RATE_HZ))
            for part in parts
        ]
    ).astype(np.float32)
