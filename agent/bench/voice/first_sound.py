"""How soon an answer sounds while it is being written."""

import asyncio
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.bench.voice.material import ANSWERS
from agent.talking.mouth import Mouth
from agent.talking.script import Script
from tools.senses.speech import EspeakSynthesizer

WORDS_PER_S = 30.0
"""As a 14B model writes on a card of 24 GB."""


class _Stopwatch:
    """A loudspeaker that tells when it was first given something."""

    name = "stopwatch"
    live = False
    played = 0

    def __init__(self) -> None:
        self.waiting = 0
        self.first_s: float | None = None

    def play(self, samples: NDArray[np.int16]) -> None:
        if self.first_s is None:
            self.first_s = time.monotonic()
        self.waiting += len(samples)

    def stop(self) -> None:
        self.waiting = 0

    def pass_time(self, seconds: float) -> None:
        pass


async def measure(answers: Sequence[str] = ANSWERS) -> dict[str, float]:
    """Write an answer word by word and say it meanwhile. A first one loads the voice."""
    await _timed("Yes. No.")
    begun_s, first_s, written_s = await _timed(" ".join(answers))
    return {
        "words_per_s": WORDS_PER_S,
        "first_sound_s": round(first_s - begun_s, 3),
        "written_s": round(written_s - begun_s, 3),
    }


async def _timed(answer: str) -> tuple[float, float, float]:
    stopwatch, script, failures = _Stopwatch(), Script(), list[Exception]()
    changed = asyncio.Event()
    mouth = Mouth(
        EspeakSynthesizer(),
        stopwatch,
        language=lambda _: "en",
        changed=changed.set,
        failed=failures.append,
    )
    begun_s = time.monotonic()
    for word in answer.split():
        await asyncio.sleep(1 / WORDS_PER_S)
        for sentence in script.add(f"{word} "):
            mouth.say(sentence, aside=False)
    written_s = time.monotonic()
    for sentence in script.end(answer):
        mouth.say(sentence, aside=False)
    while mouth.making:
        changed.clear()
        await changed.wait()
    for failure in failures:
        raise failure
    assert stopwatch.first_s is not None, "something was said"
    return begun_s, stopwatch.first_s, written_s
