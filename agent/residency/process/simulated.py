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
from agent.residency.process.bare import NoWorker
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


class SupposedSenses(NoWorker):
    """Senses that compute nothing; what is loaded takes as long as its copy."""

    async def load(self, variant: str, weights_bytes: int) -> None:  # noqa: ARG002
        """Wait as long as the copy takes."""
        await asyncio.sleep(weights_bytes / BYTES_PER_S)

    async def unload(self, variant: str) -> None:  # noqa: ARG002
        """Wait a moment."""
        await asyncio.sleep(_UNLOAD_S)


class SupposedWorker:
    """Takes room on the card for the senses of a process, which run on the CPU if they do."""

    def __init__(
        self,
        card: SupposedCard,
        process: SensesWorker,
        *,
        context_bytes: int = 400 * MIB,
    ) -> None:
        self._pieces = card.pieces
        self._process = process
        self._context_bytes = context_bytes
        self._ended: Callable[[int], None] = lambda _: None
        self._gone: Callable[[str, str], None] = lambda *_: None
        self._take(_CONTEXT, context_bytes)

    @property
    def pid(self) -> int | None:
        """Of the process; None where nothing is computed."""
        return self._process.pid

    @property
    def context_bytes(self) -> int:
        """What its CUDA context takes."""
        return self._context_bytes

    def attach(
        self,
        *,
        lost: Callable[[], None],
        ended: Callable[[int], None],
        gone: Callable[[str, str], None],
    ) -> None:
        """Say whom to tell that it has ended, that an operation has, or that a variant is gone."""
        self._ended, self._gone = ended, gone
        self._process.attach(lost=lost, ended=self._stopped, gone=self._missing)

    async def survey(self, epoch: int, running: Sequence[tuple[Running, int]]) -> Survey:
        """Put what runs, and what lies there, back onto the card."""
        found = {
            one.variant: Found(variant=one.variant, weights_bytes=size)
            for one, size in running
            if one.place == "cuda"
        }
        surveyed = await self._process.survey(epoch, running)
        found |= {one.variant: one for one in surveyed.found}
        for there in found.values():
            self._take(_weights(there.variant), there.weights_bytes)
        for one, _ in running:
            if one.place == "cuda":
                self._work(one.token, one.working_bytes)
        return Survey(up=surveyed.up, found=tuple(found.values()))

    def held_bytes(self, processes: Mapping[int, int | None]) -> int:  # noqa: ARG002
        """Return what it holds."""
        return sum(map(self._pieces.size, self._pieces.names(Owner.WORKER)))

    async def load(self, variant: str, weights_bytes: int) -> None:
        """Take the room, then bring it; one that fails leaves no room taken."""
        self._take(_weights(variant), weights_bytes)
        try:
            await self._process.load(variant, weights_bytes)
        except ResidencyError:
            self._pieces.give(_weights(variant))
            raise

    async def unload(self, variant: str) -> None:
        """Give the room back."""
        await self._process.unload(variant)
        self._pieces.give(_weights(variant))

    def begin(self, token: int, variant: str, working_bytes: int) -> None:
        """Take an operation's room, and let it run."""
        self._work(token, working_bytes)
        self._process.begin(token, variant, working_bytes)

    def end(self, token: int) -> None:
        """Stop an operation, and give its room back."""
        self._process.end(token)

    def kill(self) -> None:
        """Give everything back."""
        self._process.kill()
        for name in self._pieces.names(Owner.WORKER):
            self._pieces.give(name)

    async def start(self) -> None:
        """Take the context again."""
        for name in self._pieces.names(Owner.WORKER):
            self._pieces.give(name)  # what was left by a process that ended by itself
        self._take(_CONTEXT, self._context_bytes)
        await self._process.start()

    async def aclose(self) -> None:
        """Let the process go."""
        await self._process.aclose()

    def _work(self, token: int, working_bytes: int) -> None:
        if not self._pieces.take(f"working {token}", Owner.WORKER, working_bytes):
            log.error("out_of_memory", extra={"lease": token, "bytes": working_bytes})

    def _stopped(self, token: int) -> None:
        self._pieces.give(f"working {token}")
        self._ended(token)

    def _missing(self, variant: str, reason: str) -> None:
        self._pieces.give(_weights(variant))
        self._gone(variant, reason)

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
