"""What a claim has to share with its source exactly: numbers, units, days, and what is denied.

Other words may be other words for the same; one of these that differs makes the claim false. Pure;
English, German and Chinese.
"""

import re
from functools import lru_cache

from graphs.numbers import TEXTS_KEPT, found, numbers

_DAYS = (
    "monday montag montags 星期一 周一",
    "tuesday dienstag dienstags 星期二 周二",
    "wednesday mittwoch mittwochs 星期三 周三",
    "thursday donnerstag donnerstags 星期四 周四",
    "friday freitag freitags 星期五 周五",
    "saturday samstag samstags sonnabend 星期六 周六",
    "sunday sonntag sonntags 星期日 星期天 周日",
)
_MONTHS = (
    "january januar 一月",
    "february februar 二月",
    "march märz 三月",
    "april 四月",
    "may mai 五月",
    "june juni 六月",
    "july juli 七月",
    "august 八月",
    "september 九月",
    "october oktober 十月",
    "november 十一月",
    "december dezember 十二月",
)
_UNITS = (
    "second seconds sec sekunde sekunden 秒",
    "minute minutes min minuten 分钟",
    "hour hours h stunde stunden 小时",
    "day days tag tage tagen 天",
    "week weeks woche wochen 周 星期",
    "month months monat monate monaten 个月",
    "year years jahr jahre jahren 年",
    "g gram grams gramm 克",
    "kg kilo kilos kilogram kilograms kilogramm 公斤 千克",
    "t ton tons tonne tonnes tonnen 吨",
    "mm millimetre millimetres millimeter millimeters 毫米",
    "cm centimetre centimetres centimeter centimeters zentimeter 厘米",
    "m metre metres meter meters metern 米",
    "km kilometre kilometres kilometer kilometers kilometern 公里",
    "l litre litres liter liters litern 升",
    "bar",
    "psi",
    "°c celsius",
    "°f fahrenheit",
    "% percent prozent",
    "€ euro euros eur 欧元",
    "$ dollar dollars usd 美元",
    "£ pound pounds gbp pfund 英镑",
    "元 yuan cny",
)


def _named(kind: str, table: tuple[str, ...]) -> dict[str, str]:
    return {
        name: f"{kind} {number}"
        for number, row in enumerate(table, start=1)
        for name in row.split()
    }


def _any_of(names: dict[str, str]) -> str:
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))


_CALENDAR = _named("day", _DAYS) | _named("month", _MONTHS)
_UNIT = _named("unit", _UNITS)
_AMBIGUOUS = frozenset({"may", "march", "august"})
"""Months that are other words too, unless they are written large or beside a number."""

_IN_CALENDAR = re.compile(
    r"(?P<before>(?:\d\.?|\b(?:of|in|since|until|by|from|before|after))\s+)?(?<![a-zäöüß])"
    rf"(?P<name>{_any_of(_CALENDAR)})(?![a-zäöüß])(?P<behind>\s+\d|\s+the\s)?",
    re.IGNORECASE,
)
_MONTH_IN_FIGURES = re.compile(r"\b\d{4}-(\d\d)-\d\d\b|\b\d\d?\.\s?(\d\d?)\.\s?\d{4}\b|(\d\d?)月")
_AFTER = re.compile(rf"[\s-]*({_any_of(_UNIT)})(?![a-zäöüß])", re.IGNORECASE)
_BEFORE = re.compile(r"([€$£])\s*$")
_DENIAL = re.compile(
    r"\b(?:not|never|nothing|none|neither|nor|without|cannot|no(?!\.)|\w+n['’]t"
    r"|nicht|nie|niemals|nichts|ohne|kein\w*|weder)\b|[不没勿]|无法|禁止",
    re.IGNORECASE,
)
_ANSWERED = re.compile(r"^\W*(?:no|nein|不|不是)[,.:;，。]", re.IGNORECASE)


@lru_cache(maxsize=TEXTS_KEPT)
def calendar(text: str) -> frozenset[str]:
    """Return the days of the week and the months that a text names, the same in each language."""
    lowered = text.lower()
    # The pattern is slow, and most texts have none of its names.
    matches = _IN_CALENDAR.finditer(text) if any(map(lowered.__contains__, _CALENDAR)) else ()
    named = {
        _CALENDAR[match["name"].lower()]
        for match in matches
        if match["name"] not in _AMBIGUOUS or match["before"] or match["behind"]
    }
    figures = (int("".join(groups)) for groups in _MONTH_IN_FIGURES.findall(text))
    return frozenset(named | {f"month {figure}" for figure in figures})


def measures(text: str) -> dict[str, set[str]]:
    """Return each number that a known unit stands beside, with its units."""
    units: dict[str, set[str]] = {}
    for number in found(text):
        after = _AFTER.match(text, number.end)
        before = _BEFORE.search(text[max(0, number.start - 2) : number.start])
        for match in filter(None, (after, before)):
            units.setdefault(number.value, set()).add(_UNIT[match.group(1).lower()])
    return units


def denies(text: str) -> bool:
    """Whether something is denied; a `no` that only answers a question denies nothing."""
    return bool(_DENIAL.search(_ANSWERED.sub("", text)))


def shared(claim: str, source: str, *, asked: str = "", beside: str = "") -> bool:
    """Whether all that a claim says exactly stands in its source.

    A number or a day may also be one that was asked about, if it stands beside the source.
    """
    there = measures(source)
    for number, units in measures(claim).items():
        if number in there and not units & there[number]:
            return False
    return all(
        read(claim) <= read(source) | (read(asked) & read(beside)) for read in (numbers, calendar)
    )
