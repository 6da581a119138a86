"""What stands where a card has no worker of senses, or no executive of ours."""

from collections.abc import Mapping, Sequence

from agent.residency.arbiter.events import Event, Found, Running
from agent.residency.arbiter.limits import Profile
from agent.residency.errors import ResidencyError


class NoWorker:
    """No sense of the full tier is installed: nothing can be brought onto the card."""

    @property
    def context_bytes(self) -> int:
        """It takes nothing."""
        return 0

    def found(self, running: Sequence[tuple[Running, int]]) -> tuple[Found, ...]:  # noqa: ARG002
        """Nothing is there."""
        return ()

    async def load(self, variant: str, weights_bytes: int) -> None:  # noqa: ARG002
        """Refuse."""
        raise ResidencyError(f"No sense of this machine can load {variant}.")

    async def unload(self, variant: str) -> None:
        """There is nothing to take off."""

    def begin(self, token: int, working_bytes: int) -> None:
        """There is nothing to note."""

    def end(self, token: int) -> None:
        """There is nothing to note."""

    def kill(self) -> None:
        """There is nothing to end."""

    async def start(self) -> None:
        """There is nothing to start."""


class NoKeeper:
    """No executive is served on this card."""

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """There is none."""
        return ()

    @property
    def flaw(self) -> str | None:
        """Nothing is wrong."""
        return None

    async def found(self) -> str | None:
        """There is none."""
        return None

    async def load(self, profile: str) -> None:
        """Refuse."""
        raise ResidencyError(f"Nobody serves {profile}.")

    async def unload(self) -> None:
        """There is nothing to take off."""

    def held_bytes(self, processes: Mapping[int, int | None]) -> int:  # noqa: ARG002
        """Return what it holds."""
        return 0

    async def inspect(self) -> Event | None:
        """Nothing happens to it."""
        return None

    def suspect(self) -> None:
        """Nothing happens to it."""

    async def aclose(self) -> None:
        """There is nothing to let go."""
