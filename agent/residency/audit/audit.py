"""What a trace says happened, reckoned again without any of the arbiter's code.

The bytes that may lie on the card are made up from the events and effects alone; what the trace
itself says of them is only compared. Every rule that is broken is written down with its line.
"""

from collections.abc import Callable, Mapping

from agent.residency.audit.budget import Budget, adds
from agent.residency.audit.executive import Executive
from agent.residency.audit.findings import Findings, Tally, Violation
from agent.residency.audit.leases import Leases
from agent.residency.audit.queue import Queue
from agent.residency.audit.senses import Senses
from agent.residency.books import Books, JsonObject, Load


class Audit:
    """Goes through the transitions of one trace."""

    def __init__(self, limits: JsonObject) -> None:
        self.books = Books(limits)
        self._findings = Findings()
        self._limits = limits
        self._event: JsonObject = {}
        self._budget = Budget(limits, self.books, self._findings)
        self._senses = Senses(limits, self.books, self._findings)
        self._queue = Queue(limits, self.books, self._budget, self._senses, self._findings)
        self._leases = Leases(limits, self.books, self._queue, self._findings)
        self._executive = Executive(limits, self.books, self._queue, self._findings)

    @property
    def violations(self) -> list[Violation]:
        """Rules that were broken, in the order of the lines."""
        return self._findings.violations

    @property
    def tally(self) -> Tally:
        """What there was, in numbers."""
        return self._findings.tally

    @property
    def turns(self) -> Mapping[str, JsonObject]:
        """Turns in progress, by name."""
        return self._executive.turns

    def step(self, line: int, transition: JsonObject) -> None:
        """Take the next transition into account.

        Raises KeyError or TypeError where the line lacks something.
        """
        self._event = transition["event"]
        t = float(transition["t"])
        self._findings.at(line, t)
        self.books.t = max(self.books.t, t)
        self.tally.steps += 1
        _EVENTS[self._event["kind"]](self, self._event)
        added = False
        for effect in transition["effects"]:
            added = added or adds(effect)
            _EFFECTS[effect["kind"]](self, effect)
        if added:
            self._budget.within()
        self._queue.overdue()
        self._leases.overdue()
        if self._event["kind"] == "Measured":
            self._budget.made_way()
        self._budget.as_told(transition["after"])

    def finish(self) -> None:
        """Look at what is left open at the end."""
        self._queue.finish()

    def _asked(self, event: JsonObject) -> None:
        if self._new(event["ask"]):
            self._queue.waits(event["ask"], event, event["choices"])

    def _turn_asked(self, event: JsonObject) -> None:
        if self._new(event["turn"]):
            self._queue.waits(event["turn"], event, None)

    def _new(self, name: str) -> bool:
        return name not in self._queue.waiting and name not in self._executive.turns

    def _kept(self, effect: JsonObject) -> None:
        load = self.books.loads[effect["load"]]
        load.kept, load.kept_bytes = effect["ask"], effect["working_bytes"]
        passer = self._queue.waiting.get(effect["ask"])
        if passer is not None:
            self._queue.passes(effect["ask"], passer, place="cuda", variant=load.variant)

    def _pause(self, *, paused: bool) -> None:
        self._queue.paused = paused

    def _started(self, event: JsonObject) -> None:
        """Begin anew, from what the arbiter found."""
        self._queue.clear(paused=event["paused"] is not None)
        self._senses.clear()
        self._executive.clear()
        self.books.clear()
        number = event["epoch"] << 32
        if number <= self._findings.last_number:
            self._findings.broken(
                "token", f"epoch {event['epoch']} does not rise above earlier tokens"
            )
        for found in event["found"]:
            number += 1
            self.books.loads[number] = Load(
                variant=found["variant"],
                size=found["weights_bytes"],
                phase="there",
                since=float("-inf"),
            )
        for one in event["running"]:
            self._leases.take_up(one)
        if not event["worker_up"]:
            self.books.worker_phase, self.books.worker_since = "gone", self.books.t
        sizes = {profile["name"]: profile["bytes"] for profile in self._limits["profiles"]}
        if event["profile"] in sizes:
            number += 1
            self._executive.found(number, sizes[event["profile"]])
        self._findings.last_number = max(self._findings.last_number, number)

    def _nothing(self, _told: JsonObject) -> None:
        """Pass over what no rule speaks of."""


_Reads = Callable[[Audit, JsonObject], None]

_EVENTS: dict[str, _Reads] = {
    "Asked": Audit._asked,
    "TurnAsked": Audit._turn_asked,
    "TurnEnded": lambda audit, told: audit._executive.turn_ended(told),
    "Released": lambda audit, told: audit.books.close(told["token"]),
    "Renewed": lambda audit, told: audit._leases.renewed(told["holder"]),
    "LoadFinished": lambda audit, told: audit._senses.loaded(told["load"]),
    "LoadFailed": lambda audit, told: audit._senses.load_failed(told["load"]),
    "UnloadFinished": lambda audit, told: audit._senses.unloaded(told["load"]),
    "Measured": lambda audit, told: audit.books.measured(told),
    "ExecutiveLost": lambda audit, _: audit._executive.lost(),
    "SenseLost": lambda audit, told: audit._senses.lost(told["variant"]),
    "WorkerDied": lambda audit, _: audit._senses.worker_died(),
    "WorkerReady": lambda audit, _: audit._senses.worker_ready(),
    "Paused": lambda audit, _: audit._pause(paused=True),
    "Resumed": lambda audit, _: audit._pause(paused=False),
    "Started": Audit._started,
}
_EVENTS |= dict.fromkeys(
    (
        "Cancelled",
        "HolderDied",
        "UnloadFailed",
        "ExecutiveDrifted",
        "Hinted",
        "Ticked",
    ),
    Audit._nothing,
)

_EFFECTS: dict[str, _Reads] = {
    "Granted": lambda audit, told: audit._leases.granted(told),
    "Admitted": lambda audit, told: audit._executive.admitted(told),
    "Refused": lambda audit, told: audit._queue.refused(told),
    "Withdrawn": lambda audit, told: audit._queue.withdrawn(told, audit._event),
    "Revoked": lambda audit, told: audit._leases.revoked(told["token"]),
    "Closed": lambda audit, told: audit._leases.closed(told["token"]),
    "TurnRevoked": lambda audit, told: audit._executive.turn_ended(told),
    "LoadSense": lambda audit, told: audit._senses.load(told),
    "Kept": Audit._kept,
    "UnloadSense": lambda audit, told: audit._senses.unload(told),
    "LoadExecutive": lambda audit, told: audit._executive.load(told),
    "UnloadExecutive": lambda audit, _: audit._executive.unload(),
    "KillWorker": lambda audit, _: audit._senses.kill_worker(),
    "StartWorker": lambda audit, _: audit._senses.start_worker(),
}
_EFFECTS |= dict.fromkeys(("Wake", "Say"), Audit._nothing)
