"""Rules on operations that run: what was asked for, one in a variant, revoked when time is over."""

from agent.residency.audit.findings import Findings
from agent.residency.audit.queue import SLACK_S, Queue, Waiting
from agent.residency.books import EXECUTIVE, Books, JsonObject, Lease, Load


class Leases:
    """The operations of one card."""

    def __init__(self, limits: JsonObject, books: Books, queue: Queue, findings: Findings) -> None:
        self._limits = limits
        self._books = books
        self._queue = queue
        self._findings = findings

    def granted(self, effect: JsonObject) -> None:
        """Begin an operation."""
        books = self._books
        self._findings.tally.granted += 1
        name, variant = effect["ask"], effect["variant"]
        waiting = self._queue.answered(name)
        self._findings.rises(effect["token"])
        if books.used(variant):
            self._broken("in use", f"{variant} is granted twice at once")
        if waiting is not None:
            self._as_asked(waiting, effect)
        if effect["place"] == "cuda":
            self._there(variant, books.of(variant))
        if not books.unkeep(name) and waiting is not None:
            self._queue.passes(name, waiting, place=effect["place"], variant=variant)
        books.leases[effect["token"]] = Lease(
            ask=name,
            holder=effect["holder"],
            variant=variant,
            place=effect["place"],
            size=effect["working_bytes"],
            expires_at=effect["expires_at"],
            heard_at=books.t,
        )

    def take_up(self, running: JsonObject) -> None:
        """Go on with an operation that ran under an earlier arbiter."""
        now = self._books.t
        self._books.leases[running["token"]] = Lease(
            ask="",
            holder=running["holder"],
            variant=running["variant"],
            place=running["place"],
            size=running["working_bytes"],
            expires_at=now + self._limits["lease_s"],
            heard_at=now,
        )

    def closed(self, token: int) -> None:
        """End an operation that nobody said has stopped: only after it was revoked."""
        lease = self._books.leases.get(token)
        if lease is None or lease.revoked_at is None:
            self._broken("in use", f"lease {token} is void without having been revoked")
        self._books.close(token)

    def revoked(self, token: int) -> None:
        """Note that an operation was told to stop."""
        lease = self._books.leases.get(token)
        if lease is not None and lease.revoked_at is None:
            lease.revoked_at = self._books.t

    def renewed(self, holder: str) -> None:
        """Note that a holder lives."""
        for lease in self._books.leases.values():
            if lease.holder == holder:
                lease.heard_at = self._books.t

    def overdue(self) -> None:
        """Look for operations that should have been told to stop by now."""
        silence = self._limits["heartbeat_s"]
        for token, lease in self._books.leases.items():
            until = min(lease.expires_at, lease.heard_at + silence)
            if lease.revoked_at is None and self._books.t > until + SLACK_S:
                self._broken("bounded", f"lease {token} is not revoked when its time is over")
                lease.revoked_at = self._books.t

    def _as_asked(self, waiting: Waiting, effect: JsonObject) -> None:
        choices = waiting.choices or []
        rung = effect["rung"]
        choice = choices[rung] if rung < len(choices) else {}
        named = ("variant", "place", "working_bytes")
        if any(choice.get(key) != effect[key] for key in named):
            self._broken("answered", f"{effect['ask']!r} is granted what it did not ask for")

    def _there(self, variant: str, load: Load | None) -> None:
        if variant == EXECUTIVE:
            load = self._books.executive
        if load is None or load.phase != "there":
            self._broken("loaded", f"{variant} is granted and is not on the card")

    def _broken(self, rule: str, text: str) -> None:
        self._findings.broken(rule, text)
