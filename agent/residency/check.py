"""Proves from a trace alone that the arbiter kept its rules, or names each line that broke one.

| rule | what it says |
| --- | --- |
| budget | reserved + in flight + unconfirmed + foreign + safety ≤ capacity at each grant |
| unmeasured | none of it rests on freed bytes that no measurement has confirmed |
| measured | nothing is granted without a recent measurement |
| in use | what an operation runs in is not evicted, killed or granted twice |
| loaded | only what lies on the card whole is granted there |
| executive | it is not loaded or unloaded in a turn |
| answered | each ask has one answer: granted, refused with cause, or withdrawn when wished |
| bounded | no ask waits beyond its deadline, no lease outlives its time unrevoked |
| starved | no ask is passed more often than the limits allow, nor a person by a job |
| made way | nothing idle stays on a card that other programs have filled |
| token | tokens and loads rise, also over restarts |
| ledger | the bytes that the trace tells are those that follow from its events |
| time | it does not run backwards |
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from agent.residency import reading
from agent.residency.audit.audit import Audit
from agent.residency.audit.findings import Tally, Violation
from agent.residency.books import JsonObject
from agent.residency.reading import TraceError


class Verdict(StrEnum):
    """What a trace proves."""

    PROVED = "proved"  # every rule held, to its end
    BROKEN = "broken"  # at least one did not
    UNFINISHED = "unfinished"  # none was broken, but the trace has no end


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The verdict on one trace."""

    verdict: Verdict
    violations: tuple[Violation, ...]
    tally: Tally
    cut_line: int | None = None
    """The last one, if it was not written whole: the power failed, or somebody cut the file."""

    @property
    def broken_rules(self) -> Counter[str]:
        """How often each rule was broken."""
        return Counter(one.rule for one in self.violations)


class Walk:
    """Goes through a trace and keeps the audit of it."""

    def __init__(self, name: str = "the trace") -> None:
        self.audit: Audit
        """From the first line on."""
        self.head: JsonObject
        """The first line."""
        self.ended = False
        """Whether the trace has come to an orderly end."""
        self.cut_line: int | None = None
        self._name = name

    def through(self, told: Iterable[JsonObject]) -> Iterator[JsonObject]:
        """Yield each transition once it is taken into account.

        Raises TraceError where the lines are not those of a whole trace up to there.
        """
        lines = iter(told)
        self.head = reading.head(next(lines, None), self._name)
        self.audit = Audit(self.head["limits"])
        for number, line in enumerate(lines, start=2):
            if self.ended or self.cut_line is not None:
                raise TraceError(f"Line {number} of {self._name} comes after its end.")
            if reading.CUT in line:
                self.cut_line = number
            elif "end" in line:
                self.ended = True
                self._whole(line["end"], number)
            else:
                self._step(number, line)
                yield line

    def _step(self, number: int, line: JsonObject) -> None:
        expected = self.audit.tally.steps + 1
        if line.get("n") != expected:
            raise TraceError(
                f"Line {number} of {self._name} is transition {line.get('n')!r}, "
                f"{expected} is missing: lines were lost."
            )
        try:
            self.audit.step(number, line)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TraceError(
                f"Line {number} of {self._name} cannot be understood: {error!r}."
            ) from error

    def _whole(self, count: Any, number: int) -> None:
        steps = self.audit.tally.steps
        if count != steps:
            raise TraceError(
                f"Line {number} of {self._name} ends {count!r} transitions, {steps} are there."
            )


def check_file(path: Path) -> Report:
    """Judge a trace in a file.

    Raises TraceError if it holds nothing, or not what a trace holds.
    """
    return check(reading.lines_of(path), name=str(path))


def check(told: Iterable[JsonObject], *, name: str = "the trace") -> Report:
    """Judge a trace given as its lines."""
    walk = Walk(name)
    for _ in walk.through(told):
        pass
    audit = walk.audit
    if not audit.tally.asks:
        raise TraceError(f"{name} holds no ask: there is nothing in it to be proved.")
    if walk.ended:
        audit.finish()
    good = Verdict.PROVED if walk.ended else Verdict.UNFINISHED
    return Report(
        verdict=Verdict.BROKEN if audit.violations else good,
        violations=tuple(audit.violations),
        tally=audit.tally,
        cut_line=walk.cut_line,
    )


def plain(report: Report) -> dict[str, Any]:
    """Return a report as JSON holds it."""
    return {
        "verdict": report.verdict,
        "cut_line": report.cut_line,
        "tally": asdict(report.tally),
        "violations": [asdict(one) for one in report.violations],
    }


def lines(report: Report, *, most: int = 20) -> list[str]:
    """Return a report for a person."""
    tally = report.tally
    waits = tally.longest_wait_s
    told = [
        f"{report.verdict}: {tally.steps} transitions, {tally.asks} asks",
        f"  granted {tally.granted}, admitted {tally.admitted}, refused {tally.refused}, "
        f"withdrawn {tally.withdrawn}, lost in restarts of the arbiter {tally.lost_in_restarts}",
        f"  senses loaded {tally.loads} times, evicted {tally.evictions}; executive loaded "
        f"{tally.executive_loads} times; worker restarted {tally.restarts} times",
        f"  longest wait of a person {waits['person']:.1f} s, of a job {waits['job']:.1f} s; "
        f"passed at most {tally.most_passed} times",
    ]
    for rule, count in report.broken_rules.most_common():
        told.append(f"  rule {rule!r} broken {count} times")
    told += [
        f"  line {one.line}, {one.at_s:.3f} s, {one.rule}: {one.text}"
        for one in report.violations[:most]
    ]
    if len(report.violations) > most:
        told.append(f"  and {len(report.violations) - most} more")
    if report.cut_line is not None:
        told.append(f"  line {report.cut_line}, the last, was not written whole: it is left out")
    if report.verdict is Verdict.UNFINISHED:
        told.append("  the trace has no end: what still waited at its last line is not judged")
    return told
