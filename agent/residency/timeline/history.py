"""A trace as what a timeline shows: layers of bytes, weights, operations and turns, marks.

It goes through the trace with the checker's books, so that what is drawn is what is proved.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from agent.residency.books import EXECUTIVE, JsonObject, Load
from agent.residency.check import Walk
from agent.residency.reading import TraceError

FOREIGN, CONTEXT, WORKING, UNCONFIRMED = (
    "other programs",
    "worker's context",
    "operations",
    "freed, not confirmed",
)
TURNS = "turns"
_PERSON = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """What the card held from a moment on, in bytes."""

    t: float
    layers: Mapping[str, int]
    """From the bottom up."""
    used: int | None
    """By all programs, as it was last measured."""


@dataclass(kw_only=True, slots=True)
class Weights:
    """A model on the card, in one phase."""

    name: str
    phase: str
    """coming, there, going"""
    size: int
    begins: float
    ends: float | None = None
    reason: str = ""


@dataclass(kw_only=True, slots=True)
class Span:
    """An ask or a turn: waiting, then at work."""

    name: str
    group: str
    holder: str
    person: bool
    begins: float
    works: float | None = None
    """When it was granted or admitted."""
    ends: float | None = None
    outcome: str = ""
    """Why it ended other than by its own."""
    place: str = ""
    note: str = ""
    """Why it got something else than it wished for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """Something that happened at a moment."""

    t: float
    kind: str
    """failed, restart, executive, broken, hint"""
    text: str
    group: str = ""
    """Beside what it stands; empty for the whole card."""


@dataclass(kw_only=True, slots=True)
class Pause:
    """While the owner had the card."""

    begins: float
    ends: float | None = None


@dataclass(kw_only=True, slots=True)
class History:
    """All that a timeline shows of one trace."""

    head: JsonObject
    begins: float
    ends: float
    levels: list[Level] = field(default_factory=list)
    weights: list[Weights] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)


def read(told: Iterable[JsonObject], *, name: str) -> History:
    """Go through a trace.

    Raises TraceError where it is none, or holds no transition.
    """
    walk = Walk(name)
    reader = _Reader(walk)
    for line in walk.through(told):
        reader.take(line)
    return reader.finish(name)


def short(variant: str) -> str:
    """Return a variant as a timeline names it: those of different programs are one."""
    return variant.partition("@")[0]


