"""Whether a person who breaks in is noticed, and the loudspeaker alone is not."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from agent.bench.voice.material import ROOMS, Room, Sound, echoed, white
from agent.talking.ear import VoiceEar
from tools.senses.base import SAMPLE_RATE_HZ
from tools.senses.echo import Echo
from tools.senses.utterances import Edge, Rules
from tools.senses.voice import FRAME, FRAME_S, SileroDetector

LEVELS_DB = (0, 6, 12)
"""Of the person above the loudspeaker, at the microphone."""

_HISS = 0.02
_AFTER_S = 2.0
"""When the person begins."""


def measure(answers: Sequence[Sound], persons: Sequence[Sound], seed: int) -> list[dict[str, Any]]:
    """Let each answer be played in each room, alone and with each person over it."""
    return [_in(room, answers, persons, np.random.default_rng(seed)) for room in ROOMS]


def _in(
    room: Room, answers: Sequence[Sound], persons: Sequence[Sound], rng: np.random.Generator
) -> dict[str, Any]:
    alone, over = [], {level: list[float | None]() for level in LEVELS_DB}
    for answer in answers:
        echo = echoed(answer, room, rng)
        echo += _HISS * white(len(echo), rng)
        alone.append(_noticed(echo, answer))
        for person in persons:
            at = round(_AFTER_S * SAMPLE_RATE_HZ)
            placed = np.zeros_like(echo)
            placed[at : at + len(person)] = person[: len(echo) - at]
            for level, found in over.items():
                noticed = _noticed(echo + placed * 10 ** (level / 20), answer)
                found.append(None if noticed is None else noticed - _AFTER_S)
    return {
        "room": room.name,
        "answers": len(alone),
        "interrupted_itself": sum(one is not None for one in alone),
        "person": {str(level): _told(found) for level, found in over.items()},
    }


def _noticed(heard: Sound, played: Sound) -> float | None:
    """Return after how many seconds somebody was taken to speak; None: nobody was."""
    ear, echo = VoiceEar(SileroDetector(), Rules()), Echo()
    for start in range(0, len(heard) - FRAME + 1, FRAME):
        frame = np.asarray(heard[start : start + FRAME], np.float32)
        echo.add(frame, played[start : start + FRAME])
        if ear.hear(frame, lambda: echo.only) is Edge.BEGAN:
            return start / SAMPLE_RATE_HZ + FRAME_S
    return None


def _told(found: Sequence[float | None]) -> dict[str, Any]:
    noticed = [one for one in found if one is not None and one > 0]
    return {
        "tries": len(found),
        "noticed": len(noticed),
        "after_s": round(float(np.median(noticed)), 2) if noticed else None,
    }
