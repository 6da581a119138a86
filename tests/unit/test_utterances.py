"""Where an utterance begins and ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.talking.ear import HeldEar, VoiceEar
from tools.senses.utterances import QUIET, Edge, Rules, Spoken, heard
from tools.senses.voice import FRAME, FRAME_S

RULES = Rules(pause_s=0.5, shortest_s=0.2, longest_s=2.0, lead_s=0.3, gap_s=0.2)
STEP_S = 0.1


def edges(pattern: str) -> list[tuple[int, Edge]]:
    """Take a frame of 0.1 s for each letter: `#` speech, `.` silence, `~` neither."""
    probability = {"#": 0.9, ".": 0.1, "~": 0.4}
    spoken: Spoken = QUIET
    found = []
    for at, letter in enumerate(pattern):
        spoken, edge = heard(spoken, probability[letter], STEP_S, RULES)
        if edge is not None:
            found.append((at, edge))
    return found


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("...........", []),
        ("..###.....", [(3, Edge.BEGAN), (9, Edge.ENDED)]),
        ("..#........", []),  # a click
        ("#...#...#...#...", []),  # clicks, one behind the other
        ("#.#.....", [(2, Edge.BEGAN), (7, Edge.ENDED)]),  # a stop consonant
        ("###....###.....", [(1, Edge.BEGAN), (14, Edge.ENDED)]),  # a pause that is too short
        ("##~~~~~##.....", [(1, Edge.BEGAN), (13, Edge.ENDED)]),  # going on quietly
        ("~~~~~~", []),
        ("####################....", [(1, Edge.BEGAN), (19, Edge.CUT)]),
        # What goes on behind a cut begins nothing before the next pause.
        (
            "#########################.....##.....",
            [(1, Edge.BEGAN), (19, Edge.CUT), (31, Edge.BEGAN), (36, Edge.ENDED)],
        ),
    ],
)
def test_an_utterance_begins_with_enough_speech_and_ends_with_enough_silence(
    pattern: str, expected: list[tuple[int, Edge]]
) -> None:
    assert edges(pattern) == expected


@given(st.text("#.~", max_size=200))
def test_beginnings_and_ends_take_turns_and_no_utterance_is_longer_than_it_may_be(
    pattern: str,
) -> None:
    found = edges(pattern)
    assert [edge is Edge.BEGAN for _, edge in found] == [at % 2 == 0 for at in range(len(found))]
    for (began, _), (ended, _) in zip(found[::2], found[1::2], strict=False):
        assert (ended - began) * STEP_S <= RULES.longest_s


class Told:
    """A detector that is told what to hear: the loudness of the frame."""

    def probability(self, frame: np.ndarray) -> float:
        return float(frame[0])


def sound(pattern: str) -> list[np.ndarray]:
    return [
        np.full(FRAME, 0.9 if letter == "#" else 0.01 * at / 100, np.float32)
        for at, letter in enumerate(pattern)
    ]


def test_an_utterance_keeps_what_came_just_before_it_and_little_of_the_pause() -> None:
    ear = VoiceEar(Told(), Rules(pause_s=20 * FRAME_S, lead_s=5 * FRAME_S))
    frames = sound("." * 30 + "#" * 10 + "." * 30)
    found = [ear.hear(frame, lambda: False) for frame in frames]
    assert [edge for edge in found if edge] == [Edge.BEGAN, Edge.ENDED]
    kept = ear.utterance().reshape(-1, FRAME)[:, 0]
    first = next(at for at, level in enumerate(kept) if level > 0.5)
    assert 4 <= first <= 5
    assert (kept > 0.5).sum() == 10
    assert len(kept) - first - 10 <= 10


def test_what_is_the_loudspeakers_begins_nothing_but_a_voice_that_has_begun_goes_on() -> None:
    ear = VoiceEar(Told(), Rules())
    voice = sound("#" * 40)
    assert not any(ear.hear(frame, lambda: True) for frame in voice)
    assert [edge for frame in voice if (edge := ear.hear(frame, lambda: False))] == [Edge.BEGAN]
    assert not any(ear.hear(frame, lambda: True) for frame in voice)
    assert ear.end() is Edge.ENDED
    assert ear.utterance()[-1] > 0.5


def test_a_key_begins_and_ends_an_utterance() -> None:
    ear = HeldEar(Rules(longest_s=10 * FRAME_S))
    frames = sound("#" * 40)
    assert ear.hear(frames[0], lambda: True) is None
    ear.press()
    assert ear.hear(frames[1], lambda: True) is Edge.BEGAN
    assert ear.hear(frames[2], lambda: True) is None
    ear.press()
    assert ear.hear(frames[3], lambda: True) is Edge.ENDED
    assert len(ear.utterance()) == 3 * FRAME
    ear.press()
    found = [ear.hear(frame, lambda: True) for frame in frames[:12]]
    assert [edge for edge in found if edge] == [Edge.BEGAN, Edge.CUT]
    assert ear.end() is None
