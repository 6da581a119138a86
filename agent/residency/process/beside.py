"""The process of the senses and, beside it, a model on a server of its own.

To the arbiter both are one worker: what it loads, lends and takes back by name goes to whoever has
it. Two things differ. What runs in the model is a request of a program to the server, so an
operation has ended when its program says so. And the server is not ours to kill: what it does not
let go when told is from then on counted as another program's, and nothing is lent for it.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from agent.residency.arbiter.events import Found, Running
from agent.residency.envelopes import BYTES_PER_S, Tier
from agent.residency.errors import ResidencyError
from agent.residency.process.ports import SensesWorker, Survey

if TYPE_CHECKING:
    from agent.residency.vision import VisionKeeper

log = logging.getLogger(__name__)

LOOK_S = 5.0
_FIND_S = 5.0
"""How long a beginning arbiter waits for what the server says."""
_GO_S = 14.0
"""How long the server has for letting the model go: less than the arbiter's `unload_s`."""
_LOAD_AND_GO_S = 75.0
"""The same where a load may be under way, which is waited for first."""
_LEAVE_S = 5.0
"""How long an ending arbiter waits for it."""


class WithVision:
    """A worker of senses that has one model more."""

    def __init__(self, process: SensesWorker, vision: "VisionKeeper") -> None:
        self._process = process
        self._vision = vision
        self._ours = False
        """Whether what the server holds counts as ours."""
        self._running: set[int] = set()
        self._missing = False
        """A program holds a lease of the model, which was not there when the arbiter began."""
        self._look = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._sending: asyncio.Task[None] | None = None
        self._lost: Callable[[], None] = lambda: None
        self._ended: Callable[[int], None] = lambda _: None
        self._gone: Callable[[str, str], None] = lambda *_: None

    @property
    def pid(self) -> int | None:
        """Of the process; the server's is not ours to know."""
        return self._process.pid

    @property
    def context_bytes(self) -> int:
        """What the CUDA context of the process takes; the server's counts with the model."""
        return self._process.context_bytes

    def attach(
        self,
        *,
        lost: Callable[[], None],
        ended: Callable[[int], None],
        gone: Callable[[str, str], None],
    ) -> None:
        """Say whom to tell that the process has ended, an operation has, or the model is gone."""
        self._lost, self._ended, self._gone = lost, ended, gone
        self._process.attach(lost=self._process_lost, ended=ended, gone=gone)

    async def survey(self, epoch: int, running: Sequence[tuple[Running, int]]) -> Survey:
        """Return what is there. A model that is there, but not as we load it, is none."""
        mine = [one for one in running if self._is_mine(one[0])]
        others = [one for one in running if not self._is_mine(one[0])]
        survey = await self._process.survey(epoch, others)
        there = False
        with suppress(TimeoutError):
            async with asyncio.timeout(_FIND_S):
                there = await self._vision.found()
        self._running = {one.token for one, _ in mine}
        self._ours, self._missing = there, bool(mine) and not there
        if self._missing:
            self._look.set()
        self._looking = asyncio.create_task(self._watch())
        found = survey.found
        if there:
            size = max(self._vision.said_bytes(), *(size for _, size in mine), 0)
            reload_s = size / BYTES_PER_S[Tier.NVME]
            name = self._vision.model
            found = (*found, Found(variant=name, weights_bytes=size, reload_s=reload_s))
        return Survey(up=survey.up, found=found)

    def held_bytes(self, processes: Mapping[int, int | None]) -> int:
        """Return what process and model hold of the card."""
        beside = self._vision.held_bytes(processes) if self._ours else 0
        return self._process.held_bytes(processes) + beside

    async def load(self, variant: str, weights_bytes: int) -> None:
        """Bring a variant onto the card. Raises ResidencyError."""
        if variant != self._vision.model:
            await self._process.load(variant, weights_bytes)
            return
        if self._sending is not None:
            await asyncio.wait([self._sending])
        self._ours = True
        await self._vision.load(weights_bytes)

    async def unload(self, variant: str) -> None:
        """Take it off again. Raises ResidencyError."""
        if variant == self._vision.model:
            await self._send_away(_GO_S)
        else:
            await self._process.unload(variant)

    def begin(self, token: int, variant: str, working_bytes: int) -> None:
        """Let an operation run."""
        if variant == self._vision.model:
            self._running.add(token)
        else:
            self._process.begin(token, variant, working_bytes)

    def end(self, token: int) -> None:
        """Stop an operation. A program that says so has ended its request, which ends the work."""
        if token not in self._running:
            self._process.end(token)
            return
        self._running.remove(token)
        self._vision.suspect()
        self._look.set()
        self._ended(token)

    def kill(self) -> None:
        """End the process, and take the model off as well: the arbiter takes both for gone."""
        self._process.kill()
        self._give_up()

    async def start(self) -> None:
        """Start the process again. Raises ResidencyError."""
        await self._process.start()

    async def aclose(self) -> None:
        """Let the process go; the model leaves, unless somebody still uses it.

        Nobody would take it off once the arbiter has ended, and its server keeps it for ever.
        """
        if self._sending is not None:
            await asyncio.wait([self._sending], timeout=_LEAVE_S)
        for task in (self._looking, self._sending):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        if self._ours and not self._running:
            await self._send_away(_LEAVE_S)
        await self._vision.aclose()
        await self._process.aclose()

    def _is_mine(self, running: Running) -> bool:
        return running.place == "cuda" and running.variant == self._vision.model

    def _process_lost(self) -> None:
        self._give_up()
        self._lost()

    def _give_up(self) -> None:
        """Count the model as gone, and see to it that it goes."""
        self._running.clear()
        self._ours = False
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_away(_LOAD_AND_GO_S))

    async def _send_away(self, within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                await self._vision.unload()
        except (ResidencyError, TimeoutError) as error:
            self._ours = False
            reason = str(error) or f"no answer within {within_s:g} s"
            log.warning("vision_stays", extra={"model": self._vision.model, "reason": reason})

    async def _watch(self) -> None:
        """Look after the model, until cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), LOOK_S)
            self._look.clear()
            try:
                reason = await self._fault()
            except Exception:
                log.exception("vision_not_inspected")
                continue
            if reason is not None:
                self._give_up()
                self._gone(self._vision.model, reason)

    async def _fault(self) -> str | None:
        """Return why the model is not there any more as it was loaded, once for each thing."""
        if self._missing:
            self._missing = False
            return "its server has lost it while no arbiter was there"
        return await self._vision.fault()
