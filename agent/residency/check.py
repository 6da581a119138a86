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

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from agent.errors import AgentError
from agent.residency.audit import Audit, Tally, Violation
from agent.residency.books import JsonObject

VERSION = 1


class TraceError(AgentError):
    """A trace cannot be judged: it is empty, cut, damaged, or of another version."""


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

    @property
    def broken_rules(self) -> Counter[str]:
        """How often each rule was broken."""
        return Counter(one.rule for one in self.violations)


def check_file(path: Path) -> Report:
    """Judge a trace in a file.

    Raises TraceError if it holds nothing, or not what a trace holds.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            return check(_parsed(lines, str(path)), name=str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise TraceError(f"{str(path)!r} cannot be read as a trace: {error}.") from error


def check(told: Iterable[JsonObject], *, name: str = "the trace") -> Report:
    """Judge a trace given as its lines."""
    lines = iter(told)
    audit = _begun(next(lines, None), name)
    ended = False
    for number, line in enumerate(lines, start=2):
        if ended:
            raise TraceError(f"Line {number} of {name} comes after its end.")
        if "end" in line:
            ended = True
            _whole(audit, line["end"], f"Line {number} of {name}")
        else:
            _step(audit, number, line, name)
    if not audit.tally.asks:
        raise TraceError(f"{name} holds no ask: there is nothing in it to be proved.")
    if ended:
        audit.finish()
    good = Verdict.PROVED if ended else Verdict.UNFINISHED
    return Report(
        verdict=Verdict.BROKEN if audit.violations else good,
        violations=tuple(audit.violations),
        tally=audit.tally,
    )


def _parsed(lines: Iterable[str], name: str) -> Iterator[JsonObject]:
    for number, text in enumerate(lines, start=1):
        try:
            line = json.loads(text)
        except ValueError as error:
            raise TraceError(f"Line {number} of {name} is cut or damaged: {error}.") from error
        if not isinstance(line, dict):
            raise TraceError(f"Line {number} of {name} is no transition: {text.strip()[:60]}")
        yield line


def _begun(head: JsonObject | None, name: str) -> Audit:
    if head is None:
        raise TraceError(f"{name} is empty: there is nothing in it to be proved.")
    if head.get("trace") != VERSION:
        raise TraceError(
            f"{name} does not begin as a trace of version {VERSION}; "
            f"its first line says {head.get('trace')!r}."
        )
    limits = head.get("limits")
    missing = _LIMITS - set(limits) if isinstance(limits, dict) else _LIMITS
    if missing:
        raise TraceError(f"The first line of {name} lacks limits: {', '.join(sorted(missing))}.")
    return Audit(head["limits"])


_LIMITS = frozenset(
    """capacity_bytes safety_bytes context_bytes profiles stale_s patience_s overtakes wait_s
    lease_s heartbeat_s revoke_s load_s backoff_s recovery_s""".split()
)


def _step(audit: Audit, number: int, line: JsonObject, name: str) -> None:
    expected = audit.tally.steps + 1
    if line.get("n") != expected:
        raise TraceError(
            f"Line {number} of {name} is transition {line.get('n')!r}, "
            f"{expected} is missing: lines were lost."
        )
    try:
        audit.step(number, line)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TraceError(f"Line {number} of {name} cannot be understood: {error!r}.") from error


def _whole(audit: Audit, count: Any, where: str) -> None:
    if count != audit.tally.steps:
        raise TraceError(f"{where} ends {count!r} transitions, {audit.tally.steps} are there.")


def plain(report: Report) -> dict[str, Any]:
    """Return a report as JSON holds it."""
    return {
        "verdict": report.verdict,
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
    if report.verdict is Verdict.UNFINISHED:
        told.append("  the trace has no end: what still waited at its last line is not judged")
    return told
