"""What lies on the card as a trace tells it, in bytes: kept without any of the arbiter's code."""

from dataclasses import dataclass
from typing import Any

JsonObject = dict[str, Any]

EXECUTIVE = "executive"


@dataclass(kw_only=True, slots=True)
class Load:
    """Weights of a sense, or the executive."""

    variant: str
    size: int
    phase: str
    """coming, there, going"""
    since: float
    kept: str | None = None
    kept_bytes: int = 0


@dataclass(kw_only=True, slots=True)
class Lease:
    """An operation that runs."""

    ask: str
    """By which it was asked for; empty where an earlier arbiter granted it."""
    holder: str
    variant: str
    place: str
    size: int
    expires_at: float
    heard_at: float
    revoked_at: float | None = None

    @property
    def is_call(self) -> bool:
        """Whether it is a call to the executive."""
        return self.variant == EXECUTIVE

    @property
    def in_worker(self) -> bool:
        """Whether it runs on the card, in the process of the senses."""
        return self.place == "cuda" and not self.is_call


class Books:
    """Weights, operations, frees and measurements of one card."""

    def __init__(self, limits: JsonObject) -> None:
        self._limits = limits
        self.t = float("-inf")
        self.clear()

    def clear(self) -> None:
        """Know nothing of what is there."""
        self.loads: dict[int, Load] = {}
        self.executive: Load | None = None
        self.executive_load = -1
        self.leases: dict[int, Lease] = {}
        self.freed: list[tuple[int, float]] = []
        self.residue = 0
        self.reading: JsonObject | None = None
        self.foreign = 0
        self.worker_phase = "there"
        self.worker_since = float("-inf")

    def ours(self) -> int:
        """Return all that may be ours, whether it is there, on its way or going."""
        total: int = self._limits["context_bytes"]
        if self.executive is not None:
            total += self.executive.size
        total += sum(load.size + load.kept_bytes for load in self.loads.values())
        return total + sum(lease.size for lease in self.leases.values())

    def flying(self) -> int:
        """Return what of it is on its way, with the operations that are promised it."""
        total = sum(
            load.size * (load.phase == "coming") + load.kept_bytes for load in self.loads.values()
        )
        if self.executive is not None and self.executive.phase == "coming":
            total += self.executive.size
        return total

    def unconfirmed(self) -> int:
        """Return what was let go and no measurement has confirmed."""
        return self.residue + sum(size for size, _ in self.freed)

    def free(self, size: int) -> None:
        """Let bytes go."""
        if size:
            self.freed.append((size, self.t))

    def measured(self, event: JsonObject) -> None:
        """Take a reading of the card."""
        if event["used_bytes"] is None:
            self.reading = None
            return
        taken, own = event["taken_at"], event["own_bytes"]
        if self.reading is not None and taken < self.reading["taken_at"]:
            return
        certain = self._certain(taken)
        earlier = self.residue + sum(size for size, at in self.freed if at <= taken)
        if self.reading is None:
            earlier = self._limits["capacity_bytes"]
        self.freed = [one for one in self.freed if one[1] > taken]
        self.foreign = max(0, event["used_bytes"] - own)
        possible = self.ours() + sum(size for size, _ in self.freed)
        self.residue = max(min(earlier, max(0, own - certain)), own - possible, 0)
        self.reading = event

    def _certain(self, when: float) -> int:
        """Return what was surely ours on the card at a time: finished loads that stayed."""
        held = [load for load in self.loads.values() if load.phase == "there"]
        if self.executive is not None and self.executive.phase == "there":
            held.append(self.executive)
        certain = sum(load.size for load in held if load.since <= when)
        if self.worker_phase == "there" and self.worker_since <= when:
            certain += self._limits["context_bytes"]
        return certain

    def of(self, variant: str) -> Load | None:
        """Return the weights of a variant."""
        return next((load for load in self.loads.values() if load.variant == variant), None)

    def kept_for(self, name: str) -> Load | None:
        """Return the weights that an ask has been promised."""
        return next((load for load in self.loads.values() if load.kept == name), None)

    def unkeep(self, name: str) -> bool:
        """Let the bytes go that were kept for an ask; tell whether there were any."""
        load = self.kept_for(name)
        if load is not None:
            load.kept, load.kept_bytes = None, 0
        return load is not None

    def used(self, variant: str) -> bool:
        """Tell whether an operation runs in a variant."""
        return any(lease.variant == variant for lease in self.leases.values())

    def close(self, token: int) -> None:
        """End an operation, and let its bytes go."""
        lease = self.leases.pop(token, None)
        if lease is not None:
            self.free(lease.size)

    def awaited(self, number: int, phase: str) -> Load | None:
        """Return a load by its number, if it is in that phase."""
        load = self.executive if number == self.executive_load else self.loads.get(number)
        return load if load is not None and load.phase == phase else None

    def gone(self, number: int, load: Load) -> None:
        """Take weights out of the books."""
        self.free(load.size)
        if load is self.executive:
            self.executive = None
        else:
            del self.loads[number]

    def worker_gone(self) -> None:
        """Let all go that was in the process of the senses."""
        self.free(self._limits["context_bytes"])
        for load in self.loads.values():
            self.free(load.size)
        self.loads.clear()
        for token in [one for one, lease in self.leases.items() if lease.in_worker]:
            self.close(token)
        self.worker_phase, self.worker_since = "gone", self.t
