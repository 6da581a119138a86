"""A card that is only supposed, for tests and for who has none and wants to see how it goes.

Bytes are counted, loads take as long as a copy over PCIe 4, and nothing is computed on it. It lives
and dies with the arbiter's process: what runs on it is what clients say that they hold.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from agent.residency.arbiter.events import Event, Found, Running
from agent.residency.arbiter.limits import MIB, Profile
from agent.residency.errors import ResidencyError
from agent.residency.process.ports import SensesWorker, Survey, Usage
from agent.residency.simulation.card import Owner, SimulatedCard

log = logging.getLogger(__name__)

BYTES_PER_S = 25e9
"""Of a copy from locked host memory."""
_UNLOAD_S = 0.02
_CONTEXT = "context"
_EXECUTIVE = "executive"


class SupposedCard:
    """A card of any size."""

    def __init__(self, total_bytes: int) -> None:
        self.pieces = SimulatedCard(total_bytes)

    @property
    def name(self) -> str:
        """What it is called."""
        return f"a simulated card of {self.total_bytes / (1 << 30):g} GiB"

    @property
    def total_bytes(self) -> int:
        """Its memory."""
        return self.pieces.capacity_bytes

    def read(self) -> Usage:
        """Add up what is held."""
        return Usage(used_bytes=self.pieces.used_bytes, own_bytes=self.pieces.own_bytes)


class SupposedWorker:
    """Senses that take room; where their process is given, they run in it, on the CPU."""

    def __init__(
        self,
        card: SupposedCard,
        process: SensesWorker | None = None,
        *,
        context_bytes: int = 400 * MIB,
    ) -> None:
        self._pieces = card.pieces
        self._process = process
        self._context_bytes = context_bytes
        self._ended: Callable[[int], None] = lambda _: None
        self._take(_CONTEXT, context_bytes)

    @property
    def pid(self) -> int | None:
        """Of the process; None where nothing is computed."""
        return None if self._process is None else self._process.pid

    @property
    def context_bytes(self) -> int:
        """What its CUDA context takes."""
        return self._context_bytes

    def attach(self, *, lost: Callable[[], None], ended: Callable[[int], None]) -> None:
        """Say whom to tell that it has ended, or that an operation in it has."""
        self._ended = ended
        if self._process is not None:
            self._process.attach(lost=lost, ended=self._stopped)

    async def survey(self, epoch: int, running: Sequence[tuple[Running, int]]) -> Survey:
        """Put what runs, and what lies there, back onto the card."""
        found = {
            one.variant: Found(variant=one.variant, weights_bytes=size)
            for one, size in running
            if one.place == "cuda"
        }
        up = True
        if self._process is not None:
            surveyed = await self._process.survey(epoch, running)
            up = surveyed.up
            found |= {one.variant: one for one in surveyed.found}
        for there in found.values():
            self._take(_weights(there.variant), there.weights_bytes)
        for one, _ in running:
            if one.place == "cuda":
                self._work(one.token, one.working_bytes)
        return Survey(up=up, found=tuple(found.values()))

    def held_bytes(self, processes: Mapping[int, int | None]) -> int:  # noqa: ARG002
        """Return what it holds."""
        return sum(map(self._pieces.size, self._pieces.names(Owner.WORKER)))

    async def load(self, variant: str, weights_bytes: int) -> None:
        """Take the room, then wait as long as the copy takes."""
        self._take(_weights(variant), weights_bytes)
        if self._process is None:
            await asyncio.sleep(weights_bytes / BYTES_PER_S)
        else:
            await self._process.load(variant, weights_bytes)

    async def unload(self, variant: str) -> None:
        """Give the room back."""
        if self._process is None:
            await asyncio.sleep(_UNLOAD_S)
        else:
            await self._process.unload(variant)
        self._pieces.give(_weights(variant))

    def begin(self, token: int, variant: str, working_bytes: int) -> None:
        """Take an operation's room, and let it run."""
        self._work(token, working_bytes)
        if self._process is not None:
            self._process.begin(token, variant, working_bytes)

    def end(self, token: int) -> None:
        """Stop an operation, and give its room back."""
        if self._process is None:
            self._stopped(token)
        else:
            self._process.end(token)

    def kill(self) -> None:
        """Give everything back."""
        if self._process is not None:
            self._process.kill()
        for name in self._pieces.names(Owner.WORKER):
            self._pieces.give(name)

    async def start(self) -> None:
        """Take the context again."""
        for name in self._pieces.names(Owner.WORKER):
            self._pieces.give(name)  # what was left by a process that ended by itself
        self._take(_CONTEXT, self._context_bytes)
        if self._process is not None:
            await self._process.start()

    async def aclose(self) -> None:
        """Let the process go."""
        if self._process is not None:
            await self._process.aclose()

    def _work(self, token: int, working_bytes: int) -> None:
        if not self._pieces.take(f"working {token}", Owner.WORKER, working_bytes):
            log.error("out_of_memory", extra={"lease": token, "bytes": working_bytes})

    def _stopped(self, token: int) -> None:
        self._pieces.give(f"working {token}")
        self._ended(token)

    def _take(self, name: str, size: int) -> None:
        if not self._pieces.take(name, Owner.WORKER, size):
            raise ResidencyError(f"The simulated card has no room for {name}: {size} bytes.")


class SupposedKeeper:
    """An executive of half the card, or of a quarter."""

    def __init__(self, card: SupposedCard) -> None:
        self._pieces = card.pieces
        total = card.total_bytes
        self._profiles = (
            Profile(name="simulated", bytes=total // 2),
            Profile(name="simulated-compact", bytes=total // 4),
        )

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """How it may be loaded."""
        return self._profiles

    @property
    def flaw(self) -> str | None:
        """Nothing is wrong."""
        return None

    async def found(self) -> str | None:
        """Nothing is there at first."""
        return None

    async def load(self, profile: str) -> None:
        """Take the room, then wait as long as the copy takes."""
        size = next(one.bytes for one in self._profiles if one.name == profile)
        if not self._pieces.take(_EXECUTIVE, Owner.EXECUTIVE, size):
            raise ResidencyError(f"The simulated card has no room for {profile}: {size} bytes.")
        await asyncio.sleep(size / BYTES_PER_S)

    async def unload(self) -> None:
        """Give the room back."""
        await asyncio.sleep(_UNLOAD_S)
        self._pieces.give(_EXECUTIVE)

    def held_bytes(self, processes: Mapping[int, int | None]) -> int:  # noqa: ARG002
        """Return what it holds."""
        return self._pieces.size(_EXECUTIVE)

    async def inspect(self) -> Event | None:
        """Nothing happens to it."""
        return None

    def suspect(self) -> None:
        """Nothing happens to it."""

    async def aclose(self) -> None:
        """There is nothing to let go."""


def _weights(variant: str) -> str:
    return f"weights {variant}"
