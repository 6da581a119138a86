"""Carries out what the arbiter decides, and posts what became of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from agent.residency.arbiter import effects, events
from agent.residency.errors import ResidencyError
from agent.residency.process.ports import ExecutiveKeeper, Post, SensesWorker

log = logging.getLogger(__name__)

Work = Callable[[], Awaitable[None]]


class Hands:
    """Does one thing at a time to each model; a later wish breaks off an earlier one."""

    def __init__(
        self,
        worker: SensesWorker,
        keeper: ExecutiveKeeper,
        *,
        post: Post,
        clock: Callable[[], float],
    ) -> None:
        self._worker = worker
        self._keeper = keeper
        self._post = post
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._on_card: set[int] = set()
        self.flaws: dict[str, str] = {}
        """By variant: why its last load did not succeed."""

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._tasks)

    def carry_out(self, effect: effects.Effect) -> None:
        """Begin what an effect calls for; what does not concern models is left alone."""
        match effect:
            case effects.LoadSense(load=load, variant=variant, weights_bytes=size):
                self._instead(variant, lambda: self._bring(load, variant, size))
            case effects.UnloadSense(load=load, variant=variant):
                self._instead(variant, lambda: self._unload(load, self._worker.unload(variant)))
            case effects.LoadExecutive(load=load, profile=profile):
                self._instead(
                    events.EXECUTIVE, lambda: self._load(load, self._keeper.load(profile))
                )
            case effects.UnloadExecutive(load=load):
                self._instead(events.EXECUTIVE, lambda: self._unload(load, self._keeper.unload()))
            case effects.Granted(token=token, working_bytes=size, place="cuda", variant=variant):
                if variant != events.EXECUTIVE:
                    self._on_card.add(token)
                    self._worker.begin(token, variant, size)
            case effects.KillWorker():
                self.forget()
                self._worker.kill()
            case effects.StartWorker():
                self._instead("the worker", self._start)
            case _:
                pass

    def take_up(self, token: int) -> None:
        """Take note of an operation on the card that began under an earlier arbiter."""
        self._on_card.add(token)

    def end(self, token: int) -> bool:
        """Have an operation on the card stopped, if it still runs; False where it is not there."""
        if token not in self._on_card:
            return False
        self._on_card.remove(token)
        self._worker.end(token)
        return True

    def forget(self) -> None:
        """Take note that the worker has ended, with all that ran in it."""
        self._on_card.clear()

    async def aclose(self) -> None:
        """Break off what is under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _instead(self, what: str, work: Work) -> None:
        """Begin a piece of work, once an earlier one on the same has been broken off."""
        earlier = self._tasks.get(what)
        task = asyncio.get_running_loop().create_task(_after(earlier, work))
        self._tasks[what] = task
        task.add_done_callback(lambda done: self._over(what, done))

    def _over(self, what: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(what) is task:
            del self._tasks[what]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("effect_failed", extra={"of": what}, exc_info=error)

    async def _bring(self, load: int, variant: str, weights_bytes: int) -> None:
        await self._load(load, self._noted(variant, weights_bytes))

    async def _noted(self, variant: str, weights_bytes: int) -> None:
        """Load a sense, and keep in mind why it fails. Raises ResidencyError."""
        try:
            await self._worker.load(variant, weights_bytes)
        except ResidencyError as error:
            self.flaws[variant] = str(error)
            raise
        self.flaws.pop(variant, None)

    async def _load(self, load: int, work: Awaitable[None]) -> None:
        try:
            await work
        except ResidencyError as error:
            self._post(events.LoadFailed(now=self._clock(), load=load, reason=str(error)))
        else:
            self._post(events.LoadFinished(now=self._clock(), load=load))

    async def _unload(self, load: int, work: Awaitable[None]) -> None:
        try:
            await work
        except ResidencyError as error:
            self._post(events.UnloadFailed(now=self._clock(), load=load, reason=str(error)))
        else:
            self._post(events.UnloadFinished(now=self._clock(), load=load))

    async def _start(self) -> None:
        try:
            await self._worker.start()
        except ResidencyError as error:
            log.warning("worker_not_started", extra={"reason": str(error)})
            self._post(events.WorkerDied(now=self._clock()))
        else:
            self._post(events.WorkerReady(now=self._clock()))


async def _after(earlier: asyncio.Task[None] | None, work: Work) -> None:
    if earlier is not None:
        earlier.cancel()
        await asyncio.wait([earlier])
    await work()
