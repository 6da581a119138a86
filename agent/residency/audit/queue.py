"""Rules on asks: each has one answer, in time, and none is passed too often."""

from dataclasses import dataclass

from agent.residency.audit.budget import Budget
from agent.residency.audit.findings import Findings
from agent.residency.audit.senses import Senses
from agent.residency.books import EXECUTIVE, Books, JsonObject

SLACK_S = 1.0
"""Answers and revocations may come so long after they were due."""
_PERSON, _JOB = 0, 1


@dataclass(kw_only=True, slots=True)
class Waiting:
    """An ask without an answer yet."""

    asked_at: float
    deadline: float
    priority: int
    holder: str
    choices: list[JsonObject] | None
    """None for a turn."""
    order: tuple[float, int, str]
    passed: int = 0


class Queue:
    """Who waits, and who went before whom."""

    def __init__(
        self, limits: JsonObject, books: Books, budget: Budget, senses: Senses, findings: Findings
    ) -> None:
        self.waiting: dict[str, Waiting] = {}
        self.paused = False
        self._limits = limits
        self._books = books
        self._budget = budget
        self._senses = senses
        self._findings = findings

    def clear(self, *, paused: bool) -> None:
        """Begin anew with an arbiter that knows of nobody who waits."""
        self._findings.tally.lost_in_restarts += len(self.waiting)
        self.waiting.clear()
        self.paused = paused

    def waits(self, name: str, event: JsonObject, choices: list[JsonObject] | None) -> None:
        """Take an ask in."""
        self._findings.tally.asks += 1
        now = self._books.t
        latest = now + self._limits["wait_s"]
        wished = event["deadline"]
        patience = self._limits["patience_s"] if event["priority"] == _JOB else 0.0
        self.waiting[name] = Waiting(
            asked_at=now,
            deadline=latest if wished is None else max(now, min(latest, wished)),
            priority=event["priority"],
            holder=event["holder"],
            choices=choices,
            order=(now + patience, event["priority"], name),
        )

    def answered(self, name: str) -> Waiting | None:
        """Take the answer to an ask; None if nobody waits for it."""
        waiting = self.waiting.pop(name, None)
        if waiting is None:
            self._broken("answered", f"{name!r} is answered, but does not wait")
            return None
        now = self._books.t
        if now > waiting.deadline + SLACK_S:
            self._broken("bounded", f"{name!r} is answered after its deadline")
        who = "person" if waiting.priority == _PERSON else "job"
        longest = self._findings.tally.longest_wait_s
        longest[who] = max(longest[who], now - waiting.asked_at)
        return waiting

    def refused(self, effect: JsonObject) -> None:
        """Take a refusal: only what is late, unsound or too large for the card may be refused."""
        self._findings.tally.refused += 1
        self._books.unkeep(effect["ask"])
        waiting = self.answered(effect["ask"])
        if waiting is None or self._books.t >= waiting.deadline or _unsound(waiting.choices):
            return
        smallest = min((one["bytes"] for one in self._limits["profiles"]), default=0)
        most = self._budget.bytes - self._limits["context_bytes"] - smallest
        for choice in waiting.choices or [{"weights_bytes": 0, "working_bytes": 0}]:
            if choice["weights_bytes"] + choice["working_bytes"] <= most:
                self._broken("answered", f"{effect['ask']!r} is refused, though it could be")
                return

    def withdrawn(self, effect: JsonObject, event: JsonObject) -> None:
        """Take a withdrawal: its holder wished it, or is dead."""
        self._findings.tally.withdrawn += 1
        self._books.unkeep(effect["ask"])
        waiting = self.answered(effect["ask"])
        meant = event.get("ask") == effect["ask"] and event["kind"] == "Cancelled"
        died = event["kind"] == "HolderDied" and waiting and waiting.holder == event["holder"]
        if not meant and not died:
            self._broken("answered", f"{effect['ask']!r} is withdrawn, and nobody has asked for it")

    def passes(self, name: str, passer: Waiting, *, place: str, variant: str) -> None:
        """Count against whom an ask takes bytes or a variant before its turn."""
        if place != "cuda" or variant == EXECUTIVE:
            return
        tally = self._findings.tally
        for other_name, other in self.waiting.items():
            if other_name == name or other.order >= passer.order:
                continue
            if self._books.kept_for(other_name) is not None or not self._needs_room(other):
                continue
            other.passed += 1
            tally.most_passed = max(tally.most_passed, other.passed)
            if other.passed > self._limits["overtakes"]:
                self._broken("starved", f"{other_name!r} is passed {other.passed} times")
            if passer.priority > other.priority:
                self._broken("starved", f"a job passes {other_name!r}, for which a person waits")

    def overdue(self) -> None:
        """Look for asks that should have been answered by now."""
        for name, waiting in self.waiting.items():
            if self._books.t > waiting.deadline + SLACK_S:
                self._broken("bounded", f"{name!r} waits beyond its deadline")
                waiting.deadline = float("inf")

    def finish(self) -> None:
        """Look at who still waits at the end."""
        for name in self.waiting:
            self._broken("answered", f"{name!r} was never answered")

    def _needs_room(self, waiting: Waiting) -> bool:
        """Tell whether an ask waits for bytes, and not for an operation, a pause or a next try."""
        books = self._books
        if (
            self.paused
            or books.reading is None
            or books.worker_phase != "there"
            or not books.executive
        ):
            return False
        for choice in waiting.choices or []:
            variant = choice["variant"]
            if choice["place"] == "cpu" or variant == EXECUTIVE or books.used(variant):
                return False
            if self._senses.fails(variant) or not self._ever_fits(choice):
                continue
            load = books.of(variant)
            return load is None or load.kept is None
        return False

    def _ever_fits(self, choice: JsonObject) -> bool:
        executive = self._books.executive.size if self._books.executive else 0
        need: int = choice["weights_bytes"] + choice["working_bytes"]
        fixed: int = self._limits["context_bytes"] + executive + self._books.foreign
        return need + fixed <= self._budget.bytes

    def _broken(self, rule: str, text: str) -> None:
        self._findings.broken(rule, text)


def _unsound(choices: list[JsonObject] | None) -> bool:
    """Tell whether an ask is none: without choices, or with bytes that cannot be."""
    if choices is None:
        return False
    for choice in choices:
        size = max(choice["weights_bytes"], choice["working_bytes"])
        least = min(choice["weights_bytes"], choice["working_bytes"])
        lent = choice["place"] == "cuda" and choice["variant"] != EXECUTIVE
        if least < 0 or (size > 0 and not lent):
            return True
    return not choices
