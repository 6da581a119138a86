"""Where sentences end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.sentences import sentences


def cut(text: str) -> list[str]:
    return [text[start:end].strip() for start, end in sentences(text)]


@pytest.mark.parametrize(
    "parts",
    [
        ["The pump starts.", "It stops at 3.6 bar."],
        ["Am 12. März kam Dr. Weber, z. B. mit J. Smith.", "Er blieb."],
        ['He said "Stop!"', "Nobody did."],
        ["Really?!", "Yes…", "No."],
        ["请每三个月更换一次滤芯。", "检查压力表！", "好吗？"],
        ["この水は飲めません。", "水道水です。"],
        ["यह पानी है।", "पीना नहीं।"],
        ["See e.g. chapter 5 of the handbook."],
        ["It costs 5.00.", "The bus leaves at 10:30.", "Error E12.", "Cards are free."],
        ["version 2.0.1 is out... maybe"],
    ],
)
def test_sentences_of_many_languages_are_told_apart(parts: list[str]) -> None:
    assert cut(" ".join(parts)) == parts


@given(st.text(st.sampled_from("aB.!? \n。」1"), max_size=80))
def test_sentences_are_the_whole_text_letter_for_letter(text: str) -> None:
    assert "".join(text[start:end] for start, end in sentences(text)) == text


def test_only_the_stretch_that_was_asked_for_is_cut() -> None:
    text = "One. Two. Three."
    assert [text[a:b] for a, b in sentences(text, 5, 9)] == ["Two."]
