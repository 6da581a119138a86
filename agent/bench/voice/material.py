"""Speech of which each frame is known, noise to put over it, and rooms for a loudspeaker."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.senses.base import SAMPLE_RATE_HZ
from tools.senses.media import decode_audio
from tools.senses.rates import resampled
from tools.senses.speech import EspeakSynthesizer

Sound = NDArray[np.float32]

STEP_S = 0.01
"""What one label stands for."""

TEXTS = (
    ("en", "Could you tell me when the next train to the coast leaves?"),
    ("en-gb", "Please read me the second letter from the bank."),
    ("en", "Stop."),
    ("de", "Welche Termine habe ich am Donnerstag nach dem Mittagessen?"),
    ("en", "The parcel was left with a neighbour, wasn't it?"),
    ("fr", "Combien de sucre faut-il pour cette confiture?"),
    ("en-gb", "No, the other one, with the blue handle."),
    ("es", "¿A qué hora abre la farmacia de la plaza?"),
    ("en", "Add two pounds of flour to the shopping list."),
    ("de", "Nein, das meinte ich nicht."),
    ("en-gb", "How far is it from the harbour to the lighthouse, on foot?"),
    ("it", "Quanto costa il biglietto per il museo?"),
)
"""What eSpeak says."""

ANSWERS = (
    "The next train leaves at twenty past four from platform two, and arrives shortly before six. "
    "There is a later one at half past five, which stops at every village on the way.",
    "Your letter says that the account was closed in March. The remaining sum was sent to you by "
    "cheque, which is valid for six months from the day on which it was written.",
    "For this cake beat four eggs with the sugar until they are pale. Fold in the flour by hand, "
    "and bake it for forty minutes. Let it stand until it is cold before you cut it.",
    "The lighthouse was built in 1846 by a family of masons from the island. It burned oil until "
    "the war, and has run by itself since 1982. Visitors are welcome on the first of each month.",
)
"""What the assistant says while somebody breaks in."""

_LEVEL_S = 0.02
_BELOW_LOUD_DB = 35.0
_LONGEST_GAP_S = 0.2
_RMS = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """Utterances with pauses between them."""

    sound: Sound
    spoken: NDArray[np.bool_]
    """For each `STEP_S`, whether it is speech."""

    @property
    def utterances(self) -> list[tuple[float, float]]:
        """Beginning and end of each, in seconds: speech between pauses of more than a second."""
        edges = np.flatnonzero(np.diff(np.concatenate([[0], self.spoken.astype(int), [0]])))
        spans = [(a * STEP_S, b * STEP_S) for a, b in edges.reshape(-1, 2).tolist()]
        joined = spans[:1]
        for begin, end in spans[1:]:
            if begin - joined[-1][1] > 1.0:
                joined.append((begin, end))
            else:
                joined[-1] = (joined[-1][0], end)
        return joined


async def said(text: str, language: str) -> Sound:
    """Return a text as eSpeak says it."""
    speech = await EspeakSynthesizer().say(text, language=language)
    samples = resampled(speech.samples, speech.sample_rate_hz, SAMPLE_RATE_HZ)
    return _level(np.asarray(samples / 32768, np.float32))


async def recorded(folder: Path) -> list[Sound]:
    """Return the recordings of a folder."""
    return [
        _level((await decode_audio(path.read_bytes(), path.name)).samples)
        for path in sorted(folder.iterdir())  # noqa: ASYNC240 - a benchmark has nothing else to do
        if path.suffix in (".wav", ".flac", ".ogg", ".mp3")
    ]


def stream(parts: Sequence[Sound], rng: np.random.Generator) -> Stream:
    """Put utterances behind each other, with pauses of one and a half to three seconds."""
    sounds, labels = [], []
    for part in parts:
        pause = np.zeros(round(rng.uniform(1.5, 3.0) / STEP_S), np.bool_)
        known = _labels(part)
        sounds += [np.zeros(round(len(pause) * STEP_S * SAMPLE_RATE_HZ), np.float32)]
        sounds += [part[: round(len(known) * STEP_S * SAMPLE_RATE_HZ)]]
        labels += [pause, known]
    end = np.zeros(round(2.0 / STEP_S), np.bool_)
    sounds.append(np.zeros(2 * SAMPLE_RATE_HZ, np.float32))
    return Stream(sound=np.concatenate(sounds), spoken=np.concatenate([*labels, end]))


def _labels(sound: Sound) -> NDArray[np.bool_]:
    """Tell of each step whether it is speech: by the level of what has no noise in it."""
    step = round(STEP_S * SAMPLE_RATE_HZ)
    count = len(sound) // step
    window = round(_LEVEL_S * SAMPLE_RATE_HZ)
    power = np.convolve(np.square(sound), np.ones(window) / window, "same")[: count * step]
    level_db = 10 * np.log10(power.reshape(count, step).mean(axis=1) + 1e-12)
    speech = level_db > np.percentile(level_db, 95) - _BELOW_LOUD_DB
    return _bridged(speech, round(_LONGEST_GAP_S / STEP_S))


def _bridged(speech: NDArray[np.bool_], gap: int) -> NDArray[np.bool_]:
    """Count the short gaps of a stop consonant as speech."""
    bridged = speech.copy()
    (heard,) = np.nonzero(speech)
    for before, after in pairwise(heard.tolist()):
        if 1 < after - before <= gap:
            bridged[before:after] = True
    return bridged


def _level(sound: Sound) -> Sound:
    return np.asarray(sound * (_RMS / (np.sqrt(np.mean(np.square(sound))) + 1e-9)), np.float32)


def white(count: int, rng: np.random.Generator) -> Sound:
    """Return hiss."""
    return _level(rng.normal(0, 1, count).astype(np.float32))


def pink(count: int, rng: np.random.Generator) -> Sound:
    """Return a fan, or rain: as much power in each octave."""
    spectrum = np.fft.rfft(rng.normal(0, 1, count))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    return _level(np.fft.irfft(spectrum, count).astype(np.float32))


def machine(count: int, rng: np.random.Generator) -> Sound:
    """Return a motor's hum with its harmonics, and a key that clatters now and then."""
    time_s = np.arange(count) / SAMPLE_RATE_HZ
    hum = sum(np.sin(2 * np.pi * 50 * n * time_s) / n for n in (1, 2, 3, 4, 6))
    clicks = np.where(rng.random(count) < 4 / SAMPLE_RATE_HZ, rng.normal(0, 20, count), 0)
    ringing = np.convolve(clicks, np.exp(-np.arange(400) / 80) * rng.normal(0, 1, 400), "same")
    return _level((hum + ringing).astype(np.float32))


