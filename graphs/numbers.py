"""Numbers of a text, in figures or in words of English, German and Chinese: pure.

A number is told in figures, without thousands marks and with a point: `1,250.50` and `1.250,50` are
`1250.50`, `forty-one` and `四十一` are `41`. A one in words is no number: it is an article too.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

TEXTS_KEPT = 512
"""Texts whose numbers, days and words are remembered."""

ENGLISH_ONES = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen".split()
    )
}
ENGLISH_TENS = {
    word: 10 * number
    for number, word in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2
    )
}
_ENGLISH_WORDS = frozenset([*ENGLISH_ONES, *ENGLISH_TENS, "hundred", "thousand"])
_ENGLISH = "|".join([*reversed(ENGLISH_ONES), *ENGLISH_TENS, "hundred", "thousand"])
_ENGLISH_RUN = re.compile(
    rf"\b(?:{_ENGLISH})(?:(?:\s+and\s+|\s+|-)(?:{_ENGLISH}))*\b", re.IGNORECASE
)

_GERMAN_ONES = {
    word: number
    for number, word in enumerate(
        "ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn "
        "sechzehn siebzehn achtzehn neunzehn".split(),
        start=1,
    )
} | {"eins": 1}
_GERMAN_TENS = {
    word: 10 * number
    for number, word in enumerate(
        "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split(), start=2
    )
}
_GERMAN_ENDS = ("hundert", *_GERMAN_ONES, *_GERMAN_TENS)
_WORD = re.compile(r"\b[a-zäöüß]+\b", re.IGNORECASE)

_CHINESE = dict(zip("〇零一二两三四五六七八九", (0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
_CHINESE_SCALES = {"十": 10, "百": 100, "千": 1000}
_CHINESE_RUN = re.compile(f"[{''.join([*_CHINESE, *_CHINESE_SCALES])}]{{1,24}}")

_LARGEST = 10**9
"""Number from which on words name another one: nobody writes longer ones out."""

_FIGURES = re.compile(
    "\\d{4}-\\d\\d-\\d\\d(?!\\d)"
    "|(?<![\\d.,])\\d{1,3}(?:['’\u00a0\u2009\u202f ]\\d{3})+(?!\\d)(?:[.,]\\d+)?"
    "|\\d+(?:[.,:/]\\d+)*"
)
_GROUP_MARK = re.compile("['’\u00a0\u2009\u202f ]")
_DATE = re.compile(r"(\d{4})-\d\d-(\d\d)|(\d\d?)\.\d\d?\.(\d{4})")
_POINT = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+")
_COMMA = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}|\d+,\d+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Number:
    """A number where it stands."""

    value: str
    start: int
    end: int
    """Characters of the text."""


def numbers(text: str) -> set[str]:
    """Return the values of all numbers of a text."""
    return {number.value for number in found(text)}


# An answer is checked sentence by sentence against the same few texts.
@lru_cache(maxsize=TEXTS_KEPT)
def found(text: str) -> tuple[Number, ...]:
    """Return the numbers of a text; of a date, the day and the year."""
    return tuple(_found(text))


def _found(text: str) -> Iterator[Number]:
    for match in _FIGURES.finditer(text):
        for value in _values(match.group()):
            yield Number(value=value, start=match.start(), end=match.end())
    words = [(match, match.group().lower()) for match in _WORD.finditer(text)]
    german = [match for match, word in words if word.endswith(_GERMAN_ENDS)]
    # The pattern is slow, and most texts have none of its words.
    english = any(word in _ENGLISH_WORDS for _, word in words)
    for matches, read in (
        (_ENGLISH_RUN.finditer(text) if english else (), _english),
        (german, _german),
        (_CHINESE_RUN.finditer(text), _chinese),
    ):
        for match in matches:
            for count in read(match.group().lower()):
                if count != 1:
                    yield Number(value=str(count), start=match.start(), end=match.end())


def english(text: str) -> list[int]:
    """Return the numbers that a text names in English words, a lone one included."""
    return [value for run in _ENGLISH_RUN.findall(text) for value in _english(run.lower())]


def _values(figures: str) -> Iterator[str]:
    plain = re.sub(r"\d", lambda digit: str(unicodedata.decimal(digit.group())), figures)
    plain = _GROUP_MARK.sub("", plain)
    date = _DATE.fullmatch(plain)
    if date is not None:
        yield from (str(int(part)) for part in date.groups() if part)
        return
    if _POINT.fullmatch(plain):
        plain = plain.replace(",", "")
    elif _COMMA.fullmatch(plain):
        plain = plain.replace(".", "").replace(",", ".")
    yield re.sub(r"^0(\d)$", r"\1", re.sub(r"^(\d+)\.0+$", r"\1", plain))


def _english(run: str) -> Iterator[int]:
    """Yield the numbers of a run of number words: `four seven one` are three."""
    held: int | None = None
    for word in re.split(r"[\s-]+(?:and\s+)?", run):
        value = ENGLISH_ONES.get(word, ENGLISH_TENS.get(word, 0))
        if held is not None and held >= _LARGEST:
            yield held
            held = None
        if word == "thousand":
            held = 1000 * (held or 1)
        elif word == "hundred":
            above, below = divmod(held or 1, 1000)
            held = 1000 * above + 100 * below
        elif held is not None and _goes_on(held, value):
            held += value
        else:
            if held is not None:
                yield held
            held = value
    if held is not None:
        yield held


def _goes_on(held: int, value: int) -> bool:
    """Return whether a word adds to the number before it: to its tens or its hundreds."""
    room = 10 if held % 100 else 100 if held % 1000 else 1000
    return 0 < value < room and held % room == 0 and held >= 20


def _german(word: str) -> Iterator[int]:
    head, hundred, rest = word.partition("hundert")
    above = _GERMAN_ONES.get(head or "ein") if hundred else 0
    below = _german_small(rest.removeprefix("und") if hundred else word)
    if above is not None and below is not None:
        yield 100 * above + below


def _german_small(word: str) -> int | None:
    """Return the number below a hundred that a word names; nothing is none."""
    for tens, value in _GERMAN_TENS.items():
        if word.endswith(tens):
            ones = word.removesuffix(tens)
            if not ones:
                return value
            named = _GERMAN_ONES.get(ones.removesuffix("und"))
            return None if named is None or not ones.endswith("und") else value + named
    return _GERMAN_ONES.get(word) if word else 0


def _chinese(run: str) -> Iterator[int]:
    """Yield the number of a run: with scales 二十五, or digit by digit 二〇二六."""
    if not any(character in _CHINESE_SCALES for character in run):
        yield int("".join(str(_CHINESE[character]) for character in run))
        return
    total, digit = 0, 0
    for character in run:
        scale = _CHINESE_SCALES.get(character)
        if scale is None:
            digit = _CHINESE[character]
        else:
            total, digit = total + (digit or 1) * scale, 0
    yield total + digit
