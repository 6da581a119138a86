"""Questions that are only arithmetic with dates."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.dates_asked import arguments, day, number, ordinal
from graphs.guided import plan

TODAY = date(2026, 3, 2)
MONTHS = (
    "January February March April May June July August September October November December"
).split()


def add(start: str, amount: int, unit: str = "days") -> dict[str, Any]:
    return {"operation": "add", "start": start, "amount": amount, "unit": unit}


def between(start: str, end: str) -> dict[str, Any]:
    return {"operation": "between", "start": start, "end": end}


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("which day is ninety days after the first of march", add("2026-03-01", 90)),
        ("What date is a week from today?", add("2026-03-02", 1, "weeks")),
        ("What day is three days from now?", add("2026-03-02", 3)),
        ("And what date was 2 months before 30 June 2024?", add("2024-06-30", -2, "months")),
        ("What date is one hundred and twenty days after 2026-01-05?", add("2026-01-05", 120)),
        ("what date comes an year after may the twenty-first", add("2026-05-21", 1, "years")),
        (
            "How many days are there between 1 May and the third of June?",
            between("2026-05-01", "2026-06-03"),
        ),
        ("how many days from March 3rd to May 5, 2027", between("2026-03-03", "2027-05-05")),
        ("How many days is it until December 24?", between("2026-03-02", "2026-12-24")),
        ("How many days until 1 March?", between("2026-03-02", "2027-03-01")),
        (
            "How many days are there between December 20 and January 5?",
            between("2026-12-20", "2027-01-05"),
        ),
        ("how many days from March 5 to today", between("2025-03-05", "2026-03-02")),
        ("how many days from today until today", between("2026-03-02", "2026-03-02")),
        (
            "How many days from 2026-05-01 to 2026-04-01?",
            between("2026-05-01", "2026-04-01"),
        ),
    ],
)
def test_a_question_on_dates_is_understood(question: str, asked: dict[str, Any]) -> None:
    assert arguments(question, TODAY) == asked
    assert plan(question, TODAY) == ("dates", asked)


@pytest.mark.parametrize(
    "question",
    [
        "Which day is ninety days after the delivery?",
        "What day is a couple of days after May 1?",
        "What day is two three days after May 1?",
        "What day is 3 days after February 30?",
        "What day is 3 days after the fortieth of May?",
        "How many days are between May and June?",
        "How many days is the loan?",
        "How many days to renew a card?",
        "How many weeks are there between 1 May and 3 June?",
        "Which day is the hedge cut?",
        "Welcher Tag ist 90 Tage nach dem 1. März?",
        "",
    ],
)
def test_what_is_not_understood_whole_is_not_understood(question: str) -> None:
    assert arguments(question, TODAY) is None


@given(
    st.dates(date(1, 1, 1), date(9999, 12, 31)), st.sampled_from(["{d} {m} {y}", "{m} {d}, {y}"])
)
def test_every_date_in_words_is_that_date(wanted: date, form: str) -> None:
    text = form.format(d=wanted.day, m=MONTHS[wanted.month - 1], y=f"{wanted.year:04}")
    assert day(text, TODAY) == wanted
    assert day(wanted.isoformat(), TODAY) == wanted


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("90", 90),
        ("ninety", 90),
        ("twenty five", 25),
        ("a hundred", 100),
        ("a", 1),
        ("one", 1),
        ("zero", 0),
        ("two three", None),
        ("several", None),
        ("ninety or so", None),
        ("and", None),
        ("", None),
    ],
)
def test_numbers(words: str, value: int | None) -> None:
    assert number(words) == value


def test_all_ordinals_of_a_month() -> None:
    spelled = (
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
        "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
    ).split()
    spelled += [f"twenty-{one}" for one in spelled[:9]] + ["thirtieth", "thirty first"]
    assert [ordinal(word) for word in spelled] == [*range(1, 32)]
    assert [ordinal(word) for word in ("1st", "22nd", "3rd", "31")] == [1, 22, 3, 31]
    assert ordinal("thirtieth first") not in range(1, 32)
    assert ordinal("next") is None


@pytest.mark.parametrize(
    ("question", "tool"),
    [
        ("What time is it?", "now"),
        ("What's the date today?", "now"),
        ("Wie spät ist es?", "now"),
        ("现在几点？", "now"),
        ("What is the time limit for it?", "recall"),
        ("What is the date of today's meeting?", "recall"),
        ("讲故事活动几点开始？", "recall"),
        ("Where is the key?", "recall"),
    ],
)
def test_only_a_question_for_the_time_itself_asks_the_clock(question: str, tool: str) -> None:
    assert plan(question, TODAY)[0] == tool


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("Remember that the key is here.", "the key is here."),
        ("Please note: bins go out at nine", "bins go out at nine"),
        ("Merk dir, dass der Schlüssel hier ist.", "der Schlüssel hier ist."),
        ("记住钥匙在抽屉里", "钥匙在抽屉里"),
        ("记住：钥匙在抽屉里", "钥匙在抽屉里"),
    ],
)
def test_a_fact_to_be_remembered_is_taken_out_of_its_sentence(question: str, fact: str) -> None:
    assert plan(question, TODAY) == ("remember", {"fact": fact})
