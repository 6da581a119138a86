from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from tools.senses import pauses
from tools.senses.base import SAMPLE_RATE_HZ, Word
from tools.senses.pauses import LEVEL_S, LONGEST_S, SHORTEST_S

SPEECH_DB, PAUSE_DB = -20.0, -80.0


def levels(*stretches: tuple[float, float]) -> NDArray[np.float32]:
    """Levels of stretches given by their seconds and decibels."""
    return np.concatenate(
        [np.full(round(seconds / LEVEL_S), level, np.float32) for seconds, level in stretches]
    )


def seconds(level_db: NDArray[np.float32]) -> list[tuple[float, float]]:
    return [
        (first * LEVEL_S, last * LEVEL_S)
        for first, last in pauses.pieces(level_db, pauses.loudness_db(level_db))
    ]


def word(text: str, start_s: float, end_s: float) -> Word:
    return Word(text=text, start_s=start_s, end_s=end_s)


def test_a_short_recording_is_one_piece_without_the_silence_around_it() -> None:
    [(start_s, end_s)] = seconds(levels((5, PAUSE_DB), (8, SPEECH_DB), (60, PAUSE_DB)))
    assert start_s == pytest.approx(4.7, abs=0.1)
    assert end_s == pytest.approx(13.3, abs=0.1)


def test_a_long_recording_is_cut_in_its_pauses() -> None:
    spoken = [(14, SPEECH_DB), (1, PAUSE_DB)]
    cut = seconds(levels(*(spoken * 8)))
    assert len(cut) == 8
    for index, (start_s, end_s) in enumerate(cut):
        assert start_s <= 15 * index + 0.5
        assert end_s >= 15 * index + 14


def test_speech_without_a_pause_is_cut_within_bounds_and_nothing_is_lost() -> None:
    cut = seconds(levels((200, SPEECH_DB)))
    assert cut[0][0] == 0
    assert cut[-1][1] == pytest.approx(200, abs=0.1)
    for (_, end_s), (start_s, _) in pairwise(cut):
        assert end_s == start_s
    assert all(SHORTEST_S - 0.1 <= end_s - start_s <= LONGEST_S for start_s, end_s in cut[:-1])


def test_an_hour_of_silence_between_words_is_not_decoded() -> None:
    cut = seconds(levels((400, SPEECH_DB), (3600, PAUSE_DB), (400, SPEECH_DB)))
    assert sum(end_s - start_s for start_s, end_s in cut) < 810


def test_levels_are_those_of_the_sound() -> None:
    tone = np.sin(np.arange(SAMPLE_RATE_HZ * 300) * 0.3).astype(np.float32)
    level_db = pauses.levels(tone * 0.1)
    assert len(level_db) == 10_000
    assert level_db == pytest.approx(-23.0, abs=0.2)
    assert pauses.levels(np.zeros(100, np.float32)) == pytest.approx([-120.0])


@pytest.mark.parametrize(
    ("loud_db", "expected"), [(-10.0, 1.0), (-20.0, 1.0), (-40.0, 10.0), (-60.0, 100.0)]
)
def test_quiet_speech_is_made_louder_and_loud_speech_is_left(
    loud_db: float, expected: float
) -> None:
    assert pauses.gain(loud_db) == pytest.approx(expected)


def test_what_is_hardly_there_is_not_made_louder_than_a_hundred_times() -> None:
    assert pauses.gain(-90.0) == pytest.approx(100.0)


def test_words_are_joined_up_to_a_pause() -> None:
    words = [word("ask", 0.1, 0.4), word("not", 0.45, 0.9), word("what", 1.4, 1.6)]
    first, second = pauses.segments(words)
    assert (first.text, first.start_s, first.end_s) == ("ask not", 0.1, 0.9)
    assert (second.text, second.words) == ("what", (words[2],))


def test_no_words_have_no_segments() -> None:
    assert list(pauses.segments([])) == []