class _Reader:
    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._t = float("-inf")
        self._begins: float | None = None
        self._levels: list[Level] = []
        self._weights: list[Weights] = []
        self._there: dict[int, Weights] = {}
        self._spans: list[Span] = []
        self._asks: dict[str, Span] = {}
        self._running: dict[int, Span] = {}
        self._turns: dict[str, Span] = {}
        self._marks: list[Mark] = []
        self._pauses: list[Pause] = []
        self._order: dict[str, None] = {}
        self._broken = 0

    def take(self, line: JsonObject) -> None:
        self._t = line["t"]
        if self._begins is None:
            self._begins = self._t
        event = line["event"]
        for told in (event, *line["effects"]):
            read_it = _READS.get(told["kind"])
            if read_it is not None:
                read_it(self, told)
        self._compare()
        self._level(line["after"]["used"])
        for one in self._walk.audit.violations[self._broken :]:
            self._mark("broken", f"rule {one.rule!r} broken: {one.text}")
        self._broken = len(self._walk.audit.violations)

    def finish(self, name: str) -> History:
        if self._begins is None:
            raise TraceError(f"{name} holds no transition: there is nothing in it to be drawn.")
        return History(
            head=self._walk.head,
            begins=self._begins,
            ends=self._t,
            levels=self._levels,
            weights=self._weights,
            spans=self._spans,
            marks=self._marks,
            pauses=self._pauses,
        )

    def _asked(self, event: JsonObject) -> None:
        group = short(event["choices"][0]["variant"]) if event["choices"] else EXECUTIVE
        self._opened(event["ask"], group, event)

    def _turn_asked(self, event: JsonObject) -> None:
        self._opened(event["turn"], TURNS, event)

    def _load_failed(self, event: JsonObject) -> None:
        failed = self._there.get(event["load"])
        if failed is not None:
            self._mark("failed", f"{failed.name} did not load: {event['reason']}", failed.name)

    def _hinted(self, event: JsonObject) -> None:
        variant = short(event["choice"]["variant"])
        self._mark("hint", f"{variant} will probably be wanted", variant)

    def _executive(self, event: JsonObject) -> None:
        words = "lost" if event["kind"] == "ExecutiveLost" else "not as it was loaded"
        self._mark("executive", f"the executive is {words}: {event['reason']}", EXECUTIVE)

    def _sense_lost(self, event: JsonObject) -> None:
        variant = short(event["variant"])
        self._mark("failed", f"{variant} is lost: {event['reason']}", variant)

    def _opened(self, name: str, group: str, event: JsonObject) -> None:
        if name in self._asks or name in self._turns:
            return
        span = Span(
            name=name,
            group=group,
            holder=event["holder"],
            person=event["priority"] == _PERSON,
            begins=self._t,
        )
        self._asks[name] = span
        self._spans.append(span)

    def _restarted(self, event: JsonObject) -> None:
        for span in (*self._asks.values(), *self._running.values(), *self._turns.values()):
            span.ends, span.outcome = self._t, "the arbiter was started anew"
        self._asks.clear()
        self._turns.clear()
        if self._running or self._levels:
            self._mark("restart", f"the arbiter was started, life {event['epoch']}")
        self._running = {}
        for one in event["running"]:
            span = Span(
                name=f"lease {one['token']}",
                group=short(one["variant"]),
                holder=one["holder"],
                person=True,
                begins=self._t,
                works=self._t,
                place=one["place"],
                note="granted by an earlier arbiter",
            )
            self._running[one["token"]] = span
            self._spans.append(span)
        self._paused(paused=event["paused"] is not None)

    def _paused(self, *, paused: bool) -> None:
        last = self._pauses[-1] if self._pauses else None
        if last is not None and last.ends is None:
            if not paused:
                last.ends = self._t
        elif paused:
            self._pauses.append(Pause(begins=self._t))

    def _granted(self, effect: JsonObject) -> None:
        span = self._worked(effect["ask"], effect["place"])
        if span is not None:
            span.group, span.note = short(effect["variant"]), effect["reason"]
            self._running[effect["token"]] = span

    def _admitted(self, effect: JsonObject) -> None:
        span = self._worked(effect["turn"], effect["place"])
        if span is not None:
            self._turns[effect["turn"]] = span

    def _revoked(self, span: Span | None, reason: str) -> None:
        if span is not None:
            span.outcome = f"revoked: {reason}"

    def _unloaded(self, effect: JsonObject) -> None:
        leaving = self._there.get(effect["load"])
        if leaving is not None:
            leaving.reason = effect["reason"]

    def _worked(self, ask: str, place: str) -> Span | None:
        span = self._asks.pop(ask, None)
        if span is not None:
            span.works, span.place = self._t, place
        return span

    def _unanswered(self, effect: JsonObject) -> None:
        span = self._asks.pop(effect["ask"], None)
        if span is not None:
            span.ends, span.outcome = self._t, f"{effect['kind'].lower()}: {effect['reason']}"

    def _compare(self) -> None:
        """End what is no more in the books, and follow weights from phase to phase."""
        audit = self._walk.audit
        for token in [one for one in self._running if one not in audit.books.leases]:
            self._running.pop(token).ends = self._t
        for name in [one for one in self._turns if one not in audit.turns]:
            self._turns.pop(name).ends = self._t
        loads = dict(audit.books.loads)
        if audit.books.executive is not None:
            loads[audit.books.executive_load] = audit.books.executive
        for number in [one for one in self._there if one not in loads]:
            self._there.pop(number).ends = self._t
        for number, load in loads.items():
            self._follow(number, load)

    def _follow(self, number: int, load: Load) -> None:
        before = self._there.get(number)
        if before is not None and before.phase == load.phase:
            return
        if before is not None:
            before.ends = self._t
        weights = Weights(
            name=short(load.variant), phase=load.phase, size=load.size, begins=self._t
        )
        if before is not None and load.phase == "going":
            weights.reason = before.reason
        self._there[number] = weights
        self._weights.append(weights)

    def _level(self, used: int | None) -> None:
        books = self._walk.audit.books
        layers = {FOREIGN: books.foreign, CONTEXT: self._walk.head["limits"]["context_bytes"]}
        layers[EXECUTIVE] = books.executive.size if books.executive is not None else 0
        working = sum(lease.size for lease in books.leases.values())
        for load in books.loads.values():
            name = short(load.variant)
            self._order.setdefault(name)
            layers[name] = layers.get(name, 0) + load.size
            working += load.kept_bytes
        ordered = {name: layers.pop(name) for name in self._order if name in layers}
        layers |= {**ordered, WORKING: working, UNCONFIRMED: books.unconfirmed()}
        last = self._levels[-1] if self._levels else None
        if last is None or last.layers != layers or last.used != used:
            self._levels.append(Level(t=self._t, layers=layers, used=used))

    def _mark(self, kind: str, text: str, group: str = "") -> None:
        self._marks.append(Mark(t=self._t, kind=kind, text=text, group=group))


_READS: Mapping[str, Callable[[_Reader, JsonObject], None]] = {
    "Asked": _Reader._asked,
    "TurnAsked": _Reader._turn_asked,
    "LoadFailed": _Reader._load_failed,
    "Hinted": _Reader._hinted,
    "ExecutiveLost": _Reader._executive,
    "ExecutiveDrifted": _Reader._executive,
    "SenseLost": _Reader._sense_lost,
    "WorkerDied": lambda reader, _: reader._mark("restart", "the senses' process died"),
    "Started": _Reader._restarted,
    "Paused": lambda reader, _: reader._paused(paused=True),
    "Resumed": lambda reader, _: reader._paused(paused=False),
    "Granted": _Reader._granted,
    "Admitted": _Reader._admitted,
    "Refused": _Reader._unanswered,
    "Withdrawn": _Reader._unanswered,
    "Revoked": lambda reader, told: reader._revoked(
        reader._running.get(told["token"]), told["reason"]
    ),
    "TurnRevoked": lambda reader, told: reader._revoked(
        reader._turns.get(told["turn"]), told["reason"]
    ),
    "UnloadSense": _Reader._unloaded,
    "UnloadExecutive": _Reader._unloaded,
    "KillWorker": lambda reader, told: reader._mark(
        "restart", f"the senses' process is ended: {told['reason']}"
    ),
}
"""What events and effects of a kind change in the picture; those not named change bytes at most."""
