"""Rules on bytes: never over the budget, nothing granted on a guess, the trace's own sums true."""

from agent.residency.audit.findings import Findings
from agent.residency.books import EXECUTIVE, Books, JsonObject

_ROUNDING_S = 1e-6


class Budget:
    """The card less what is never granted."""

    def __init__(self, limits: JsonObject, books: Books, findings: Findings) -> None:
        self.bytes: int = limits["capacity_bytes"] - limits["safety_bytes"]
        self._stale_s: float = limits["stale_s"]
        self._books = books
        self._findings = findings

    def within(self) -> None:
        """See to it that what was just added fits, by a reading that is recent."""
        books = self._books
        total = books.ours() + books.foreign + books.unconfirmed()
        if books.reading is None:
            self._broken("measured", "bytes were granted on a card that was never measured")
            return
        age = books.t - books.reading["taken_at"]
        if age > self._stale_s + _ROUNDING_S:
            self._broken("measured", f"bytes were granted on a measurement {age:.1f} s old")
        if total > self.bytes:
            over = total - self.bytes
            if total - books.unconfirmed() <= self.bytes:
                self._broken("unmeasured", f"{over} bytes rest on frees that were not measured")
            else:
                self._broken("budget", f"{over} bytes over the budget of {self.bytes}")

    def made_way(self) -> None:
        """Nothing idle stays while other programs' growth has put the card over its budget."""
        books = self._books
        going = sum(load.size for load in books.loads.values() if load.phase == "going")
        if books.executive is not None and books.executive.phase == "going":
            going += books.executive.size
        over = books.ours() + books.foreign - going - self.bytes
        if over <= 0 or books.reading is None:
            return
        for load in books.loads.values():
            if load.phase == "there" and load.kept is None and not books.used(load.variant):
                self._broken("made way", f"{load.variant} lies idle, {over} bytes over the budget")

    def as_told(self, after: JsonObject) -> None:
        """Compare the trace's own sums with what follows from its events."""
        flying = self._books.flying()
        mine = {
            "reserved": self._books.ours() - flying,
            "in_flight": flying,
            "unconfirmed": self._books.unconfirmed(),
        }
        for name, size in mine.items():
            if after[name] != size:
                self._broken("ledger", f"{name} is told as {after[name]}, and is {size}")

    def _broken(self, rule: str, text: str) -> None:
        self._findings.broken(rule, text)


def adds(effect: JsonObject) -> bool:
    """Tell whether an effect puts bytes on the card."""
    if effect["kind"] == "Granted":
        return bool(effect["place"] == "cuda" and effect["variant"] != EXECUTIVE)
    return effect["kind"] in {"LoadSense", "Kept", "LoadExecutive", "StartWorker"}
