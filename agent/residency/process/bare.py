"""What stands where a card has no worker of senses, or no executive of ours."""

from collections.abc import Callable, Mapping, Sequence

from agent.residency.arbiter.events import Event, Running
from agent.residency.arbiter.limits import Profile
from agent.residency.errors import ResidencyError
from agent.residency.process.ports import Survey


class NoWorker:
    """No sense of the full tier is installed: nothing can be brought onto the card."""

    def __init__(self) -> None:
        self._ended: Callable[[int], None] = lambda _: None

    @property
    def pid(self) -> int | None:
        """There is no process."""
        return None

    @property
    def context_bytes(self) -> int:
        """It takes nothing."""
        return 0

    def attach(
        self,
        *,
        lost: Callable[[], None],  # noqa: ARG002
        ended: Callable[[int], None],
        gone: Callable[[str, str], None],  # noqa: ARG002
    ) -> None:
        """Say whom to tell that an operation has ended."""
        self._ended = ended

    async def survey(self, epoch: int, running: Sequence[tuple[Running, int]]) -> Survey:  # noqa: ARG002
        """Nothing is there, and nothing has to be started."""
        return Survey(up=True)

    def held_bytes(self, processes: Mapping[int, int | None]) -> int:  # noqa: ARG002
        """Return what it holds: nothing."""
        return 0

    async def load(self, variant: str, weights_bytes: int) -> None:  # noqa: ARG002
        """Refuse."""
        raise ResidencyError(f"No sense of this machine can load {variant}.")

    async def unload(self, variant: str) -> None:
        """There is nothing to take off."""

    def begin(self, token: int, variant: str, working_bytes: int) -> None:
        """There is nothing to note."""

    def end(self, token: int) -> None:
        """Say so: nothing runs here."""
        self._ended(token)

    def kill(self) -> None:
        """There is nothing to end."""

    async def start(self) -> None:
        """There is nothing to start."""

    async def aclose(self) -> None:
        """There is nothing to let go."""


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
