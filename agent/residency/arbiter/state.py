"""What the arbiter knows. Values; the mappings are never changed in place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from agent.residency.arbiter.events import Choice, Priority, WhilePaused
from agent.residency.arbiter.limits import Limits


class Place(StrEnum):
    """Where a model is between disk and card."""

    LOADING = "loading"  # counted whole, usable by nobody
    RESIDENT = "resident"  # whole on the card
    LEAVING = "leaving"  # told to go; counted whole until it says that it has gone


class Worker(StrEnum):
    """The process of the senses."""

    UP = "up"
    DRAINING = "draining"  # killed as soon as nothing runs in it; nothing new begins
    DOWN = "down"  # gone; started again when its context fits
    STARTING = "starting"  # not up yet


@dataclass(frozen=True, kw_only=True, slots=True)
class Residence:
    """A variant on the card, or on its way."""

    load: int
    variant: str
    weights_bytes: int
    reload_s: float
    place: Place
    since: float
    """When it came into this place."""
    ask: str | None = None
    """For which it was loaded and is kept until that is granted."""
    attempts: int = 0
    """How often it was told to go."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """An operation that runs."""

    token: int
    ask: str
    holder: str
    variant: str
    place: Literal["cuda", "cpu"]
    working_bytes: int
    expires_at: float
    heard_at: float
    revoked_at: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """An operation that waits."""

    ask: str
    holder: str
    choices: tuple[Choice, ...]
    priority: Priority
    asked_at: float
    due: float
    """Orders the queue: when it was asked for, and a job's patience on top."""
    deadline: float
    limit_s: float
    overtaken: int = 0
    placed: Choice | None = None
    """The choice whose bytes are kept for it while its weights are loaded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """A turn that waits for the executive, or has it."""

    turn: str
    holder: str
    priority: Priority
    deadline: float
    heard_at: float
    ends_at: float | None = None
    """Once admitted: the latest time at which it may still run."""
    place: Literal["cuda", "cpu"] = "cuda"


@dataclass(frozen=True, kw_only=True, slots=True)
class Executive:
    """The model that stays."""

    place: Place | None = None
    profile: int = 0
    """Index into `Limits.profiles`."""
    load: int = 0
    since: float = 0.0
    drifted: bool = False
    failures: int = 0
    retry_at: float = 0.0
    wish: int = 0
    """The profile to load next: a compact one while an ask needs its room."""
    wished_at: float = 0.0
    attempts: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Habit:
    """How often a variant is used."""

    last: float
    gap_s: float
    """Running mean of the time between uses."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failures:
    """Loads of a variant that did not succeed, since the last that did."""

    count: int
    retry_at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What the last measurement showed."""

    taken_at: float
    used_bytes: int
    own_bytes: int
    foreign_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CardState:
    """All that decisions rest on."""

    limits: Limits
    now: float = 0.0
    serial: int = 0
    """The last load or token that was given out."""
    reading: Reading | None = None
    residue_bytes: int = 0
    """Freed earlier and perhaps still there at the last reading, or never accounted for."""
    stuck_bytes: int = 0
    """The part of it that no operation explains, a while after the last free."""
    freed: tuple[tuple[int, float], ...] = ()
    """(bytes, when) of what was freed since the last reading."""
    freed_at: float = 0.0
    """When bytes were last freed."""
    executive: Executive = field(default_factory=Executive)
    worker: Worker = Worker.UP
    worker_since: float = 0.0
    restarted_at: float = float("-inf")
    residences: Mapping[str, Residence] = field(default_factory=dict)
    """By variant."""
    leases: Mapping[int, Lease] = field(default_factory=dict)
    asks: Mapping[str, Ask] = field(default_factory=dict)
    turns: Mapping[str, Turn] = field(default_factory=dict)
    hints: Mapping[str, tuple[Choice, float]] = field(default_factory=dict)
    """By variant: what is probably wanted soon, and until when."""
    habits: Mapping[str, Habit] = field(default_factory=dict)
    failures: Mapping[str, Failures] = field(default_factory=dict)
    paused: WhilePaused | None = None
    recovering_until: float = float("-inf")
    used_at: float = 0.0
    """When anything was last done or wanted."""
    wake_at: float | None = None
