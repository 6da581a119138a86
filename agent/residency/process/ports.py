"""What the process of an arbiter asks of the card, of the senses and of the executive's server."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.residency.arbiter.events import Event, Found, Running
from agent.residency.arbiter.limits import Profile

Post = Callable[[Event], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """A reading of the card, in bytes."""

    used_bytes: int | None
    """By all programs; None when the card cannot be read."""
    own_bytes: int = 0
    """By the executive and the senses' worker."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """What is there of the senses when an arbiter begins."""

    up: bool
    """Whether their process runs."""
    found: tuple[Found, ...] = ()
    """What lies on the card."""


class Card(Protocol):
    """A graphics card."""

    @property
    def name(self) -> str:
        """What the driver calls it."""
        ...

    @property
    def total_bytes(self) -> int:
        """Its memory."""
        ...

    def read(self) -> Usage:
        """Measure what is used now. Never raises: a card that is lost is a reading of None."""
        ...


class SensesWorker(Protocol):
    """The process that runs the senses."""

    @property
    def pid(self) -> int | None:
        """Of the process; None where there is none."""
        ...

    @property
    def context_bytes(self) -> int:
        """What its CUDA context takes."""
        ...

    def attach(
        self,
        *,
        lost: Callable[[], None],
        ended: Callable[[int], None],
        gone: Callable[[str, str], None],
    ) -> None:
        """Say whom to tell that it has ended, that an operation has, or that a variant is gone.

        Of a variant its name and the reason are told; only one on a server of its own can be gone
        while the process is there.
        """
        ...

    async def survey(self, epoch: int, running: Sequence[tuple[Running, int]]) -> Survey:
        """Return what is there, given what runs with the bytes of its weights.

        Arbiters of earlier epochs are not listened to any more.
        """
        ...

    def held_bytes(self, processes: Mapping[int, int | None]) -> int:
        """Return what it holds of the card, given the bytes of each process there; None: not told.

        Where the driver does not tell, it is what the process itself says.
        """
        ...

    async def load(self, variant: str, weights_bytes: int) -> None:
        """Copy a variant onto the card. Raises ResidencyError."""
        ...

    async def unload(self, variant: str) -> None:
        """Take it off again, however far it had come. Raises ResidencyError."""
        ...

    def begin(self, token: int, variant: str, working_bytes: int) -> None:
        """Let an operation run."""
        ...

    def end(self, token: int) -> None:
        """Stop an operation, if it still runs; `ended` is told when it has stopped."""
        ...

    def kill(self) -> None:
        """End the process with all that is in it."""
        ...

    async def start(self) -> None:
        """Start it again. Raises ResidencyError."""
        ...

    async def aclose(self) -> None:
        """Let it go; what runs in it goes on."""
        ...


class ExecutiveKeeper(Protocol):
    """Whoever serves the executive."""

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """How it may be loaded, the largest first; empty where nobody serves one here."""
        ...

    @property
    def flaw(self) -> str | None:
        """Why no executive is kept, though one is wished for, or why it is not there."""
        ...

    async def found(self) -> str | None:
        """Return the profile that is loaded now, whole; None where there is none."""
        ...

    async def load(self, profile: str) -> None:
        """Load it and verify it. Raises ResidencyError."""
        ...

    async def unload(self) -> None:
        """Take it off the card; return when it says that it has gone. Raises ResidencyError."""
        ...

    def held_bytes(self, processes: Mapping[int, int | None]) -> int:
        """Return what it holds of the card, given the bytes of each process there; None: not told.

        Where the driver does not tell, it is what the server itself says.
        """
        ...

    async def inspect(self) -> Event | None:
        """Return what has become of it without our doing, if anything."""
        ...

    def suspect(self) -> None:
        """Inspect it at the next chance: a call's own figures were not as they should be."""
        ...

    async def aclose(self) -> None:
        """Let the server go; the executive stays as it is."""
        ...
