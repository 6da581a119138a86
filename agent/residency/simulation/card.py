"""The bytes of the card, as they really lie."""

from dataclasses import dataclass
from enum import StrEnum


class Owner(StrEnum):
    """Whose process holds bytes."""

    EXECUTIVE = "executive"
    WORKER = "worker"
    FOREIGN = "foreign"


@dataclass(frozen=True, kw_only=True, slots=True)
class OutOfMemory:
    """An allocation of ours that the card could not hold."""

    at_s: float
    name: str
    missing_bytes: int
    excused: bool
    """Whether another program took more than the safety since the last measurement."""


class SimulatedCard:
    """Holds named pieces, never more than fits."""

    def __init__(self, capacity_bytes: int) -> None:
        self.capacity_bytes = capacity_bytes
        self.most_bytes = 0
        self._pieces: dict[str, tuple[Owner, int]] = {}
        self._held = dict.fromkeys(Owner, 0)

    @property
    def used_bytes(self) -> int:
        """What all programs hold."""
        return sum(self._held.values())

    @property
    def own_bytes(self) -> int:
        """What the executive and the worker hold."""
        return self._held[Owner.EXECUTIVE] + self._held[Owner.WORKER]

    @property
    def foreign_bytes(self) -> int:
        """What other programs hold."""
        return self._held[Owner.FOREIGN]

    @property
    def free_bytes(self) -> int:
        """What nobody holds."""
        return self.capacity_bytes - self.used_bytes

    def take(self, name: str, owner: Owner, size: int) -> bool:
        """Let a piece become so large; False, and nothing, when it does not fit."""
        before = self._pieces.get(name, (owner, 0))[1]
        if size - before > self.free_bytes:
            return False
        self._held[owner] += size - before
        self._pieces[name] = (owner, size)
        self.most_bytes = max(self.most_bytes, self.used_bytes)
        return True

    def give(self, name: str, *, left_bytes: int = 0) -> None:
        """Let a piece go; what is left of it stays under another name."""
        owner, size = self._pieces.pop(name, (Owner.WORKER, 0))
        left = min(left_bytes, size)
        self._held[owner] -= size - left
        if left:
            self._pieces[f"left of {name}"] = (owner, left)

    def rename(self, name: str, other: str) -> None:
        """Call a piece by another name."""
        if name in self._pieces:
            self._pieces[other] = self._pieces.pop(name)

    def size(self, name: str) -> int:
        """Return what a piece holds."""
        return self._pieces.get(name, (Owner.FOREIGN, 0))[1]

    def names(self, owner: Owner) -> list[str]:
        """Return the pieces of an owner."""
        return [name for name, (whose, _) in self._pieces.items() if whose is owner]
