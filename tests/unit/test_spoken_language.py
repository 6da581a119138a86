"""A text too short to tell its language by."""

import logging

import pytest

from memory.language import detect
from tools.senses.speech import EspeakSynthesizer


async def test_a_text_of_an_unknown_language_is_spoken_as_english_without_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    language = detect("hello")
    assert language == "und"
    with caplog.at_level(logging.WARNING):
        spoken = await EspeakSynthesizer().say("hello", language=language)
    assert spoken.samples.any()
    assert not caplog.records
