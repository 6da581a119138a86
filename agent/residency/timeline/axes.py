"""Ticks of an axis, at round numbers. Pure."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

GIB = 1 << 30
_STEPS_S = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """A place on an axis, with its name."""

    at: float
    text: str


def bytes_ticks(most: float, *, count: int = 6) -> list[Tick]:
    """Return ticks from 0 to at most `most` bytes, in GiB."""
    rough = most / GIB / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(one * power for one in (1, 2, 2.5, 5, 10) if one * power >= rough)
    return [
        Tick(at=number * step * GIB, text=f"{number * step:g}")
        for number in range(int(most / GIB / step) + 1)
    ]


def time_ticks(begins: float, ends: float, *, clock: "Clock", count: int = 10) -> list[Tick]:
    """Return ticks between two moments of a trace, at times that are round on its clock."""
    rough = max(ends - begins, 1e-3) / count
    step = next((one for one in _STEPS_S if one >= rough), _STEPS_S[-1])
    first = math.ceil(clock.seconds(begins) / step - 1e-9)
    last = math.floor(clock.seconds(ends) / step + 1e-9)
    write = clock.writer(step)
    return [
        Tick(at=clock.moment(number * step), text=write(number * step))
        for number in range(first, last + 1)
    ]


class Clock:
    """How the moments of a trace are told: as local time where it is known, else from its begin."""

    def __init__(self, begins: float, began: dict[str, object] | None, zone: tzinfo | None) -> None:
        self._day: datetime | None = None
        self._zero = begins
        if began is not None:
            at = datetime.fromisoformat(str(began["at"])).astimezone(zone)
            self._day = at.replace(hour=0, minute=0, second=0, microsecond=0)
            self._zero = float(str(began["t"])) - (at - self._day).total_seconds()

    @property
    def local(self) -> bool:
        """Whether the local time is known."""
        return self._day is not None

    def seconds(self, t: float) -> float:
        """Return a moment as seconds since midnight of its first day, or since the begin."""
        return t - self._zero

    def moment(self, seconds: float) -> float:
        """Return it back again."""
        return seconds + self._zero

    def writer(self, step_s: float) -> Callable[[float], str]:
        """Return what writes such seconds, as exactly as ticks so far apart need it."""
        digits = max(0, -math.floor(math.log10(step_s) + 1e-9)) if step_s < 1 else 0
        return lambda seconds: self._written(seconds, digits, whole_minutes=step_s >= 60)

    def exact(self, t: float) -> str:
        """Write a moment to the millisecond."""
        return self._written(self.seconds(t), 3, whole_minutes=False)

    def date(self, t: float) -> str:
        """Return the day of a moment; empty where it is not known."""
        if self._day is None:
            return ""
        return f"{self._day + timedelta(seconds=self.seconds(t)):%Y-%m-%d}"

    def _written(self, seconds: float, digits: int, *, whole_minutes: bool) -> str:
        rounded = round(seconds, digits)
        minutes, rest = divmod(rounded, 60)
        hours, minutes = divmod(int(minutes), 60)
        width = digits + 3 if digits else 2
        if self._day is not None:
            hours %= 24
            tail = "" if whole_minutes else f":{rest:0{width}.{digits}f}"
            return f"{hours:02}:{minutes:02}{tail}"
        if hours or minutes:
            head = f"{hours}:{minutes:02}" if hours else f"{minutes}"
            return f"{head}:{rest:0{width}.{digits}f}"
        return f"{rest:.{digits}f} s"
