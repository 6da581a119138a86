"""The date, and arithmetic with dates: what a small model gets wrong by itself."""

import calendar
from datetime import MAXYEAR, MINYEAR, date, datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from memory.labels import ENGINE_LABEL
from tools.base import Effect, Tool, ToolContext, ToolError, ToolResult

ISO_DATE = "a date as YYYY-MM-DD"


class NowArguments(BaseModel):
    """Nothing is needed to tell the time."""

    model_config = ConfigDict(extra="forbid")


class DateArguments(BaseModel):
    """A question on dates."""

    model_config = ConfigDict(extra="forbid")

    operation: Literal["add", "between"] = Field(
        description="add: a number of units to start; between: the days from start to end"
    )
    start: str = Field(description=f"{ISO_DATE}, or today")
    end: str | None = Field(default=None, description=f"{ISO_DATE}, or today; for between")
    amount: int | None = Field(default=None, description="how many units, negative for back")
    unit: Literal["days", "weeks", "months", "years"] = "days"


def _parsed(text: str, today: date) -> date:
    if text.strip().casefold() == "today":
        return today
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ToolError(f"{text!r} is not {ISO_DATE}.") from None


def added(start: date, amount: int, unit: str) -> date:
    """Return the date so many units later; a month's end stays within its month.

    Raises OverflowError where the calendar has no such date.
    """
    if unit in ("days", "weeks"):
        return start + timedelta(days=amount * (7 if unit == "weeks" else 1))
    months = start.year * 12 + start.month - 1 + amount * (12 if unit == "years" else 1)
    year, month = divmod(months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise OverflowError("the calendar does not reach so far")
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(start.day, last))


def _spoken(day: date) -> str:
    return f"{day.isoformat()} ({day:%A})"


async def _now(_: NowArguments, context: ToolContext) -> ToolResult:
    now: datetime = context.clock.now()
    zone = now.tzname() or "UTC"
    text = f"It is {_spoken(now.date())}, {now:%H:%M} {zone}."
    return ToolResult(text=text, ok=True, label=ENGINE_LABEL)


async def _dates(wanted: DateArguments, context: ToolContext) -> ToolResult:
    today = context.clock.now().date()
    start = _parsed(wanted.start, today)
    if wanted.operation == "between":
        if wanted.end is None:
            raise ToolError("'between' needs end.")
        end = _parsed(wanted.end, today)
        days = (end - start).days
        unit = "day" if abs(days) == 1 else "days"
        text = f"From {_spoken(start)} to {_spoken(end)} it is {days} {unit}."
    else:
        if wanted.amount is None:
            raise ToolError("'add' needs amount.")
        try:
            result = added(start, wanted.amount, wanted.unit)
        except OverflowError:
            raise ToolError(f"{wanted.amount} {wanted.unit} lead out of the calendar.") from None
        unit = wanted.unit.removesuffix("s") if abs(wanted.amount) == 1 else wanted.unit
        side = "before" if wanted.amount < 0 else "after"
        text = f"{abs(wanted.amount)} {unit} {side} {_spoken(start)} is {_spoken(result)}."
    return ToolResult(text=text, ok=True, label=ENGINE_LABEL.join(context.label))


NOW = Tool(
    name="now",
    description="Tell today's date, the weekday and the time.",
    arguments=NowArguments,
    effect=Effect.READ,
    run=_now,
)

DATES = Tool(
    name="dates",
    description="Add days, weeks, months or years to a date, or count the days between two dates.",
    arguments=DateArguments,
    effect=Effect.READ,
    run=_dates,
)
