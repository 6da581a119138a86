"""A question that is only arithmetic with dates, read off its words: pure.

English only. What is not understood whole is not understood: the question then goes the usual way.
"""

import re
from datetime import date
from typing import Any

from graphs.numbers import ENGLISH_ONES, ENGLISH_TENS, english

_ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fifth": 5,
    "eighth": 8,
    "ninth": 9,
    "twelfth": 12,
    "twentieth": 20,
    "thirtieth": 30,
}
_BETWEEN_NUMBERS = ("hundred", "thousand", "and", "a")
_MONTHS = {
    month: number
    for number, month in enumerate(
        "january february march april may june july august september october november "
        "december".split(),
        start=1,
    )
}
_MONTH = "|".join(_MONTHS)
_COUNTED = re.compile(
    r"^(?:and\s+)?(?:what|which)\s+(?:date|day)\s+(?:is|will\s+it\s+be|was|comes)\s+"
    r"(?P<amount>[\w\s-]+?)\s+(?P<unit>day|week|month|year)s?\s+"
    r"(?P<side>after|from|before)\s+(?P<start>.+?)[?.!]*$",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"^how\s+many\s+days\s+(?:are\s+(?:there\s+)?|is\s+it\s+)?"
    r"(?:(?:from|between)\s+(?P<start>.+?)\s+(?:until|till|to|and)|until|till|to)"
    r"\s+(?P<end>.+?)[?.!]*$",
    re.IGNORECASE,
)
_DAY_FIRST = re.compile(
    rf"^(?:the\s+)?(?P<day>[\w-]+(?:\s[a-z]+)??)\s+(?:of\s+)?(?P<month>{_MONTH})(?:,?\s+(?P<year>\d{{4}}))?$"
)
_MONTH_FIRST = re.compile(
    rf"^(?P<month>{_MONTH})\s+(?:the\s+)?(?P<day>[\w-]+(?:\s[a-z]+)??)(?:,?\s+(?P<year>\d{{4}}))?$"
)


def number(words: str) -> int | None:
    """Return the one number that figures or English words name, below a million; else None."""
    text = words.strip().casefold()
    if re.fullmatch(r"\d{1,6}", text):
        return int(text)
    if text in ("a", "an"):
        return 1
    found = english(text)
    strange = set(re.split(r"[\s-]+", text)) - {*ENGLISH_ONES, *ENGLISH_TENS, *_BETWEEN_NUMBERS}
    return found[0] if len(found) == 1 and not strange else None


def ordinal(words: str) -> int | None:
    """Return the day of a month that figures or English words name; else None."""
    text = words.strip().casefold()
    figures = re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)?", text)
    if figures:
        return int(figures[1])
    tens, _, last = text.replace("-", " ").rpartition(" ")
    if last in _ORDINALS:
        ones = _ORDINALS[last]
    elif last.removesuffix("th") in ENGLISH_ONES:
        ones = ENGLISH_ONES[last.removesuffix("th")]
    else:
        return None
    return ones + (ENGLISH_TENS.get(tens, 100) if tens else 0)


def day(words: str, today: date, *, years_on: int = 0) -> date | None:
    """Return the date that words name, in this year, or so many on, where they name none.

    None where they are not understood, or the calendar has no such day.
    """
    text = words.strip().casefold()
    if text in ("today", "now"):
        return today
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return _date(*map(int, text.split("-")))
    found = _DAY_FIRST.match(text) or _MONTH_FIRST.match(text)
    of_month = None if found is None else ordinal(found["day"])
    if found is None or of_month is None:
        return None
    return _date(int(found["year"] or today.year + years_on), _MONTHS[found["month"]], of_month)


def _date(year: int, month: int, of_month: int) -> date | None:
    try:
        return date(year, month, of_month)
    except ValueError:
        return None


def arguments(question: str, today: date) -> dict[str, Any] | None:
    """Return the arguments of the tool `dates` that answer the question; None if it asks more."""
    asked = question.strip()
    counted, between = _COUNTED.match(asked), _BETWEEN.match(asked)
    if counted is not None:
        return _added(counted, today)
    return None if between is None else _between(between, today)


def _added(counted: re.Match[str], today: date) -> dict[str, Any] | None:
    amount, start = number(counted["amount"]), day(counted["start"], today)
    if amount is None or start is None:
        return None
    signed = -amount if counted["side"].casefold() == "before" else amount
    unit = f"{counted['unit'].casefold()}s"
    return {"operation": "add", "start": start.isoformat(), "amount": signed, "unit": unit}


def _between(between: re.Match[str], today: date) -> dict[str, Any] | None:
    """Take a date without a year for the one that makes the days run forward."""
    start, end = day(between["start"] or "today", today), day(between["end"], today)
    if start is not None and end is not None and end < start:
        if end == today:
            start = day(between["start"], today, years_on=-1)
        else:
            end = day(between["end"], today, years_on=1)
    if start is None or end is None:
        return None
    return {"operation": "between", "start": start.isoformat(), "end": end.isoformat()}
