"""What the models of hearing decide without their libraries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.senses.base import SAMPLE_RATE_HZ, Segment, Word
from tools.senses.errors import WeightsError
from tools.senses.models import parakeet, replica, sentences, speakers, voice
from tools.senses.models.speakers import Turn
from tools.senses.models.voice import WINDOW_S, Span


def words(text: str, each_s: float = 1.0) -> list[Word]:
    return [
        Word(text=one, start_s=at * each_s, end_s=(at + 1) * each_s)
        for at, one in enumerate(text.split())
    ]


def test_words_are_cut_to_sentences_with_their_times() -> None:
    text = "It is cold. Is it? Yes, Dr. Smith!"
    told = sentences.segments(text, words(text), 0.0, 30.0)
    assert [(one.text, one.start_s, one.end_s) for one in told] == [
        ("It is cold.", 0.0, 3.0),
        ("Is it?", 3.0, 5.0),
        ("Yes, Dr. Smith!", 5.0, 8.0),
    ]
    assert [word.text for one in told for word in one.words] == text.split()


def test_a_sentence_without_timed_words_stands_with_its_neighbour() -> None:
    text = "No. It is cold. 42."
    told = sentences.segments(text, words("It is cold."), 0.0, 9.0)
    assert [(one.text, one.start_s, one.end_s) for one in told] == [(text, 0.0, 3.0)]


def test_text_without_words_has_the_times_of_its_window() -> None:
    told = sentences.segments(" One. Two. ", [], 3.0, 9.0)
    assert told == [Segment(text="One. Two.", start_s=3.0, end_s=9.0)]
    assert sentences.segments("  ", [], 3.0, 9.0) == []


def test_characters_are_words_where_no_spaces_are_written() -> None:
    text = "今日は。寒い。"
    told = sentences.segments(text, words(" ".join(text)), 0.0, 9.0)
    assert [one.text for one in told] == ["今日は。", "寒い。"]
    assert [len(one.words) for one in told] == [4, 3]


@given(st.text(alphabet="ab. ?!。", max_size=40), st.lists(st.text("ab.", min_size=1), max_size=8))
def test_no_word_and_no_letter_is_lost(text: str, said: list[str]) -> None:
    given_words = words(" ".join(said))
    told = sentences.segments(text, given_words, 0.0, 9.0)
    assert "".join("".join(one.text.split()) for one in told) == "".join(text.split())
    if text.strip():
        assert [word for one in told for word in one.words] == given_words


@given(
    st.lists(st.tuples(st.floats(0.0, 40.0), st.floats(0.1, WINDOW_S)), max_size=20),
)
def test_windows_hold_all_speech_and_none_is_too_long(gaps: list[tuple[float, float]]) -> None:
    spans, at = [], 0
    for gap_s, said_s in gaps:
        start = at + round(gap_s * SAMPLE_RATE_HZ)
        at = start + int(said_s * SAMPLE_RATE_HZ)
        spans.append(Span(start=start, end=at))
    joined = voice.windows(spans)
    assert all(one.end - one.start <= WINDOW_S * SAMPLE_RATE_HZ for one in joined)
    for one in spans:
        assert sum(window.start <= one.start and one.end <= window.end for window in joined) == 1


def test_speakers_are_those_who_are_heard_longest() -> None:
    turns = [
        Turn(start_s=0.0, end_s=2.2, speaker="A"),
        Turn(start_s=2.0, end_s=3.0, speaker="B"),
        Turn(start_s=9.0, end_s=10.0, speaker="B"),
    ]
    [told] = speakers.named(
        [Segment(text="a b c d", start_s=0.0, end_s=4.0, words=tuple(words("a b c d")))], turns
    )
    assert told.speaker == "A"
    assert [word.speaker for word in told.words] == ["A", "A", "B", None]


def test_tokens_are_joined_to_words() -> None:
    tokens = [
        {"token": "Wa", "start": 0.0, "end": 0.2},
        {"token": "ter", "start": 0.2, "end": 0.4},
        {"token": ",", "start": 0.4, "end": 0.4},
        {"token": " is", "start": 0.8, "end": 0.9},
        {"token": " ", "start": 0.9, "end": 1.0},
        {"token": " wet", "start": 1.0, "end": 1.16},
    ]
    told = [(one.text, one.start_s, one.end_s) for one in parakeet.words(tokens)]
    assert told == [("Water,", 0.0, 0.4), ("is", 0.8, 0.9), ("wet", 1.0, 1.16)]
    assert list(parakeet.words([])) == []


@pytest.mark.parametrize(
    ("variant", "kind", "expected"),
    [
        ("whisper-large-v3-fp16", "cuda", "float16"),
        ("whisper-large-v3-fp16", "cpu", "float32"),
        ("whisper-large-v3-int8", "cuda", "int8_float16"),
        ("whisper-large-v3-int8", "cpu", "int8"),
    ],
)
def test_a_variant_says_what_is_computed_in(variant: str, kind: str, expected: str) -> None:
    assert replica.compute_type(variant, kind) == expected


def test_a_variant_without_a_precision_is_refused() -> None:
    with pytest.raises(WeightsError, match="'whisper-large-v3' says no precision"):
        replica.compute_type("whisper-large-v3", "cpu")
