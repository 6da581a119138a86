"""A question that is only arithmetic with dates, read off its words: pure.

English only. What is not understood whole is not understood: the question then goes the usual way.
"""

import re
from typing import Any

_ONES = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: 10 * number
    for number, word in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2
    )
}
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
    r"^how\s+many\s+days\s+(?:are\s+(?:there\s+)?|is\s+it\s+)?(?:from|between)\s+(?P<start>.+?)\s+"
    r"(?:until|till|to|and)\s+(?P<end>.+?)[?.!]*$",
    re.IGNORECASE,
)
_DAY_FIRST = re.compile(
    rf"^(?:the\s+)?(?P<day>[\w-]+(?:\s[a-z]+)??)\s+(?:of\s+)?(?P<month>{_MONTH})(?:,?\s+(?P<year>\d{{4}}))?$"
)
_MONTH_FIRST = re.compile(
    rf"^(?P<month>{_MONTH})\s+(?:the\s+)?(?P<day>[\w-]+(?:\s[a-z]+)??)(?:,?\s+(?P<year>\d{{4}}))?$"
)


def number(words: str) -> int | None:
    """Return the number that figures or English words name, below a thousand; else None."""
    text = words.strip().casefold()
    if re.fullmatch(r"\d{1,6}", text):
        return int(text)
    total, known = 0, False
    for word in re.split(r"[\s-]+", text):
        if word in _ONES:
            total += _ONES[word]
        elif word in _TENS:
            total += _TENS[word]
        elif word == "hundred":
            total = max(total, 1) * 100
        elif word not in ("a", "and"):
            return None
        known = True
    return total if known else None


def ordinal(words: str) -> int | None:
    """Return the day of a month that figures or English words name; else None."""
    text = words.strip().casefold()
    figures = re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)?", text)
    if figures:
        return int(figures[1])
    tens, _, last = text.replace("-", " ").rpartition(" ")
    if last in _ORDINALS:
        ones = _ORDINALS[last]
    elif last.removesuffix("th") in _ONES:
        ones = _ONES[last.removesuffix("th")]
    else:
        return None
    return ones + (_TENS.get(tens, 100) if tens else 0)


def day(words: str, year: int) -> str | None:
    """Return a date in words as YYYY-MM-DD, of this year where it names none; else None."""
    text = words.strip().casefold()
    if text == "today" or re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return text
    found = _DAY_FIRST.match(text) or _MONTH_FIRST.match(text)
    if found is None:
        return None
    of_month = ordinal(found["day"])
    if of_month is None or not 1 <= of_month <= 31:
        return None
    return f"{int(found['year'] or year):04}-{_MONTHS[found['month']]:02}-{of_month:02}"


def arguments(question: str, year: int) -> dict[str, Any] | None:
    """Return the arguments of the tool `dates` that answer the question; None if it asks more."""
    counted = _COUNTED.match(question.strip())
    if counted:
        amount, start = number(counted["amount"]), day(counted["start"], year)
        if amount is None or start is None:
            return None
        signed = -amount if counted["side"].casefold() == "before" else amount
        unit = f"{counted['unit'].casefold()}s"
        return {"operation": "add", "start": start, "amount": signed, "unit": unit}
    between = _BETWEEN.match(question.strip())
    if between:
        start, end = day(between["start"], year), day(between["end"], year)
        if start is not None and end is not None:
            return {"operation": "between", "start": start, "end": end}
    return None
