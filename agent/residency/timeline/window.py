"""Which part of a trace a person asks for: the last ten minutes, or from one moment to another."""

import re
from dataclasses import dataclass

from agent.errors import UsageError
from agent.residency.timeline.axes import Clock

_UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)(h|ms|m|s)\s*)")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?")
_DAY_S = 86_400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """A part of a trace, in seconds of its clock."""

    begins: float
    ends: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What a person said of it."""

    begins: str | None = None
    ends: str | None = None
    last: str | None = None

    def window(self, begins: float, ends: float, clock: Clock) -> Window:
        """Return the part of a trace that begins and ends then.

        Raises UsageError if nothing of it is left.
        """
        if self.last is not None and (self.begins or self.ends):
            raise UsageError("--last cannot be had together with --from and --to.")
        first, final = begins, ends
        if self.last is not None:
            first = max(begins, ends - seconds(self.last, "--last"))
        if self.begins is not None:
            first = _moment(self.begins, "--from", begins, clock)
        if self.ends is not None:
            final = _moment(self.ends, "--to", begins, clock)
        if first > ends or final < begins or first > final:
            raise UsageError(
                f"Nothing of the trace is left: it goes from {clock.exact(begins)} to "
                f"{clock.exact(ends)}, asked for was {clock.exact(first)} to {clock.exact(final)}."
            )
        return Window(begins=max(first, begins), ends=min(final, ends))


def seconds(text: str, flag: str) -> float:
    """Return a duration: `10m`, `1h30m`, `2.5s`. Raises UsageError."""
    parts = _DURATION.findall(text)
    if not parts or _DURATION.sub("", text).strip():
        raise UsageError(f"{flag} {text!r} is no duration. Write it as 10m, 1h30m or 2.5s.")
    return sum(float(count) * _UNITS_S[unit] for count, unit in parts)


def _moment(text: str, flag: str, begins: float, clock: Clock) -> float:
    """Return a moment: a time of day, or how long after the begin of the trace."""
    told = _CLOCK.fullmatch(text.strip())
    if told is None:
        try:
            return begins + seconds(text, flag)
        except UsageError as error:
            raise UsageError(
                f"{flag} {text!r} is no moment. Write a time of day as 14:05 or 14:05:30, or how "
                "long after the begin of the trace it is, as 10m."
            ) from error
    if not clock.local:
        raise UsageError(
            f"{flag} {text!r} is a time of day, and the trace does not tell any. Write how long "
            "after its begin it is, as 10m."
        )
    of_day = int(told[1]) * 3600.0 + int(told[2]) * 60.0 + float(told[3] or 0)
    moment = clock.moment(of_day)
    # A trace that goes on past midnight has an hour twice; the first that it can mean is meant.
    while moment < begins - _DAY_S / 2:
        moment += _DAY_S
    return moment
