"""Rules on the executive: it is there in a turn, and nobody touches it then."""

from agent.residency.audit.findings import Findings
from agent.residency.audit.queue import Queue
from agent.residency.books import EXECUTIVE, Books, JsonObject, Load


class Executive:
    """The model that stays, and the turns that rely on it."""

    def __init__(self, limits: JsonObject, books: Books, queue: Queue, findings: Findings) -> None:
        self.turns: dict[str, JsonObject] = {}
        """Those in progress: place and holder."""
        self._limits = limits
        self._books = books
        self._queue = queue
        self._findings = findings
        self._held_until = float("-inf")

    def clear(self) -> None:
        """Begin anew with an arbiter that knows of no turn."""
        self.turns.clear()
        self._held_until = float("-inf")

    def admitted(self, effect: JsonObject) -> None:
        """Begin a turn."""
        self._findings.tally.admitted += 1
        waiting = self._queue.answered(effect["turn"])
        holder = waiting.holder if waiting is not None else ""
        self.turns[effect["turn"]] = {"place": effect["place"], "holder": holder}
        executive = self._books.executive
        there = executive is not None and executive.phase == "there"
        if effect["place"] == "cuda" and not there:
            self._broken("loaded", f"{effect['turn']!r} is admitted without an executive")

    def turn_ended(self, told: JsonObject) -> None:
        """End a turn."""
        self.turns.pop(told["turn"], None)

    def load(self, effect: JsonObject) -> None:
        """Begin a load."""
        self._findings.tally.executive_loads += 1
        self._findings.rises(effect["load"])
        self._untouched_in_turns("loaded")
        if self._books.executive is not None:
            self._broken("loaded", "the executive is loaded twice")
        self._books.executive_load = effect["load"]
        self._books.executive = Load(
            variant=EXECUTIVE, size=effect["bytes"], phase="coming", since=self._books.t
        )

    def unload(self) -> None:
        """Tell it to go."""
        self._untouched_in_turns("unloaded")
        if self._books.used(EXECUTIVE):
            self._broken("in use", "the executive is unloaded while a call runs in it")
        executive = self._books.executive
        if executive is not None:
            executive.phase, executive.since = "going", self._books.t

    def lost(self) -> None:
        """Note that it is gone without the arbiter's doing."""
        books = self._books
        self._held_until = float("-inf")
        if books.executive is not None:
            books.free(books.executive.size)
            books.executive = None
            for token in [one for one, lease in books.leases.items() if lease.is_call]:
                books.close(token)

    def found(self, number: int, size: int) -> None:
        """Note that an arbiter found it loaded when it began: turns may be in progress."""
        self._books.executive_load = number
        self._books.executive = Load(
            variant=EXECUTIVE, size=size, phase="there", since=float("-inf")
        )
        self._held_until = self._books.t + self._limits["recovery_s"]

    def _untouched_in_turns(self, done: str) -> None:
        turns = [name for name, one in self.turns.items() if one["place"] == "cuda"]
        if turns:
            self._broken("executive", f"it is {done} in turn {turns[0]!r}")
        elif self._books.t < self._held_until and self._books.executive is not None:
            self._broken("executive", f"it is {done} while turns may run that began before")

    def _broken(self, rule: str, text: str) -> None:
        self._findings.broken(rule, text)
