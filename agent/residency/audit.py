"""What a trace says happened, reckoned again without any of the arbiter's code.

The bytes that may lie on the card are made up from the events and effects alone; what the trace
itself says of them is only compared. Every rule that is broken is written down with its line.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from agent.residency.books import EXECUTIVE, Books, JsonObject, Lease, Load

SLACK_S = 1.0
"""Answers and revocations may come so long after they were due."""
_ROUNDING_S = 1e-6
_PERSON, _JOB = 0, 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """A rule that the arbiter broke."""

    line: int
    at_s: float
    rule: str
    text: str


@dataclass(kw_only=True, slots=True)
class _Waiting:
    asked_at: float
    deadline: float
    priority: int
    holder: str
    choices: list[JsonObject] | None
    """None for a turn."""
    order: tuple[float, int, str]
    passed: int = 0


@dataclass(kw_only=True, slots=True)
class Tally:
    """What a trace holds, in numbers."""

    steps: int = 0
    asks: int = 0
    granted: int = 0
    admitted: int = 0
    refused: int = 0
    withdrawn: int = 0
    lost_in_restarts: int = 0
    loads: int = 0
    evictions: int = 0
    executive_loads: int = 0
    restarts: int = 0
    longest_wait_s: dict[str, float] = field(default_factory=lambda: {"person": 0.0, "job": 0.0})
    most_passed: int = 0


class Audit(Books):
    """Goes through the transitions of one trace."""

    def __init__(self, limits: JsonObject) -> None:
        self.violations: list[Violation] = []
        self.tally = Tally()
        self._budget: int = limits["capacity_bytes"] - limits["safety_bytes"]
        self._last_number = 0
        self._line = 0
        self._event: JsonObject = {}
        super().__init__(limits)

    def _clear(self) -> None:
        super()._clear()
        self._waiting: dict[str, _Waiting] = {}
        self._turns: dict[str, JsonObject] = {}
        self._paused = False
        self._failed: dict[str, tuple[int, float]] = {}
        self._held_until = float("-inf")

    def step(self, line: int, transition: JsonObject) -> None:
        """Take the next transition into account.

        Raises KeyError or TypeError where the line lacks something.
        """
        self._line, self._event = line, transition["event"]
        t = float(transition["t"])
        if t < self._t:
            self._broken("time", f"time runs backwards, from {self._t} to {t}")
        self._t = max(self._t, t)
        self.tally.steps += 1
        _EVENTS[self._event["kind"]](self, self._event)
        adds = False
        for effect in transition["effects"]:
            adds = adds or _adds(effect)
            _EFFECTS[effect["kind"]](self, effect)
        if adds:
            self._within_budget()
        self._overdue()
        if self._event["kind"] == "Measured":
            self._made_way()
        self._as_told(transition["after"])

    def finish(self) -> None:
        """Look at what is left open at the end."""
        for name in self._waiting:
            self._broken("answered", f"{name!r} was never answered")

    def _broken(self, rule: str, text: str) -> None:
        self.violations.append(Violation(line=self._line, at_s=self._t, rule=rule, text=text))

    # Bytes.

    def _within_budget(self) -> None:
        total = self._ours() + self._foreign + self._unconfirmed()
        if self._reading is None:
            self._broken("measured", "bytes were granted on a card that was never measured")
            return
        age = self._t - self._reading["taken_at"]
        if age > self._limits["stale_s"] + _ROUNDING_S:
            self._broken("measured", f"bytes were granted on a measurement {age:.1f} s old")
        if total > self._budget:
            over = total - self._budget
            if total - self._unconfirmed() <= self._budget:
                self._broken("unmeasured", f"{over} bytes rest on frees that were not measured")
            else:
                self._broken("budget", f"{over} bytes over the budget of {self._budget}")

    def _made_way(self) -> None:
        """Nothing idle stays while other programs' growth has put the card over its budget."""
        going = sum(load.size for load in self._loads.values() if load.phase == "going")
        if self._executive is not None and self._executive.phase == "going":
            going += self._executive.size
        over = self._ours() + self._foreign - going - self._budget
        if over <= 0 or self._reading is None:
            return
        used = {lease.variant for lease in self._leases.values()}
        for load in self._loads.values():
            if load.phase == "there" and load.kept is None and load.variant not in used:
                self._broken("made way", f"{load.variant} lies idle, {over} bytes over the budget")

    def _as_told(self, after: JsonObject) -> None:
        flying = sum(
            load.size * (load.phase == "coming") + load.kept_bytes for load in self._loads.values()
        )
        if self._executive is not None and self._executive.phase == "coming":
            flying += self._executive.size
        reserved = self._ours() - flying
        mine = {"reserved": reserved, "in_flight": flying, "unconfirmed": self._unconfirmed()}
        for name, size in mine.items():
            if after[name] != size:
                self._broken("ledger", f"{name} is told as {after[name]}, and is {size}")

    # Questions and answers.

    def _asked(self, event: JsonObject) -> None:
        name = event["ask"]
        if name in self._waiting or name in self._turns:
            return
        self.tally.asks += 1
        self._waits(name, event, event["choices"])

    def _turn_asked(self, event: JsonObject) -> None:
        name = event["turn"]
        if name in self._waiting or name in self._turns:
            return
        self.tally.asks += 1
        self._waits(name, event, None)

    def _waits(self, name: str, event: JsonObject, choices: list[JsonObject] | None) -> None:
        latest = self._t + self._limits["wait_s"]
        wished = event["deadline"]
        patience = self._limits["patience_s"] if event["priority"] == _JOB else 0.0
        self._waiting[name] = _Waiting(
            asked_at=self._t,
            deadline=latest if wished is None else max(self._t, min(latest, wished)),
            priority=event["priority"],
            holder=event["holder"],
            choices=choices,
            order=(self._t + patience, event["priority"], name),
        )

    def _answered(self, name: str) -> _Waiting | None:
        waiting = self._waiting.pop(name, None)
        if waiting is None:
            self._broken("answered", f"{name!r} is answered, but does not wait")
            return None
        if self._t > waiting.deadline + SLACK_S:
            self._broken("bounded", f"{name!r} is answered after its deadline")
        who = "person" if waiting.priority == _PERSON else "job"
        longest = self.tally.longest_wait_s
        longest[who] = max(longest[who], self._t - waiting.asked_at)
        return waiting

    def _granted(self, effect: JsonObject) -> None:
        self.tally.granted += 1
        name, token, variant = effect["ask"], effect["token"], effect["variant"]
        waiting = self._answered(name)
        self._rises(token)
        if any(lease.variant == variant for lease in self._leases.values()):
            self._broken("in use", f"{variant} is granted twice at once")
        if waiting is not None:
            self._as_asked(waiting, effect)
        if effect["place"] == "cuda":
            self._there(effect, self._of(variant))
        if not self._unkeep(name) and waiting is not None:
            self._passes(name, waiting, effect)
        self._leases[token] = Lease(
            holder=effect["holder"],
            variant=variant,
            place=effect["place"],
            size=effect["working_bytes"],
            expires_at=effect["expires_at"],
            heard_at=self._t,
        )

    def _rises(self, number: int) -> None:
        if number <= self._last_number:
            self._broken("token", f"{number} does not rise above {self._last_number}")
        self._last_number = max(self._last_number, number)

    def _as_asked(self, waiting: _Waiting, effect: JsonObject) -> None:
        choices = waiting.choices or []
        rung = effect["rung"]
        choice = choices[rung] if rung < len(choices) else {}
        named = ("variant", "place", "working_bytes")
        if any(choice.get(key) != effect[key] for key in named):
            self._broken("answered", f"{effect['ask']!r} is granted what it did not ask for")

    def _there(self, effect: JsonObject, load: Load | None) -> None:
        if effect["variant"] == EXECUTIVE:
            load = self._executive
        if load is None or load.phase != "there":
            self._broken("loaded", f"{effect['variant']} is granted and is not on the card")

    def _admitted(self, effect: JsonObject) -> None:
        self.tally.admitted += 1
        waiting = self._answered(effect["turn"])
        holder = waiting.holder if waiting is not None else ""
        self._turns[effect["turn"]] = {"place": effect["place"], "holder": holder}
        there = self._executive is not None and self._executive.phase == "there"
        if effect["place"] == "cuda" and not there:
            self._broken("loaded", f"{effect['turn']!r} is admitted without an executive")

    def _refused(self, effect: JsonObject) -> None:
        self.tally.refused += 1
        self._unkeep(effect["ask"])
        waiting = self._answered(effect["ask"])
        if waiting is None or self._t >= waiting.deadline or _unsound(waiting.choices):
            return
        smallest = min((one["bytes"] for one in self._limits["profiles"]), default=0)
        most = self._budget - self._limits["context_bytes"] - smallest
        for choice in waiting.choices or [{"weights_bytes": 0, "working_bytes": 0}]:
            if choice["weights_bytes"] + choice["working_bytes"] <= most:
                self._broken("answered", f"{effect['ask']!r} is refused, though it could be")
                return

    def _withdrawn(self, effect: JsonObject) -> None:
        self.tally.withdrawn += 1
        self._unkeep(effect["ask"])
        waiting = self._answered(effect["ask"])
        event = self._event
        meant = event.get("ask") == effect["ask"] and event["kind"] == "Cancelled"
        died = event["kind"] == "HolderDied" and waiting and waiting.holder == event["holder"]
        if not meant and not died:
            self._broken("answered", f"{effect['ask']!r} is withdrawn, and nobody has asked for it")

    # Who goes before whom.

    def _passes(self, name: str, passer: _Waiting, effect: JsonObject) -> None:
        """Count against whom an ask takes bytes or a variant before its turn."""
        if effect["place"] != "cuda" or effect["variant"] == EXECUTIVE:
            return
        for other_name, other in self._waiting.items():
            if other_name == name or other.order >= passer.order:
                continue
            if self._kept_for(other_name) is not None or not self._needs_room(other):
                continue
            other.passed += 1
            self.tally.most_passed = max(self.tally.most_passed, other.passed)
            if other.passed > self._limits["overtakes"]:
                self._broken("starved", f"{other_name!r} is passed {other.passed} times")
            if passer.priority > other.priority:
                self._broken("starved", f"a job passes {other_name!r}, for which a person waits")

    def _needs_room(self, waiting: _Waiting) -> bool:
        """Tell whether an ask waits for bytes, and not for an operation, a pause or a next try."""
        if (
            self._paused
            or self._reading is None
            or self._worker_phase != "there"
            or not self._executive
        ):
            return False
        for choice in waiting.choices or []:
            variant = choice["variant"]
            if choice["place"] == "cpu" or variant == EXECUTIVE or self._used(variant):
                return False
            if self._fails(variant) or not self._ever_fits(choice):
                continue
            load = self._of(variant)
            return load is None or load.kept is None
        return False

    def _fails(self, variant: str) -> bool:
        count, at = self._failed.get(variant, (0, float("-inf")))
        pause: float = min(60.0, float(self._limits["backoff_s"]) * 2.0 ** min(count - 1, 6))
        return self._t < at + pause

    def _ever_fits(self, choice: JsonObject) -> bool:
        executive = self._executive.size if self._executive else 0
        need: int = choice["weights_bytes"] + choice["working_bytes"]
        fixed: int = self._limits["context_bytes"] + executive + self._foreign
        return need + fixed <= self._budget

    # Leases.

    def _released(self, event: JsonObject) -> None:
        self._close(event["token"])

    def _closed(self, effect: JsonObject) -> None:
        lease = self._leases.get(effect["token"])
        if lease is None or lease.revoked_at is None:
            self._broken("in use", f"lease {effect['token']} is void without having been revoked")
        self._close(effect["token"])

    def _revoked(self, effect: JsonObject) -> None:
        lease = self._leases.get(effect["token"])
        if lease is not None and lease.revoked_at is None:
            lease.revoked_at = self._t

    def _renewed(self, event: JsonObject) -> None:
        for lease in self._leases.values():
            if lease.holder == event["holder"]:
                lease.heard_at = self._t

    def _overdue(self) -> None:
        """Look for what should have ended by now."""
        for name, waiting in self._waiting.items():
            if self._t > waiting.deadline + SLACK_S:
                self._broken("bounded", f"{name!r} waits beyond its deadline")
                waiting.deadline = float("inf")
        silence = self._limits["heartbeat_s"]
        for token, lease in self._leases.items():
            until = min(lease.expires_at, lease.heard_at + silence)
            if lease.revoked_at is None and self._t > until + SLACK_S:
                self._broken("bounded", f"lease {token} is not revoked when its time is over")
                lease.revoked_at = self._t

    # Senses on the card.

    def _load_sense(self, effect: JsonObject) -> None:
        self.tally.loads += 1
        self._rises(effect["load"])
        if self._of(effect["variant"]) is not None:
            self._broken("loaded", f"{effect['variant']} is loaded twice")
        self._loads[effect["load"]] = Load(
            variant=effect["variant"], size=effect["weights_bytes"], phase="coming", since=self._t
        )

    def _kept(self, effect: JsonObject) -> None:
        load = self._loads[effect["load"]]
        load.kept, load.kept_bytes = effect["ask"], effect["working_bytes"]
        passer = self._waiting.get(effect["ask"])
        if passer is not None:
            self._passes(effect["ask"], passer, {"place": "cuda", "variant": load.variant})

    def _unload_sense(self, effect: JsonObject) -> None:
        load = self._loads.get(effect["load"])
        if load is None:
            self._broken("loaded", f"{effect['variant']} is unloaded and is not on the card")
            return
        if any(
            lease.in_worker and lease.variant == load.variant for lease in self._leases.values()
        ):
            self._broken("in use", f"{load.variant} is evicted while an operation runs in it")
        if load.phase == "coming" and self._t - load.since >= self._limits["load_s"] - _ROUNDING_S:
            self._count_failure(load.variant)
        self.tally.evictions += load.phase != "going"
        load.phase, load.since, load.kept, load.kept_bytes = "going", self._t, None, 0

    def _kill_worker(self, _effect: JsonObject) -> None:
        self.tally.restarts += 1
        for token, lease in self._leases.items():
            overdue = lease.revoked_at is not None and (
                self._t - lease.revoked_at >= self._limits["revoke_s"] - _ROUNDING_S
            )
            if lease.in_worker and not overdue:
                self._broken("in use", f"the worker is killed while lease {token} runs in it")
        self._worker_gone()

    def _worker_died(self, _event: JsonObject) -> None:
        if self._worker_phase != "gone":
            self._worker_gone()

    def _start_worker(self, _effect: JsonObject) -> None:
        if self._worker_phase != "gone":
            self._broken("loaded", "the worker is started twice")
        self._worker_phase = "coming"

    def _worker_ready(self, _event: JsonObject) -> None:
        if self._worker_phase == "coming":
            self._worker_phase, self._worker_since = "there", self._t

    def _count_failure(self, variant: str) -> None:
        self._failed[variant] = (self._failed.get(variant, (0, 0.0))[0] + 1, self._t)

    def _load_finished(self, event: JsonObject) -> None:
        load = self._awaited(event["load"], "coming")
        if load is not None:
            load.phase, load.since = "there", self._t
            self._failed.pop(load.variant, None)

    def _load_failed(self, event: JsonObject) -> None:
        load = self._awaited(event["load"], "coming")
        if load is not None:
            self._count_failure(load.variant)
            self._gone(event["load"], load)

    def _unload_finished(self, event: JsonObject) -> None:
        load = self._awaited(event["load"], "going")
        if load is not None:
            self._gone(event["load"], load)

    # The executive.

    def _load_executive(self, effect: JsonObject) -> None:
        self.tally.executive_loads += 1
        self._rises(effect["load"])
        self._untouched_in_turns("loaded")
        if self._executive is not None:
            self._broken("loaded", "the executive is loaded twice")
        self._executive_load = effect["load"]
        self._executive = Load(
            variant=EXECUTIVE, size=effect["bytes"], phase="coming", since=self._t
        )

    def _unload_executive(self, _effect: JsonObject) -> None:
        self._untouched_in_turns("unloaded")
        if self._used(EXECUTIVE):
            self._broken("in use", "the executive is unloaded while a call runs in it")
        if self._executive is not None:
            self._executive.phase, self._executive.since = "going", self._t

    def _untouched_in_turns(self, done: str) -> None:
        turns = [name for name, one in self._turns.items() if one["place"] == "cuda"]
        if turns:
            self._broken("executive", f"it is {done} in turn {turns[0]!r}")
        elif self._t < self._held_until and self._executive is not None:
            self._broken("executive", f"it is {done} while turns may run that began before")

    def _executive_lost(self, _event: JsonObject) -> None:
        self._held_until = float("-inf")
        if self._executive is not None:
            self._free(self._executive.size)
            self._executive = None
            for token in [one for one, lease in self._leases.items() if lease.is_call]:
                self._close(token)

    def _turn_ended(self, event: JsonObject) -> None:
        self._turns.pop(event["turn"], None)

    # The whole.

    def _pause(self, _event: JsonObject) -> None:
        self._paused = True

    def _resume(self, _event: JsonObject) -> None:
        self._paused = False

    def _started(self, event: JsonObject) -> None:
        self.tally.lost_in_restarts += len(self._waiting)
        self._clear()
        self._paused = event["paused"] is not None
        number = event["epoch"] << 32
        if number <= self._last_number:
            self._broken("token", f"epoch {event['epoch']} does not rise above earlier tokens")
        for found in event["found"]:
            number += 1
            self._loads[number] = Load(
                variant=found["variant"],
                size=found["weights_bytes"],
                phase="there",
                since=float("-inf"),
            )
        for one in event["running"]:
            self._leases[one["token"]] = Lease(
                holder=one["holder"],
                variant=one["variant"],
                place=one["place"],
                size=one["working_bytes"],
                expires_at=self._t + self._limits["lease_s"],
                heard_at=self._t,
            )
        if not event["worker_up"]:
            self._worker_phase, self._worker_since = "gone", self._t
        sizes = {profile["name"]: profile["bytes"] for profile in self._limits["profiles"]}
        if event["profile"] in sizes:
            number += 1
            self._executive_load = number
            self._executive = Load(
                variant=EXECUTIVE,
                size=sizes[event["profile"]],
                phase="there",
                since=float("-inf"),
            )
            self._held_until = self._t + self._limits["recovery_s"]
        self._last_number = max(self._last_number, number)

    def _nothing(self, _told: JsonObject) -> None:
        """Pass over what no rule speaks of."""


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


