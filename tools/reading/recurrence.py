"""The rule by which an event repeats, in words."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from tools.reading.tables import said

_UNITS = {
    "SECONDLY": "second",
    "MINUTELY": "minute",
    "HOURLY": "hour",
    "DAILY": "day",
    "WEEKLY": "week",
    "MONTHLY": "month",
    "YEARLY": "year",
}
_DAYS = {
    "MO": "Monday",
    "TU": "Tuesday",
    "WE": "Wednesday",
    "TH": "Thursday",
    "FR": "Friday",
    "SA": "Saturday",
    "SU": "Sunday",
}
_ORDERS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}
_MONTHS = (
    "January February March April May June July August September October November December"
).split()
_SAID = frozenset("FREQ INTERVAL BYDAY BYMONTHDAY BYMONTH COUNT UNTIL WKST".split())


def words(rule: Mapping[str, Sequence[Any]]) -> str:
    """Return a rule such as `every 2 weeks on Monday until 2026-06-30`; what has no words as is."""
    return " ".join(_parts({key.upper(): values for key, values in rule.items()}))


def _parts(rule: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    frequency = str(next(iter(rule.get("FREQ", ())), ""))
    unit = _UNITS.get(frequency, frequency.lower())
    interval = int(next(iter(rule.get("INTERVAL", ())), 1))
    yield f"every {unit}" if interval == 1 else f"every {interval} {unit}s"
    if days := rule.get("BYDAY"):
        yield "on " + ", ".join(_day(str(one)) for one in days)
    if days := rule.get("BYMONTHDAY"):
        yield "on day " + ", ".join(str(one) for one in days)
    if months := rule.get("BYMONTH"):
        yield "in " + ", ".join(_month(one) for one in months)
    for count in rule.get("COUNT", ()):
        yield f"{count} times"
    for end in rule.get("UNTIL", ()):
        yield f"until {said(end) if isinstance(end, date) else end}"
    for key in rule.keys() - _SAID:
        yield f"({key}={','.join(map(str, rule[key]))})"


def _day(code: str) -> str:
    """Say a day of the week: `MO`, `1MO` is the first Monday, `-1FR` the last Friday."""
    order, day = code[:-2].lstrip("+"), _DAYS.get(code[-2:].upper(), code)
    if not order.lstrip("-").isdigit():
        return day
    return f"the {_ORDERS.get(int(order), f'{order}.')} {day}"


def _month(one: Any) -> str:
    number = int(one)
    return _MONTHS[number - 1] if 0 < number <= len(_MONTHS) else str(one)
