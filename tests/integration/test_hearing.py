"""Pocketsphinx, on sound that was spoken by flite and on the shared speech."""

import asyncio
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tools.senses.base import SAMPLE_RATE_HZ, Recording
from tools.senses.hearing import PocketsphinxTranscriber
from tools.senses.media import decode_audio

MESSAGE = Path(__file__).parents[1] / "data" / "message.wav"
SAID = "please call me back as soon as you receive this message"
JFK = Path(__file__).parents[2].parent / "shared" / "data" / "audio" / "jfk.flac"


@pytest.fixture(scope="module")
def hearing() -> PocketsphinxTranscriber:
    return PocketsphinxTranscriber()


@pytest.fixture
async def message() -> Recording:
    return await decode_audio(MESSAGE.read_bytes(), MESSAGE.name)


def recorded(samples: NDArray[np.floating]) -> Recording:
    return Recording(samples=samples.astype(np.float32), declared_s=None)


def silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32)


async def test_words_are_heard_with_their_times(
    hearing: PocketsphinxTranscriber, message: Recording
) -> None:
    transcript = await hearing.transcribe(message)
    assert transcript.text == SAID
    assert transcript.language == "en"
    assert transcript.duration_s == message.duration_s
    words = [word for segment in transcript.segments for word in segment.words]
    assert [word.text for word in words] == SAID.split()
    for before, after in pairwise(words):
        assert before.start_s < before.end_s <= after.start_s
    assert words[0].start_s == pytest.approx(0.15, abs=0.1)
    assert words[-1].end_s == pytest.approx(3.33, abs=0.15)
    assert all(word.probability is not None and 0 < word.probability <= 1 for word in words)


async def test_the_same_sound_is_heard_the_same_whatever_was_heard_before(
    hearing: PocketsphinxTranscriber, message: Recording
) -> None:
    first = await hearing.transcribe(message)
    await hearing.transcribe(recorded(np.flip(message.samples)))
    assert await hearing.transcribe(message) == first


@pytest.mark.parametrize("gain", [0.003, 0.3])
async def test_quiet_speech_is_heard(
    hearing: PocketsphinxTranscriber, message: Recording, gain: float
) -> None:
    transcript = await hearing.transcribe(replace(message, samples=message.samples * gain))
    assert transcript.text == SAID


async def test_speech_of_eight_bits_is_heard(
    hearing: PocketsphinxTranscriber, message: Recording
) -> None:
    coarse = (np.round(message.samples * 127) / 127).astype(np.float32)
    assert (await hearing.transcribe(replace(message, samples=coarse))).text == SAID


@pytest.mark.parametrize(
    "samples",
    [
        silence(0),
        silence(2),
        np.array([0.5]),
        np.random.default_rng(0).normal(0, 0.1, 32_000),
        np.random.default_rng(0).normal(0, 0.0003, 32_000),
        0.3 * np.sin(np.arange(32_000) * 0.17),
        np.concatenate([silence(0.5), np.ones(1), silence(0.5)]),
    ],
    ids="empty silence one-sample noise hiss tone click".split(),
)
async def test_what_is_no_speech_is_an_empty_transcript(
    hearing: PocketsphinxTranscriber, samples: NDArray[np.floating]
) -> None:
    assert (await hearing.transcribe(recorded(samples))).segments == ()


async def test_times_count_from_the_beginning_of_a_recording_with_long_silences(
    hearing: PocketsphinxTranscriber, message: Recording
) -> None:
    spaced = np.concatenate([silence(20), message.samples, silence(40), message.samples])
    transcript = await hearing.transcribe(recorded(spaced))
    assert [segment.text for segment in transcript.segments] == [SAID, SAID]
    assert transcript.segments[0].start_s == pytest.approx(20.15, abs=0.1)
    assert transcript.segments[1].start_s == pytest.approx(60.15 + message.duration_s, abs=0.1)


async def test_the_event_loop_turns_while_speech_is_decoded(
    hearing: PocketsphinxTranscriber, message: Recording
) -> None:
    """The decoder's Python binding would hold the interpreter for most of the time."""
    await hearing.transcribe(message)
    begun = time.perf_counter()
    turns = [begun]
    task = asyncio.create_task(hearing.transcribe(recorded(np.tile(message.samples, 3))))
    while not task.done():
        await asyncio.sleep(0)
        turns.append(time.perf_counter())
    assert task.result().text
    assert np.diff(turns).max() < 0.3 * (turns[-1] - begun)


async def test_a_recording_that_nobody_waits_for_any_more_is_given_up(
    hearing: PocketsphinxTranscriber, message: Recording
) -> None:
    long = asyncio.create_task(hearing.transcribe(recorded(np.tile(message.samples, 200))))
    await asyncio.sleep(0)
    long.cancel()
    with pytest.raises(asyncio.CancelledError):
        await long
    transcript = await asyncio.wait_for(hearing.transcribe(message), 30)
    assert transcript.text == SAID


async def test_recordings_that_are_handed_over_together_are_heard_one_after_the_other(
    hearing: PocketsphinxTranscriber, message: Recording
) -> None:
    heard = await asyncio.gather(*(hearing.transcribe(message) for _ in range(3)))
    assert [transcript.text for transcript in heard] == [SAID] * 3


@pytest.mark.shared
@pytest.mark.skipif(not JFK.exists(), reason="the shared recordings are not there")
async def test_a_speech_of_1961_is_heard_for_the_most_part(
    hearing: PocketsphinxTranscriber,
) -> None:
    transcript = await hearing.transcribe(await decode_audio(JFK.read_bytes(), JFK.name))
    assert "what your country can do for you" in transcript.text
    assert len(transcript.segments) >= 3
