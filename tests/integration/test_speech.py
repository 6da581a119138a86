"""ESpeak NG, and what the recogniser hears of it."""

import asyncio
import logging

import numpy as np
import pytest

from tools.senses.errors import NothingToSayError
from tools.senses.hearing import PocketsphinxTranscriber
from tools.senses.media import decode_audio, encode_wav
from tools.senses.speech import EspeakSynthesizer

RATE_HZ = 22_050


@pytest.fixture(scope="module")
def speech() -> EspeakSynthesizer:
    return EspeakSynthesizer()


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The filter is cleaned every three months."),
        ("en-GB", "The filter is cleaned every three months."),
        ("de", "Die Straße heißt Öläckerweg."),
        ("zh", "图书馆星期一不开门。"),
        ("fr", "La bibliothèque est fermée le lundi."),
        ("pt_BR", "A biblioteca fecha na segunda-feira."),
        ("no", "Biblioteket er stengt på mandag."),
    ],
)
async def test_a_text_is_spoken_in_its_language(
    speech: EspeakSynthesizer, language: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    spoken = await speech.say(text, language=language)
    assert spoken.sample_rate_hz == RATE_HZ
    assert spoken.samples.dtype == np.int16
    assert 1.0 < len(spoken.samples) / RATE_HZ < 6.0
    loudness = np.sqrt(np.mean(np.square(spoken.samples, dtype=np.float64)))
    assert 1_000 < loudness < 10_000
    assert not caplog.records


async def test_a_language_without_a_voice_is_spoken_as_english_and_logged(
    speech: EspeakSynthesizer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        spoken = await speech.say("three hundred", language="tlh-x")
    assert spoken.samples.any()
    [record] = caplog.records
    assert record.getMessage() == "voice_missing"
    assert record.__dict__["language"] == "tlh-x"
    assert record.__dict__["spoken_as"] == "en"


async def test_languages_do_not_sound_alike(speech: EspeakSynthesizer) -> None:
    """A voice stays chosen in the library until another one is."""
    texts = await asyncio.gather(
        *(speech.say("Bonjour Michel, une question", language=tag) for tag in ("fr", "en") * 2)
    )
    lengths = [len(text.samples) for text in texts]
    assert abs(lengths[0] - lengths[2]) < abs(lengths[0] - lengths[1])
    assert abs(lengths[1] - lengths[3]) < abs(lengths[0] - lengths[1])


@pytest.mark.parametrize("text", ["", " \n", "...", "\0"])
async def test_a_text_without_words_is_an_error(speech: EspeakSynthesizer, text: str) -> None:
    with pytest.raises(NothingToSayError, match="Give words"):
        await speech.say(text, language="en")


@pytest.mark.parametrize("text", ["a\0b", "\ud800 lone", "<b>bold</b> & co", "[[h@l'oU]]", "😀"])
async def test_odd_characters_are_no_error(speech: EspeakSynthesizer, text: str) -> None:
    assert (await speech.say(text, language="en")).samples.any()


async def test_a_long_text_is_spoken_whole(speech: EspeakSynthesizer) -> None:
    sentence = "The filter is cleaned every three months. "
    one = await speech.say(sentence, language="en")
    many = await speech.say(sentence * 200, language="en")
    assert len(many.samples) == pytest.approx(200 * len(one.samples), rel=0.25)
    assert many.samples[-RATE_HZ:].any()


async def test_a_text_that_nobody_waits_for_any_more_is_given_up(
    speech: EspeakSynthesizer,
) -> None:
    task = asyncio.create_task(speech.say("The filter. " * 100_000, language="en"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    spoken = await asyncio.wait_for(speech.say("The filter.", language="en"), 10)
    assert len(spoken.samples) < 2 * RATE_HZ


async def test_speech_is_understood_by_the_recogniser(speech: EspeakSynthesizer) -> None:
    said = "The bridge was closed because of heavy traffic and strong wind."
    spoken = await speech.say(said, language="en")
    recording = await decode_audio(encode_wav(spoken), "speech.wav")
    heard = await PocketsphinxTranscriber().transcribe(recording)
    words = set(said.lower().rstrip(".").split())
    assert len(words & set(heard.text.split())) >= len(words) / 2
