"""Weights as they are published, where somebody has them: how many words are wrong."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tools.senses.background import Patience
from tools.senses.media import decode_audio
from tools.senses.models import weights
from tools.senses.models.parakeet import Parakeet
from tools.senses.models.whisper import WhisperX

pytestmark = pytest.mark.filterwarnings("ignore")  # the libraries' own

MESSAGE = Path(__file__).parents[2] / "data" / "message.wav"
SAID = "please call me back as soon as you receive this message"
MOST_WRONG = 0.1


def word_error_rate(said: str, heard: str) -> float:
    """Return how many words have to be changed, left out or put in, over those that were said."""
    left, right = (re.findall(r"[\w']+", text.lower()) for text in (said, heard))
    row = list(range(len(right) + 1))
    for at, word in enumerate(left, 1):
        before, row = row, [at]
        for place, other in enumerate(right, 1):
            row.append(min(row[-1] + 1, before[place] + 1, before[place - 1] + (word != other)))
    return row[-1] / len(left)


def test_the_rate_counts_words() -> None:
    assert word_error_rate("a b c d", "A, b c d.") == 0.0
    assert word_error_rate("a b c d", "a x c") == 0.5
    assert word_error_rate("a b", "a b b b") == 1.0


@pytest.mark.parametrize(
    ("variable", "kind"),
    [
        ("CORTICAL_TEST_WHISPER_WEIGHTS", WhisperX),
        ("CORTICAL_TEST_PARAKEET_WEIGHTS", Parakeet),
    ],
)
async def test_few_words_of_real_speech_are_wrong(variable: str, kind: Any) -> None:
    where = os.environ.get(variable)
    if where is None:
        pytest.skip(f"{variable} names no folder of weights")
    folder = Path(where)
    model = kind(folder, weights.read(folder))
    model.bring("cpu")
    recording = await decode_audio(MESSAGE.read_bytes(), MESSAGE.name)
    heard = model.transcribe(recording.samples, Patience())
    model.drop()
    assert heard.language == "en"
    assert word_error_rate(SAID, " ".join(one.text for one in heard.segments)) <= MOST_WRONG
