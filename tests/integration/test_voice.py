"""The voice detector and the echo on real speech, and the devices through their real library."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
from numpy.typing import NDArray

from tools.senses import echo, miniaudio_devices
from tools.senses.base import SAMPLE_RATE_HZ
from tools.senses.devices import PLAYED_HZ
from tools.senses.errors import SoundDeviceError
from tools.senses.miniaudio_devices import DeviceMicrophone
from tools.senses.rates import resampled
from tools.senses.speech import EspeakSynthesizer
from tools.senses.utterances import QUIET, Edge, Rules, heard
from tools.senses.voice import FRAME, FRAME_S, SileroDetector

SILENCE = np.zeros(SAMPLE_RATE_HZ, np.float32)
NULL = ["NULL"]
"""Miniaudio's backend without a device: it hears silence and plays to nobody, in real time."""


async def spoken(text: str, language: str = "en") -> NDArray[np.float32]:
    speech = await EspeakSynthesizer().say(text, language=language)
    samples = resampled(speech.samples, speech.sample_rate_hz, SAMPLE_RATE_HZ)
    return np.asarray(samples / 32768, np.float32)


def edges(sound: NDArray[np.float32]) -> list[tuple[float, Edge]]:
    detector, state, found = SileroDetector(), QUIET, []
    for start in range(0, len(sound) - FRAME + 1, FRAME):
        probability = detector.probability(sound[start : start + FRAME])
        state, edge = heard(state, probability, FRAME_S, Rules())
        if edge is not None:
            found.append((start / SAMPLE_RATE_HZ, edge))
    return found


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "How often must the water filter be cleaned?"),
        ("de", "Wie oft muss der Filter gereinigt werden?"),
        ("zh", "图书馆星期一不开门。"),
    ],
)
async def test_an_utterance_in_any_language_is_found_in_noise(language: str, text: str) -> None:
    words = await spoken(text, language)
    sound = np.concatenate([SILENCE, words, SILENCE])
    noise = np.random.default_rng(1).normal(0, 0.1 * words.std(), len(sound))
    (began_s, began), (ended_s, ended) = edges((sound + noise).astype(np.float32))
    end_s = 1 + len(words) / SAMPLE_RATE_HZ
    assert (began, ended) == (Edge.BEGAN, Edge.ENDED)
    assert 1.2 < began_s < 1.8
    # ESpeak closes with a little silence of its own.
    assert end_s - 0.5 < ended_s - Rules().pause_s < end_s + 0.3


@pytest.mark.parametrize("kind", ["silence", "noise", "hum", "clicks"])
def test_what_is_no_voice_begins_nothing(kind: str) -> None:
    rng = np.random.default_rng(2)
    count = 20 * SAMPLE_RATE_HZ
    time_s = np.arange(count) / SAMPLE_RATE_HZ
    sound = {
        "silence": np.zeros(count),
        "noise": rng.normal(0, 0.1, count),
        "hum": 0.2 * np.sin(2 * np.pi * 50 * time_s) + 0.1 * np.sin(2 * np.pi * 150 * time_s),
        "clicks": np.where(rng.random(count) < 2e-4, 0.9, 0.0),
    }[kind]
    assert edges(sound.astype(np.float32)) == []


def in_a_room(
    sound: NDArray[np.float32], delay_s: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return what comes back of a sound: the direct way, and reverberation of 0.3 s."""
    count = round(0.3 * SAMPLE_RATE_HZ)
    tail = rng.normal(0, 1, count) * 10 ** (-3 * np.arange(count) / count)
    response = np.concatenate([[1.0], 0.7 * tail / np.sqrt(np.square(tail).sum())])
    back = np.convolve(sound, response)[: len(sound)]
    late = np.concatenate([np.zeros(round(delay_s * SAMPLE_RATE_HZ)), back])[: len(sound)]
    return np.asarray(0.4 * late, np.float32)


async def test_the_loudspeaker_alone_is_known_from_a_person_and_from_both_at_once() -> None:
    rng = np.random.default_rng(3)
    played = await spoken(
        "The library opens at nine on weekdays, and at ten on Saturdays. On Sundays it is closed."
    )
    person = (await spoken("Stop, that is not what I meant. Where is the key?", "en-gb"))[
        : len(played)
    ]
    back = in_a_room(played, 0.12, rng)
    hiss = rng.normal(0, 0.001, len(played)).astype(np.float32)
    alone = np.pad(person, (0, len(played) - len(person)))
    louder = alone * (2 * back.std() / person.std())

    def share(sound: NDArray[np.float32]) -> float:
        """Return how often within the person's time somebody besides the loudspeaker is told."""
        both, told = echo.Echo(), []
        for start in range(0, len(person), FRAME):
            both.add(sound[start : start + FRAME], played[start : start + FRAME])
            if start > SAMPLE_RATE_HZ:
                told.append(not both.only)
        return float(np.mean(told))

    assert share(back + hiss) < 0.05
    assert share(alone + hiss) > 0.95
    assert share(back + louder + hiss) > 0.7
    assert echo.unexplained(SILENCE[: echo.WINDOW], np.zeros(16_384, np.float32)) == 1.0


async def test_a_device_gives_frames_and_takes_sound_until_it_is_told_to_stop() -> None:
    sound = np.ones(PLAYED_HZ, np.int16)
    with (
        miniaudio_devices.microphone(NULL) as microphone,
        miniaudio_devices.loudspeaker(NULL) as loudspeaker,
    ):
        loudspeaker.play(sound)
        frames = microphone.frames()
        while loudspeaker.played < PLAYED_HZ // 10:
            frame = await anext(frames)
            assert frame.shape == (FRAME,)
            assert not frame.any()
        loudspeaker.stop()
        assert loudspeaker.waiting == 0
        before = loudspeaker.played
        assert 0 < before < PLAYED_HZ
        loudspeaker.play(sound[:100])
        while loudspeaker.waiting:
            await anext(frames)
        assert loudspeaker.played == before + 100
        await frames.aclose()


async def exhausted(frames: AsyncIterator[NDArray[np.float32]]) -> None:
    async for _ in frames:
        pass


async def test_a_microphone_that_gives_nothing_any_more_has_gone() -> None:
    with miniaudio_devices.microphone(NULL) as microphone:
        device = microphone._device
        short = DeviceMicrophone(device, lost_s=0.3)
        frames = short.frames()
        await anext(frames)
        device.stop()
        with pytest.raises(SoundDeviceError, match="no sound"):
            await exhausted(frames)


async def test_a_machine_without_a_sound_server_says_what_to_do() -> None:
    with (
        pytest.raises(SoundDeviceError, match="--microphone"),
        miniaudio_devices.microphone(["JACK"]),
    ):
        await asyncio.sleep(0)
