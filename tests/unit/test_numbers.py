"""Numbers in figures and in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.numbers import english, numbers

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()


def in_english(number: int) -> str:
    if number >= 1000:
        above, below = divmod(number, 1000)
        return f"{in_english(above)} thousand" + (f" {in_english(below)}" if below else "")
    if number >= 100:
        above, below = divmod(number, 100)
        return f"{ONES[above]} hundred" + (f" and {in_english(below)}" if below else "")
    tens, ones = divmod(number, 10)
    if tens < 2:
        return ONES[number]
    return TENS[tens] + (f"-{ONES[ones]}" if ones else "")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1250 and 1,250 and 1,250.00 and 1'250 and 1\u202f250 and 1 250", "1250"),
        ("1,250.50 or 1.250,50", "1250.50"),
        ("3,000,000 or 3.000.000 or 3 000 000", "3000000"),
        ("1,4 bar or 1.4 bar", "1.4"),
        ("1.250 is kept, since it may be either", "1.250"),
        ("in 2024 250 people", "2024 250"),
        ("5, 6.", "5 6"),
        ("10-12 and 10–12", "10 12"),
        ("at 8:30", "8:30"),
        ("3/4 inch", "3/4"),
        ("invoice 2026-0187", "2026 0187"),
        ("2026-06-30 or 30.06.2026 or 30. 2026", "30 2026"),
        ("05 or 5 or 5.0", "5"),
        ("E6, IP42, v2.0", "6 42 2"),
        ("\u0663\u0664 or \uff13\uff14", "34"),
        ("10² and ½", "10"),
        ("no number at all", ""),
        ("one of the keys", ""),
        ("four seven one", "4 7"),
        ("ninety days; nine days", "90 9"),
        ("nineteen eighty-four", "19 84"),
        ("a hundred", "100"),
        ("often, weighty, tension, nineteenth", ""),
        ("vierundzwanzig oder 24", "24"),
        ("hundertzwanzig, dreihundertfünfundvierzig, zweihundertundeins", "120 345 201"),
        ("Dreißig und sechzehn", "30 16"),
        ("wichtig, fleißig, eine Achtung, einmal", ""),
        ("二十五个孩子", "25"),
        ("二〇二六年", "2026"),
        ("一百二十", "120"),
        ("两千零五", "2005"),
        ("十一", "11"),
        ("一起", ""),
    ],
)
def test_a_number_is_the_same_however_it_is_written(text: str, found: str) -> None:
    assert numbers(text) == set(found.split())


@given(st.integers(2, 999_999))
def test_english_number_words_are_read(number: int) -> None:
    assert english(in_english(number)) == [number]
    assert numbers(f"about {in_english(number)} days") == {str(number)}


@given(st.integers(0, 10**12), st.integers(0, 99))
def test_thousands_marks_change_nothing(whole: int, cents: int) -> None:
    point = f"{whole:,}.{cents:02}"
    comma = point.translate(str.maketrans(",.", ".,"))
    assert numbers(point) == numbers(f"{whole}.{cents:02}")
    assert numbers(comma) == numbers(point)


@pytest.mark.parametrize("word", ["九", "thousand ", "hundred ", "9", "neun", "1,"])
def test_a_number_without_end_is_some_number(word: str) -> None:
    assert numbers(word * 5000) or word == "neun"


@given(st.text(max_size=60))
def test_any_text_has_some_numbers_or_none(text: str) -> None:
    assert all(number[0].isdigit() for number in numbers(text))