def _adds(effect: JsonObject) -> bool:
    """Tell whether an effect puts bytes on the card."""
    if effect["kind"] == "Granted":
        return bool(effect["place"] == "cuda" and effect["variant"] != EXECUTIVE)
    return effect["kind"] in {"LoadSense", "Kept", "LoadExecutive", "StartWorker"}


_EVENTS: dict[str, Callable[[Audit, JsonObject], None]] = {
    "Asked": Audit._asked,
    "TurnAsked": Audit._turn_asked,
    "TurnEnded": Audit._turn_ended,
    "Released": Audit._released,
    "Renewed": Audit._renewed,
    "LoadFinished": Audit._load_finished,
    "LoadFailed": Audit._load_failed,
    "UnloadFinished": Audit._unload_finished,
    "Measured": Audit._measured,
    "ExecutiveLost": Audit._executive_lost,
    "WorkerDied": Audit._worker_died,
    "WorkerReady": Audit._worker_ready,
    "Paused": Audit._pause,
    "Resumed": Audit._resume,
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

_EFFECTS: dict[str, Callable[[Audit, JsonObject], None]] = {
    "Granted": Audit._granted,
    "Admitted": Audit._admitted,
    "Refused": Audit._refused,
    "Withdrawn": Audit._withdrawn,
    "Revoked": Audit._revoked,
    "Closed": Audit._closed,
    "TurnRevoked": Audit._turn_ended,
    "LoadSense": Audit._load_sense,
    "Kept": Audit._kept,
    "UnloadSense": Audit._unload_sense,
    "LoadExecutive": Audit._load_executive,
    "UnloadExecutive": Audit._unload_executive,
    "KillWorker": Audit._kill_worker,
    "StartWorker": Audit._start_worker,
}
_EFFECTS |= dict.fromkeys(("Wake", "Say"), Audit._nothing)
