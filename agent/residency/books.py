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
        self._t = float("-inf")
        self._clear()

    def _clear(self) -> None:
        """Know nothing of what is there."""
        self._loads: dict[int, Load] = {}
        self._executive: Load | None = None
        self._executive_load = -1
        self._leases: dict[int, Lease] = {}
        self._freed: list[tuple[int, float]] = []
        self._residue = 0
        self._reading: JsonObject | None = None
        self._foreign = 0
        self._worker_phase = "there"
        self._worker_since = float("-inf")

    def _ours(self) -> int:
        total: int = self._limits["context_bytes"]
        if self._executive is not None:
            total += self._executive.size
        total += sum(load.size + load.kept_bytes for load in self._loads.values())
        return total + sum(lease.size for lease in self._leases.values())

    def _unconfirmed(self) -> int:
        return self._residue + sum(size for size, _ in self._freed)

    def _free(self, size: int) -> None:
        if size:
            self._freed.append((size, self._t))

    def _measured(self, event: JsonObject) -> None:
        if event["used_bytes"] is None:
            self._reading = None
            return
        taken, own = event["taken_at"], event["own_bytes"]
        if self._reading is not None and taken < self._reading["taken_at"]:
            return
        certain = self._certain(taken)
        earlier = self._residue + sum(size for size, at in self._freed if at <= taken)
        if self._reading is None:
            earlier = self._limits["capacity_bytes"]
        self._freed = [one for one in self._freed if one[1] > taken]
        self._foreign = max(0, event["used_bytes"] - own)
        possible = self._ours() + sum(size for size, _ in self._freed)
        self._residue = max(min(earlier, max(0, own - certain)), own - possible, 0)
        self._reading = event

    def _certain(self, when: float) -> int:
        """Return what was surely ours on the card at a time: finished loads that stayed."""
        held = [load for load in self._loads.values() if load.phase == "there"]
        if self._executive is not None and self._executive.phase == "there":
            held.append(self._executive)
        certain = sum(load.size for load in held if load.since <= when)
        if self._worker_phase == "there" and self._worker_since <= when:
            certain += self._limits["context_bytes"]
        return certain

    def _of(self, variant: str) -> Load | None:
        return next((load for load in self._loads.values() if load.variant == variant), None)

    def _kept_for(self, name: str) -> Load | None:
        return next((load for load in self._loads.values() if load.kept == name), None)

    def _unkeep(self, name: str) -> bool:
        """Let the bytes go that were kept for an ask; tell whether there were any."""
        load = self._kept_for(name)
        if load is not None:
            load.kept, load.kept_bytes = None, 0
        return load is not None

    def _used(self, variant: str) -> bool:
        return any(lease.variant == variant for lease in self._leases.values())

    def _close(self, token: int) -> None:
        lease = self._leases.pop(token, None)
        if lease is not None:
            self._free(lease.size)

    def _awaited(self, number: int, phase: str) -> Load | None:
        load = self._executive if number == self._executive_load else self._loads.get(number)
        return load if load is not None and load.phase == phase else None

    def _gone(self, number: int, load: Load) -> None:
        self._free(load.size)
        if load is self._executive:
            self._executive = None
        else:
            del self._loads[number]

    def _worker_gone(self) -> None:
        self._free(self._limits["context_bytes"])
        for load in self._loads.values():
            self._free(load.size)
        self._loads.clear()
        for token in [one for one, lease in self._leases.items() if lease.in_worker]:
            self._close(token)
        self._worker_phase, self._worker_since = "gone", self._t
