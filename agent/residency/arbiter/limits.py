"""What the arbiter is told once: the card, the executive, and how long anything may take."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """One way to load the executive."""

    name: str
    bytes: int
    """All that the card loses, the CUDA context of its process included."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Constants of one card. Times are in seconds."""

    capacity_bytes: int
    """Of the whole card, as the driver tells it."""
    profiles: tuple[Profile, ...]
    """Of the executive, the largest first; the later ones are compact."""
    safety_bytes: int = 256 * MIB
    """Never granted: growth of other programs between two measurements."""
    context_bytes: int = 400 * MIB
    """CUDA context of the senses' worker, reserved always."""
    stale_s: float = 10.0
    """A measurement older than this grants nothing."""
    confirm_s: float = 5.0
    """Bytes that were freed for so long and are still measured count as stuck."""
    patience_s: float = 30.0
    """A scheduled job is ordered as if it had been asked for so much later."""
    overtakes: int = 4
    """How many later asks may take what a waiting one needs."""
    step_down_s: float = 2.0
    """A person waits so long for a choice that is possible before a later one is tried."""
    wait_s: float = 900.0
    """Longest time until an ask is answered, whatever its deadline says."""
    lease_s: float = 600.0
    """Longest lease."""
    turn_s: float = 7200.0
    """Longest turn."""
    heartbeat_s: float = 30.0
    """A holder that is silent for longer loses what it holds."""
    revoke_s: float = 10.0
    """How long an operation may take to stop after its lease was revoked."""
    load_s: float = 60.0
    """A load that takes longer is given up."""
    unload_s: float = 15.0
    """An unload that takes longer is asked for again, then the worker is restarted."""
    backoff_s: float = 5.0
    """Until a failed load is tried again; doubles with each failure."""
    recycle_bytes: int = 512 * MIB
    """Stuck bytes from which the worker is restarted when it is idle."""
    recycle_s: float = 60.0
    """Least time between two such restarts."""
    settle_s: float = 60.0
    """How long the room for a larger executive must have been there."""
    rest_s: float | None = None
    """After so long without work everything leaves the card; None: it stays."""
    recovery_s: float = 30.0
    """After a restart of the arbiter the executive is left alone so long: turns may be running."""
