"""Text as phonemes, by the real misaki without a model of spaCy."""

import pytest

from tools.senses.background import Patience
from tools.senses.models import phonemes

# Of misaki, at how it reads its dictionaries.
pytestmark = pytest.mark.filterwarnings("ignore")

ALL = frozenset(map(chr, range(32, 0x10000)))


@pytest.fixture(scope="module")
def american() -> phonemes.Phonemes:
    return phonemes.of("a")


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Hello, world!", "həlˈO, wˈɜɹld!"),
        ("It cost $12.50.", "ˌɪt kˈɔst twˈɛlv dˈɑləɹz ænd fˈɪfti sˈɛnts."),
        ("An apple a day", "ɐn ˈæpᵊl ɐ dˈA"),
        ('He said: "No."', "hˌi sˈɛd: “nˈO.”"),
        ("in the house", "ɪn ðə hˈWs"),
        ("well-known", "wˌɛlnˈOn"),
        ("yes - no", "jˈɛs — nˈO"),
        ("in 1999", "ɪn nˌIntˈin nˈIndi nˈIn"),
    ],
)
def test_english_is_spoken_by_its_dictionary(
    american: phonemes.Phonemes, text: str, spoken: str
) -> None:
    assert american(text) == spoken


def test_a_word_that_no_dictionary_has_is_spoken_too(american: phonemes.Phonemes) -> None:
    assert american("Zxorblat") != ""


def test_british_is_another_english() -> None:
    assert phonemes.of("b")("Hello, car!") == "həlˈQ, kˈɑː!"


@pytest.mark.parametrize("letter", ["e", "f", "h", "i", "p"])
def test_other_languages_are_spoken_by_espeak(letter: str) -> None:
    assert phonemes.of(letter)("Radio 3, si.").count(",") == 1


def pieces(text: str, most: int) -> list[str]:
    return list(phonemes.pieces(text, str, ALL, most, Patience()))


def test_short_sentences_are_spoken_together_up_to_a_comfortable_length() -> None:
    sentence = "A sentence of some words. "
    many = pieces(sentence * 40, 510)
    assert len(many) == 4
    assert all(200 < len(one) <= phonemes.COMFORTABLE for one in many[:-1])
    assert " ".join(many) == (sentence * 40).strip()


@pytest.mark.parametrize(
    "text", ["word " * 400, "part of it, " * 100, "x" * 2000, "no end; " * 99, "日本語" * 400]
)
def test_a_sentence_without_an_end_is_parted_and_nothing_is_lost(text: str) -> None:
    many = pieces(text, 510)
    assert len(many) > 1
    assert all(0 < len(one) <= 510 for one in many)
    assert "".join(many).replace(" ", "") == text.replace(" ", "")


def test_a_sentence_is_parted_at_its_marks_before_its_spaces() -> None:
    assert pieces("one two three four; five six seven", 25) == [
        "one two three four;",
        "five six seven",
    ]


def test_a_letter_of_many_phonemes_is_parted_too() -> None:
    spoken = list(phonemes.pieces("x", lambda _: "a" * 25, ALL, 10, Patience()))
    assert spoken == ["a" * 10, "a" * 10, "a" * 5]


def test_phonemes_that_the_model_does_not_know_are_left_out() -> None:
    assert list(phonemes.pieces("abc", str, frozenset("ac"), 10, Patience())) == ["ac"]
    assert list(phonemes.pieces("ˈ...", str, ALL, 10, Patience())) == []