NOISES: dict[str, Callable[[int, np.random.Generator], Sound]] = {
    "white": white,
    "pink": pink,
    "machine": machine,
}


def noisy(clean: Stream, noise: Sound, snr_db: float) -> Sound:
    """Put noise over speech: so many decibels between the speech, pauses aside, and it."""
    step = round(STEP_S * SAMPLE_RATE_HZ)
    spoken = np.repeat(clean.spoken, step)[: len(clean.sound)]
    power = np.mean(np.square(clean.sound[: len(spoken)][spoken]))
    factor = np.sqrt(power / np.mean(np.square(noise))) * 10 ** (-snr_db / 20)
    return np.asarray(clean.sound + factor * noise[: len(clean.sound)], np.float32)


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """How a loudspeaker is heard by the microphone."""

    name: str
    reverberation_s: float
    direct_db: float
    """Level of the direct way above all that is thrown back."""
    delay_s: float


ROOMS = (
    Room(name="beside the laptop", reverberation_s=0.25, direct_db=5, delay_s=0.08),
    Room(name="across a living room", reverberation_s=0.45, direct_db=-1, delay_s=0.15),
    Room(name="in a bare hall", reverberation_s=0.7, direct_db=-6, delay_s=0.22),
)


def echoed(sound: Sound, room: Room, rng: np.random.Generator) -> Sound:
    """Return what the microphone hears of the loudspeaker."""
    count = round(room.reverberation_s * SAMPLE_RATE_HZ)
    tail = rng.normal(0, 1, count) * 10 ** (-3 * np.arange(count) / count)
    tail *= 10 ** (-room.direct_db / 20) / np.sqrt(np.sum(np.square(tail)))
    back = np.convolve(sound, np.concatenate([[1.0], tail]))[: len(sound)]
    late = np.concatenate([np.zeros(round(room.delay_s * SAMPLE_RATE_HZ)), back])
    return _level(np.asarray(late[: len(sound)], np.float32))


def frames(sound: Sound, size: int) -> Iterator[Sound]:
    """Yield the whole frames of a sound."""
    for start in range(0, len(sound) - size + 1, size):
        yield sound[start : start + size]
