"""What happens to the card. Each event carries its own time: the arbiter has no clock.

`now` is in seconds of one monotonic clock. `load` numbers a load of a sense or of the executive,
`token` a lease; both rise and are never used twice.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Literal

EXECUTIVE = "executive"
"""The variant that a call to the executive asks for. It brings no bytes of its own."""


class Priority(IntEnum):
    """Who waits; the lower goes first."""

    PERSON = 0
    JOB = 1


class WhilePaused(StrEnum):
    """What becomes of work while the owner has the card."""

    WAIT = "wait"
    CPU = "cpu"


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One way to run an operation. An ask lists its choices, the best first: its ladder."""

    variant: str
    """Name of a model at one precision in one place; one operation at a time runs in it."""
    place: Literal["cuda", "cpu"] = "cuda"
    weights_bytes: int = 0
    """On the card as long as the variant is loaded."""
    working_bytes: int = 0
    """On the card while this operation runs."""
    reload_s: float = 0.0
    """What it costs to bring the weights back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened."""

    now: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked(Event):
    """A holder wants to run an operation."""

    ask: str
    holder: str
    choices: tuple[Choice, ...]
    priority: Priority = Priority.JOB
    deadline: float | None = None
    """When an answer is of no use any more; the arbiter's longest wait holds besides."""
    limit_s: float | None = None
    """How long the lease may be held; the arbiter's longest lease holds besides."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cancelled(Event):
    """An ask, or a turn that waits, is wanted no more."""

    ask: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Released(Event):
    """The operation of a lease has ended, whether its holder or the worker says so."""

    token: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Renewed(Event):
    """A holder is alive. Covers all that it holds."""

    holder: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HolderDied(Event):
    """The connection to a holder is gone."""

    holder: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnAsked(Event):
    """A turn wants to begin. Answered by `Admitted` once the executive is there."""

    turn: str
    holder: str
    priority: Priority = Priority.JOB
    deadline: float | None = None
    begun: bool = False
    """It was admitted by an arbiter that is gone, and goes on if the executive is still there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnEnded(Event):
    """A turn is over; without any other the executive may be changed."""

    turn: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadFinished(Event):
    """A sense or the executive lies on the card, whole."""

    load: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadFailed(Event):
    """It does not, for this reason."""

    load: int
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnloadFinished(Event):
    """The worker or Ollama says that it has let go. The bytes are free when they are measured."""

    load: int


@dataclass(frozen=True, kw_only=True, slots=True)
class UnloadFailed(Event):
    """It has not let go."""

    load: int
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured(Event):
    """A reading of the card."""

    taken_at: float
    """When it was read; `now` is when it arrived."""
    used_bytes: int | None
    """By all programs; None when the card cannot be read any more."""
    own_bytes: int = 0
    """By the executive's and the worker's processes: as the driver tells for each process or, where
    it does not, as they report. What they report too low counts as another program's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutiveLost(Event):
    """The executive is gone without our doing: Ollama was restarted, or evicted it."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutiveDrifted(Event):
    """The executive is there, but not as it was loaded: spilled, or with another context."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SenseLost(Event):
    """A variant on a server of its own is gone, or not as it was loaded, without our doing.

    What ran in it has ended. What its server still holds counts as another program's.
    """

    variant: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerDied(Event):
    """The process of the senses is gone, and all that ran in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerReady(Event):
    """A new process of the senses is up and holds nothing but its context."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Paused(Event):
    """The owner wants the card."""

    work: WhilePaused = WhilePaused.WAIT


@dataclass(frozen=True, kw_only=True, slots=True)
class Resumed(Event):
    """The owner gives it back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hinted(Event):
    """A choice will probably be asked for soon: the graph's next node, or a tool's name."""

    choice: Choice
    until: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticked(Event):
    """The time that `Wake` named has come."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A variant that lies on the card when the arbiter starts."""

    variant: str
    weights_bytes: int
    reload_s: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """An operation that runs when the arbiter starts, under a lease of its predecessor."""

    token: int
    holder: str
    variant: str
    place: Literal["cuda", "cpu"]
    working_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Started(Event):
    """The arbiter starts and has looked at what is really there."""

    epoch: int
    """Rises with every start; tokens and loads of a later epoch outrank all earlier ones."""
    found: tuple[Found, ...] = ()
    running: tuple[Running, ...] = ()
    profile: str | None = None
    """Of the executive that is loaded; None when there is none, or none that we know."""
    worker_up: bool = True
    paused: WhilePaused | None = None
    """As the owner left it."""
