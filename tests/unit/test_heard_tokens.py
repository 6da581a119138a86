import pytest

from tools.senses.hearing import cleaned
from tools.senses.sphinx import Token


def token(entry: str, probability: float = 1.0) -> Token:
    return Token(entry=entry, start=50, end=79, probability=probability)


@pytest.mark.parametrize("entry", ["<s>", "</s>", "<sil>", "[NOISE]", "[SPEECH]", "++UH++"])
def test_silences_and_noises_are_no_words(entry: str) -> None:
    assert list(cleaned([token(entry)], 0.0)) == []


@pytest.mark.parametrize(("entry", "text"), [("the(2)", "the"), ("read(12)", "read"), ("a", "a")])
def test_the_number_of_a_pronunciation_is_left_out(entry: str, text: str) -> None:
    [word] = cleaned([token(entry)], 0.0)
    assert word.text == text


def test_a_word_has_the_time_of_its_piece_and_lasts_to_the_end_of_its_last_frame() -> None:
    [word] = cleaned([token("ask", 0.25)], 60.0)
    assert (word.start_s, word.end_s, word.probability) == (60.5, 60.8, 0.25)


def test_what_lasts_longer_than_any_word_is_a_tone() -> None:
    tone = Token(entry="dog", start=0, end=150, probability=1.0)
    assert list(cleaned([tone], 0.0)) == []
