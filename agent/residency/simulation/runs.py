"""Many schedules, each judged twice: by what really happened and by the checker."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from agent.residency import check
from agent.residency.arbiter import decide as arbiter
from agent.residency.simulation.plan import plan
from agent.residency.simulation.world import Outcome, World
from agent.residency.trace import Decide


@dataclass(kw_only=True, slots=True)
class Sum:
    """What many schedules came to."""

    schedules: int = 0
    transitions: int = 0
    asks: int = 0
    granted: int = 0
    refused: int = 0
    unproved: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    out_of_memory: int = 0
    excused: int = 0
    """Of these: another program had taken more than the safety since the last measurement."""
    reloads_in_turn: int = 0
    evicted_in_use: int = 0
    unfinished: int = 0
    longest_wait_s: float = 0.0
    most_passed: int = 0
    seeds: list[int] = field(default_factory=list)
    """Those that were not proved, the first few."""

    @property
    def good(self) -> bool:
        """Whether nothing at all went wrong that we could have helped."""
        wrong = (
            self.unproved
            + self.reloads_in_turn
            + self.evicted_in_use
            + self.unfinished
            + self.out_of_memory
            - self.excused
        )
        return self.schedules > 0 and wrong == 0

    def add(self, other: "Sum") -> None:
        """Take in what other schedules came to."""
        for name in _COUNTED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("longest_wait_s", "most_passed"):
            setattr(self, name, max(getattr(self, name), getattr(other, name)))
        self.rules += other.rules
        self.seeds = (self.seeds + other.seeds)[:10]


_COUNTED = (
    "schedules transitions asks granted refused unproved out_of_memory excused reloads_in_turn "
    "evicted_in_use unfinished"
).split()


def one(seed: int, *, decide: Decide = arbiter.decide) -> tuple[Outcome, check.Report]:
    """Play the schedule of a seed and judge it."""
    trace: list[dict[str, Any]] = []
    outcome = World(plan(seed), trace.append, decide=decide).play()
    return outcome, check.check(trace, name=f"schedule {seed}")


def many(first: int, count: int) -> Sum:
    """Play schedules from a seed on."""
    total = Sum()
    for seed in range(first, first + count):
        outcome, report = one(seed)
        tally = report.tally
        wrong = report.verdict is not check.Verdict.PROVED
        excused = len(outcome.out_of_memory) - outcome.unexcused
        bad = (
            wrong
            or outcome.unexcused
            or outcome.reloads_in_turn
            or outcome.evicted_in_use
            or outcome.unfinished
        )
        total.add(
            Sum(
                schedules=1,
                transitions=tally.steps,
                asks=tally.asks,
                granted=tally.granted + tally.admitted,
                refused=tally.refused,
                unproved=int(wrong),
                rules=report.broken_rules,
                out_of_memory=len(outcome.out_of_memory),
                excused=excused,
                reloads_in_turn=outcome.reloads_in_turn,
                evicted_in_use=outcome.evicted_in_use,
                unfinished=outcome.unfinished,
                longest_wait_s=max(tally.longest_wait_s.values()),
                most_passed=tally.most_passed,
                seeds=[seed] if bad else [],
            )
        )
    return total
