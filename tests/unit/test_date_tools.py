"""Dates, against a simple model of the calendar."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.testing import FixedClock
from memory.labels import USER_LABEL, Label, Origin
from tools.base import ToolContext, ToolError
from tools.clock import DATES, NOW, DateArguments, NowArguments, added

WEB = Label(origins=frozenset({Origin.WEB}))


def context(moment: datetime | None = None, label: Label = USER_LABEL) -> ToolContext:
    return ToolContext(
        run_id="r", thread_id="t", token=1, collections=(), clock=FixedClock(moment), label=label
    )


async def asked(**arguments: Any) -> str:
    result = await DATES.run(DateArguments(**arguments), context())
    assert result.ok
    return result.text


def next_month(day: date) -> date:
    """Return the first of the month that follows, going day by day."""
    month = day.month
    while day.month == month:
        day += timedelta(days=1)
    return day


@given(st.dates(date(1, 1, 1), date(9990, 1, 1)), st.integers(0, 30))
def test_months_are_counted_as_on_a_calendar_on_the_wall(start: date, amount: int) -> None:
    first = start.replace(day=1)
    for _ in range(amount):
        first = next_month(first)
    later = added(start, amount, "months")
    assert later.replace(day=1) == first
    assert later.day == min(start.day, (next_month(first) - timedelta(days=1)).day)


@given(st.dates(), st.integers(-10_000, 10_000))
def test_days_and_weeks_there_and_back_lead_home(start: date, amount: int) -> None:
    for unit in ("days", "weeks"):
        try:
            assert added(added(start, amount, unit), -amount, unit) == start
        except OverflowError:
            assert not date(1000, 1, 1) < start < date(9000, 1, 1)


@given(st.dates(), st.integers(-200, 200))
def test_a_year_is_twelve_months(start: date, amount: int) -> None:
    try:
        expected = added(start, 12 * amount, "months")
    except OverflowError:
        with pytest.raises(OverflowError):
            added(start, amount, "years")
    else:
        assert added(start, amount, "years") == expected
        assert expected.year == start.year + amount


@pytest.mark.parametrize(
    ("start", "amount", "unit", "end"),
    [
        ("2024-01-31", 1, "months", "2024-02-29"),
        ("2023-01-31", 1, "months", "2023-02-28"),
        ("2024-02-29", 1, "years", "2025-02-28"),
        ("2024-02-29", -4, "years", "2020-02-29"),
        ("2026-03-01", 90, "days", "2026-05-30"),
        ("9999-11-30", 1, "months", "9999-12-30"),
        ("0001-01-31", 0, "months", "0001-01-31"),
    ],
)
async def test_known_dates(start: str, amount: int, unit: str, end: str) -> None:
    text = await asked(operation="add", start=start, amount=amount, unit=unit)
    assert re.search(rf"is {end} \((Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\)\.$", text)


async def test_a_sum_is_said_in_words() -> None:
    assert await asked(operation="add", start="today", amount=1, unit="weeks") == (
        "1 week after 2026-03-02 (Monday) is 2026-03-09 (Monday)."
    )
    assert await asked(operation="add", start="2026-03-02", amount=-3) == (
        "3 days before 2026-03-02 (Monday) is 2026-02-27 (Friday)."
    )


async def test_days_between_two_dates() -> None:
    assert await asked(operation="between", start="today", end="2026-03-03") == (
        "From 2026-03-02 (Monday) to 2026-03-03 (Tuesday) it is 1 day."
    )
    assert (await asked(operation="between", start="2026-03-03", end=" Today ")).endswith("-1 day.")
    assert "366 days" in await asked(operation="between", start="2024-01-01", end="2025-01-01")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"operation": "add", "start": "today"}, "'add' needs amount"),
        ({"operation": "between", "start": "today"}, "'between' needs end"),
        ({"operation": "add", "start": "2026-02-30", "amount": 1}, "'2026-02-30' is not a date"),
        ({"operation": "add", "start": "1. März", "amount": 1}, "'1. März' is not a date"),
        ({"operation": "add", "start": "9999-12-31", "amount": 1}, "out of the calendar"),
        (
            {"operation": "add", "start": "9999-12-01", "amount": 1, "unit": "months"},
            "out of the calendar",
        ),
        (
            {"operation": "add", "start": "0001-01-01", "amount": -1, "unit": "years"},
            "out of the calendar",
        ),
        (
            {"operation": "add", "start": "today", "amount": 10**4000, "unit": "years"},
            "out of the calendar",
        ),
    ],
)
async def test_what_cannot_be_reckoned_is_told_to_the_executive(
    arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(ToolError, match=said):
        await asked(**arguments)


async def test_today_is_the_day_where_the_user_is() -> None:
    late = datetime(2026, 12, 31, 23, 30, tzinfo=timezone(-timedelta(hours=5), "EST"))
    told = await NOW.run(NowArguments(), context(late))
    assert told.text == "It is 2026-12-31 (Thursday), 23:30 EST."
    utc = await NOW.run(NowArguments(), context(late.astimezone(UTC)))
    assert utc.text == "It is 2027-01-01 (Friday), 04:30 UTC."


async def test_a_date_is_labelled_by_what_it_was_reckoned_from() -> None:
    told = await DATES.run(
        DateArguments(operation="add", start="today", amount=1), context(label=WEB)
    )
    assert told.label.outside
    assert not (await NOW.run(NowArguments(), context(label=WEB))).label.outside
