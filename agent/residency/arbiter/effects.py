"""What is to be done about it. Others do it and report back by events."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """Something to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Granted(Effect):
    """The holder may run its operation."""

    ask: str
    token: int
    """Rises with every lease: a writer with a lower one is late."""
    holder: str
    variant: str
    place: Literal["cuda", "cpu"]
    working_bytes: int
    expires_at: float
    rung: int
    """Which of the choices it is; 0 is what was wished for."""
    reason: str = ""
    """Why not an earlier one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Admitted(Effect):
    """The turn may begin."""

    turn: str
    place: Literal["cuda", "cpu"]
    profile: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused(Effect):
    """No, and why. `ask` may name a turn."""

    ask: str
    reason: str
    next_rung: str | None = None
    """Variant that would have been next on the ladder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Withdrawn(Effect):
    """Nobody waits for this answer any more."""

    ask: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Revoked(Effect):
    """The operation must stop; its bytes count until it has."""

    token: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Closed(Effect):
    """The lease is void: it was revoked, and nobody said that the operation has stopped."""

    token: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnRevoked(Effect):
    """The turn has lost its executive and must be asked for again."""

    turn: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadSense(Effect):
    """Copy a variant onto the card."""

    load: int
    variant: str
    weights_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept(Effect):
    """Bytes of an operation count from now on: its weights are on their way."""

    ask: str
    load: int
    working_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class UnloadSense(Effect):
    """Take it off again, or stop loading it."""

    load: int
    variant: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadExecutive(Effect):
    """Load the executive by its frozen profile and verify it."""

    load: int
    profile: str
    bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class UnloadExecutive(Effect):
    """Take the executive off the card."""

    load: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class KillWorker(Effect):
    """End the senses' process, with all that is in it."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StartWorker(Effect):
    """Start the senses' process: there is room for its context again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wake(Effect):
    """Send `Ticked` at this time; replaces the time named before."""

    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Say(Effect):
    """A line for the trace, and for the owner."""

    text: str
