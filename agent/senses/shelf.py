"""The models that the process holds, and where the weights of each lie."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, TypeVar

from agent.senses.loading import Make
from tools.senses.background import Patience
from tools.senses.errors import DeviceError
from tools.senses.models.base import Model

log = logging.getLogger(__name__)

Place = Literal["cuda", "cpu"]
Key = tuple[str, Place]
Result = TypeVar("Result")

_PRESSURE = 0.08
"""Below this share of free host memory, copies that are not in use go."""


@dataclass(kw_only=True, slots=True, eq=False)
class Held:
    """A place for a model, used by one at a time; it stays when the model is dropped."""

    model: Model | None = None
    weights: object = None
    """What tells the model's weights from others of that name."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    brought: bool = False
    used_at: float = 0.0

    @property
    def host_bytes(self) -> int:
        """Host memory that its copy takes."""
        return 0 if self.model is None else self.model.host_bytes


class Shelf:
    """Stages, brings and lets go, within a budget of host memory."""

    def __init__(
        self,
        make: Make,
        *,
        device: str,
        host_bytes: int,
        free_share: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make models by name with `make`, which raises WeightsError; `device` is the card's."""
        self.faulty = False
        """Whether a model could not be let go: what it holds comes back with the process's end."""
        self._make = make
        self._device = device
        self._host_bytes = host_bytes
        self._free_share = free_share
        self._clock = clock
        self._held: dict[Key, Held] = {}

    @property
    def on_card(self) -> dict[str, int]:
        """The variants whose weights lie on the card, with their bytes in host memory."""
        return {
            variant: held.host_bytes
            for (variant, place), held in self._held.items()
            if place == "cuda" and held.brought
        }

    @property
    def on_cpu(self) -> bool:
        """Whether a model is there to be used on the CPU."""
        return any(place == "cpu" and held.brought for (_, place), held in self._held.items())

    @property
    def staged_bytes(self) -> int:
        """Host memory that copies take."""
        return sum(held.host_bytes for held in self._held.values())

    async def bring(self, variant: str, place: Place) -> None:
        """Copy a model's weights to where they are used. Raises SenseError."""
        held = self._of(variant, place)
        async with held.lock:
            await self._bring(held, variant, place)
        await self.make_room()

    async def leave(self, variant: str, place: Place) -> None:
        """Take a model's weights back; what is not there stays so. Raises SenseError."""
        held = self._of(variant, place)
        async with held.lock:
            await self._leave(held)

    async def use(
        self, variant: str, place: Place, work: Callable[[Model, Patience], Result]
    ) -> Result:
        """Run an operation in a model, brought first where it is used on the CPU.

        A cancelled caller ends it at its next check, and only then comes back. Raises SenseError.
        """
        held = self._of(variant, place)
        async with held.lock:
            if place == "cpu":
                await self._bring(held, variant, place)
            model = held.model
            if model is None or not held.brought:
                raise DeviceError("Its weights do not lie on the card.")
            try:
                patience = Patience()
                return await _in_thread(lambda: work(model, patience), patience)
            finally:
                held.used_at = self._clock()

    async def rest(self, after_s: float) -> None:
        """Take back copies on the CPU that were not used for so long, and those under pressure."""
        for (variant, place), held in list(self._held.items()):
            idle = self._clock() - held.used_at
            if place == "cpu" and held.brought and idle >= after_s and not held.lock.locked():
                async with held.lock:
                    await self._let_go(variant, self._leave(held))
        await self.make_room()

    async def clear_card(self) -> None:
        """Take everything off the card."""
        for variant in self.on_card:
            await self._let_go(variant, self.leave(variant, "cuda"))

    async def make_room(self) -> None:
        """Drop copies in host memory beyond the budget, the longest unused first.

        What is in use meanwhile is not waited for.
        """
        for (variant, _), held in self._idle():
            if self.staged_bytes <= self._host_bytes and self._free_share() >= _PRESSURE:
                return
            if held.brought or held.lock.locked():
                continue
            async with held.lock:
                size = held.host_bytes
                await self._let_go(variant, self._drop(held))
                log.info("dropped", extra={"variant": variant, "bytes": size})

    async def aclose(self) -> None:
        """Let everything go."""
        for (variant, _), held in list(self._held.items()):
            async with held.lock:
                await self._let_go(variant, self._drop(held))

    def _idle(self) -> Iterator[tuple[Key, Held]]:
        idle = [(key, held) for key, held in self._held.items() if held.host_bytes]
        yield from sorted(idle, key=lambda one: one[1].used_at)

    def _of(self, variant: str, place: Place) -> Held:
        return self._held.setdefault((variant, place), Held())

    async def _bring(self, held: Held, variant: str, place: Place) -> None:
        """Bring what is in the weights' folder now: they may have been replaced since."""
        if not held.brought:
            device = self._device if place == "cuda" else "cpu"
            weights, model = self._make(variant, device)
            if held.model is None or held.weights != weights:
                await self._drop(held)
                held.model, held.weights = model, weights
            await _in_thread(partial(held.model.bring, device))
            held.brought = True
        held.used_at = self._clock()

    async def _leave(self, held: Held) -> None:
        if held.model is not None and held.brought:
            await _in_thread(held.model.leave)
            held.brought = False

    async def _drop(self, held: Held) -> None:
        if held.model is not None:
            await _in_thread(held.model.drop)
            held.model, held.brought = None, False

    async def _let_go(self, variant: str, work: Awaitable[None]) -> None:
        """Let go of a model that nobody waits for: a library's fault costs nobody else."""
        try:
            await work
        except Exception:
            log.exception("not_let_go", extra={"variant": variant})
            self.faulty = True


async def _in_thread(work: Callable[[], Result], patience: Patience | None = None) -> Result:
    """Run work in a thread, and wait for it also when cancelled: its model is not free before."""
    future = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        if patience is not None:
            patience.end()
        while not future.done():
            with suppress(asyncio.CancelledError):  # it may be told to stop more than once
                await asyncio.wait([future])
        if not future.cancelled() and (error := future.exception()) is not None:
            log.info("ended", extra={"reason": f"{type(error).__name__}: {error}"})
        raise
