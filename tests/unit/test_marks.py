"""Marks as models write them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import marks


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("a [1] b [2]", [1, 2]),
        ("a [1, 2]", [1, 2]),
        ("a [1][2][1]", [1, 2]),
        ("a [2;7]", [2, 7]),
        ("a [1 and 3]", [1, 3]),
        ("a [2-4]", [2, 3, 4]),
        ("a [2–4]", [2, 3, 4]),
        ("a [4-2]", []),
        ("a [Passage 3]", [3]),
        ("a [sources 1, 2]", [1, 2]),
        ("a [^1]", [1]),
        ("甲【1】", [1]),
        ("a [99]", [99]),
        ("in [2024] and [sic] and [a] and []", []),
        ("a [" + "9" * 5000 + "]", []),
    ],
)
def test_marks_are_read(text: str, numbers: list[int]) -> None:
    assert marks.read(text) == numbers


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("It holds [1].", "It holds."),
        ("It holds [1, 2], and [Passage 3] more【4】。", "It holds, and more。"),
        ("in [2024] [sic]", "in [2024] [sic]"),
        ("[[1]2]", ""),
        ("So `a[1]` is [1].", "So `a[1]` is."),
        ("``a` [1]`` [2]", "``a` [1]``"),
        ("one ` [1] and no more", "one ` and no more"),
        ("`a[1]\n`b[2]", "`a\n`b"),
        ("So [1]:\n\n```py\na[1]\n```\nand [2].", "So:\n\n```py\na[1]\n```\nand."),
        ("- one:\n  ~~~~\n  a[1]\n  ~~~\n  b[2]\n  ~~~~~\n", None),
        ("> ```\n> a[1]\n> ```\n> so [1]", "> ```\n> a[1]\n> ```\n> so"),
        ("```\na[1]\n```not an end\nb[1]", None),
        ("```a[1]``` is code and no fence [1]", "```a[1]``` is code and no fence"),
        ("```\ncut off a[1]", None),
    ],
)
def test_marks_are_taken_out_and_code_stands(text: str, plain: str | None) -> None:
    assert marks.without(text) == (text if plain is None else plain)


@pytest.mark.parametrize(
    ("text", "gathered"),
    [
        ("One. [1] Two. [2]", "One [1]. Two [2]."),
        ("One.[1][2] Two.", "One[1][2]. Two."),
        ('He said "Stop." [1] Then.', 'He said "Stop [1]." Then.'),
        ("他说好。[1]然后走了。[2]", "他说好[1]。然后走了[2]。"),
        ("One. [2] says so.", "One. [2] says so."),
        ("One.\n[1]\nTwo [2].", "One[1].\nTwo [2]."),
        ("[1] One. [2] Two.", "[1] One. [2] Two."),
        ("- [1] One. [2] Two.", "- [1] One. [2] Two."),
        ("One [1]. Two [2].", "One [1]. Two [2]."),
        ("`x` [1] is old. [2] New.", "`x` [1] is old [2]. New."),
        ("`a.[1]` Two. [2]", "`a.[1]` Two [2]."),
        ("```\na = 1.\n[1]\nb.[2]\n```", "```\na = 1.\n[1]\nb.[2]\n```"),
    ],
)
def test_a_mark_stands_in_the_sentence_that_it_follows(text: str, gathered: str) -> None:
    assert marks.gathered(text) == gathered


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("It holds.", "It holds [1][2]."),
        ("它很好。", "它很好 [1][2]。"),
        ("Really?!", "Really [1][2]?!"),
        ('He said "Stop."', 'He said "Stop." [1][2]'),
        ("| Pump | 1,250 |", "| Pump | 1,250 [1][2] |"),
        ("no stop", "no stop [1][2]"),
    ],
)
def test_marks_are_put_behind_the_last_word(text: str, marked: str) -> None:
    assert marks.added(text, [1, 2]) == marked
    assert marks.added(text, []) == text


PIECES = st.lists(
    st.sampled_from(["One", ". ", "[1]", "[2, 3]", " ", "\n", "[", "]", "7", "。", '"', "- ", "|"]),
    max_size=14,
).map("".join)


@given(PIECES)
def test_gathering_moves_marks_and_loses_nothing(text: str) -> None:
    gathered = marks.gathered(text)
    assert sorted(re.sub(r"\s", "", gathered)) == sorted(re.sub(r"\s", "", text))
    assert sorted(marks.read(gathered)) == sorted(marks.read(text))


@given(PIECES)
def test_what_is_taken_out_is_taken_out_whole(text: str) -> None:
    assert marks.read(marks.without(text)) == []
