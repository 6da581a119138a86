"""The arbiter's side of the process of the senses: it starts it, tells it, and hears of it."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from agent.residency import envelopes
from agent.residency.arbiter.events import Found, Running
from agent.residency.daemon import launch
from agent.residency.envelopes import Tier
from agent.residency.errors import MessageError, ResidencyError
from agent.residency.process.ports import Survey
from agent.residency.vram import PROCESS_BYTES
from agent.senses import wire
from agent.senses.config import WorkerConfig

log = logging.getLogger(__name__)

_DYING_TRIES, _DYING_POLL_S = 250, 0.02
"""A process that was killed holds its lock until the kernel has taken all of its memory back."""
_ANSWER_S = 10.0
"""How long the process may take to greet: it stops what runs in it without a lease. Programs wait
for longer."""


class _Line:
    """One connection to the process."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.pid = 0
        """The kernel tells who began to listen, which is the process that forked this one."""
        self.waiting: dict[tuple[str, str], asyncio.Future[None]] = {}
        """What was wished for which variant, until it is answered."""
        self.card_bytes = 0

    def say(self, message: wire.Message) -> None:
        """Send a message, unless the process has gone."""
        if not self.writer.is_closing():
            self.writer.write(wire.encode(message)[0])

    def close(self) -> None:
        """Hang up; what was wished for fails."""
        self.writer.close()
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(ResidencyError("the process of the senses has ended"))
                future.exception()


class ProcessWorker:
    """A process that outlives the arbiter, so that what runs in it goes on."""

    def __init__(self, config: WorkerConfig) -> None:
        self._config = config
        self._line: _Line | None = None
        self._epoch = 0
        self._before: int | None = None
        """The process that was here last."""
        self._lost: Callable[[], None] = lambda: None
        self._ended: Callable[[int], None] = lambda _: None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def pid(self) -> int | None:
        """Of the process; None where it is not there."""
        return None if self._line is None else self._line.pid

    @property
    def context_bytes(self) -> int:
        """What its CUDA context takes."""
        return PROCESS_BYTES

    def attach(
        self,
        *,
        lost: Callable[[], None],
        ended: Callable[[int], None],
        gone: Callable[[str, str], None],  # noqa: ARG002 - what is in the process goes with it
    ) -> None:
        """Say whom to tell that it has ended, or that an operation in it has."""
        self._lost, self._ended = lost, ended

    async def survey(self, epoch: int, running: Sequence[tuple[Running, int]]) -> Survey:
        """Return what lies on the card; what runs there and nobody holds is stopped."""
        self._epoch = epoch
        if not await asyncio.to_thread(self._config.files.alive):
            return Survey(up=False)
        keep = [one.token for one, _ in running if one.place == "cuda"]
        try:
            told = await self._connect(None, keep)
        except ResidencyError as error:
            log.warning("process_not_reached", extra={"reason": str(error)})
            return Survey(up=False)
        return Survey(up=True, found=tuple(_found(told)))

    def held_bytes(self, processes: Mapping[int, int | None]) -> int:
        """Return what it holds of the card, given the bytes of each process there."""
        if self._line is None:
            return 0
        told = processes.get(self._line.pid)
        if told is not None:
            return told
        return self._line.card_bytes + PROCESS_BYTES if self._line.card_bytes else 0

    async def load(self, variant: str, weights_bytes: int) -> None:  # noqa: ARG002
        """Copy a variant onto the card. Raises ResidencyError."""
        await self._wish("load", "loaded", variant)

    async def unload(self, variant: str) -> None:
        """Take it off again, however far it had come. Raises ResidencyError."""
        if self._line is not None:
            await self._wish("unload", "unloaded", variant)

    def begin(self, token: int, variant: str, working_bytes: int) -> None:  # noqa: ARG002
        """Let an operation run."""
        if self._line is not None:
            self._line.say({"do": "lease", "token": token, "variant": variant})

    def end(self, token: int) -> None:
        """Stop an operation, if it still runs; `ended` is told when it has stopped."""
        if self._line is None:
            self._ended(token)
        else:
            self._line.say({"do": "end", "token": token})

    def kill(self) -> None:
        """End the process with all that is in it."""
        line, self._line = self._line, None
        if line is not None:
            self._before = line.pid
            _end(line.pid)
            line.close()

    async def start(self) -> None:
        """Start it again, once the one before has gone. Raises ResidencyError.

        One that lives and refuses, or holds what nobody knows of, is ended.
        """
        await self._gone(self._before)
        try:
            told = await self._connect(self._config, [])
        except ResidencyError as error:
            pid = await asyncio.to_thread(self._config.files.pid)
            if pid is None:
                raise
            log.warning("process_ended", extra={"pid": pid, "reason": str(error)})
            _end(pid)
        else:
            if not told.get("on_card"):
                return
            pid = self.pid
            log.warning("process_ended", extra={"pid": pid, "reason": "its models are not known"})
            self.kill()
        await self._gone(pid)
        await self._connect(self._config, [])

    async def _end_silent(self) -> None:
        """End a process that listens and does not greet: programs would wait for it too."""
        self._before = await asyncio.to_thread(self._config.files.pid)
        if self._before is not None:
            log.warning("process_ended", extra={"pid": self._before, "reason": "it does not greet"})
            _end(self._before)

    async def _gone(self, pid: int | None) -> None:
        """Wait until a process has gone, for some seconds."""
        for _ in range(_DYING_TRIES):
            if pid is None or await asyncio.to_thread(self._config.files.pid) != pid:
                return
            await asyncio.sleep(_DYING_POLL_S)

    async def aclose(self) -> None:
        """Hang up; the process goes on as long as it is of use."""
        line, self._line = self._line, None
        if line is not None:
            line.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _wish(self, do: str, answered: str, variant: str) -> None:
        line = self._line
        if line is None:
            raise ResidencyError("the process of the senses is not there")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.waiting[answered, variant] = future
        line.say({"do": do, "variant": variant})
        try:
            await future
        finally:
            if line.waiting.get((answered, variant)) is future:
                del line.waiting[answered, variant]

    async def _connect(self, config: WorkerConfig | None, keep: Sequence[int]) -> wire.Message:
        reader, writer = await launch.reach(self._config.files, config, line_bytes=wire.LINE_BYTES)
        line = _Line(reader, writer)
        line.say(
            {"do": "arbiter", "version": wire.VERSION, "epoch": self._epoch, "keep": list(keep)}
        )
        try:
            async with asyncio.timeout(_ANSWER_S):
                answer = await wire.read(reader)
        except (TimeoutError, ConnectionError, MessageError) as error:
            line.close()
            if isinstance(error, TimeoutError):
                await self._end_silent()
            raise ResidencyError(f"The process of the senses does not greet: {error!r}") from error
        if answer is None or answer[0].get("is") != "there":
            line.close()
            raise ResidencyError(f"The process of the senses refuses: {answer}")
        line.pid = wire.whole(answer[0], "pid")
        self._line = line
        task = asyncio.create_task(self._listen(line))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return answer[0]

    async def _listen(self, line: _Line) -> None:
        with suppress(ConnectionError, MessageError):
            while (told := await wire.read(line.reader)) is not None:
                self._hear(line, told[0])
        line.close()
        if self._line is line:
            self._line, self._before = None, line.pid
            log.warning("process_gone", extra={"pid": line.pid})
            self._lost()

    def _hear(self, line: _Line, message: wire.Message) -> None:
        match message.get("is"):
            case "memory":
                line.card_bytes = wire.whole(message, "card_bytes")
            case "ended":
                self._ended(wire.whole(message, "token"))
            case "loaded" | "unloaded" as done:
                future = line.waiting.get((done, wire.text(message, "variant")))
                if future is not None and not future.done():
                    future.set_result(None)
            case "not_loaded" | "not_unloaded" as failed:
                key = (failed.removeprefix("not_"), wire.text(message, "variant"))
                future = line.waiting.get(key)
                if future is not None and not future.done():
                    future.set_exception(ResidencyError(str(message.get("reason"))))
            case _:
                log.warning("not_understood", extra={"message": str(message)[:200]})


def _end(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _found(told: wire.Message) -> Sequence[Found]:
    on_card = told.get("on_card")
    if not isinstance(on_card, dict):
        return ()
    found = []
    for name, size in on_card.items():
        known = envelopes.variant(name)
        if known is None:
            found.append(Found(variant=name, weights_bytes=int(size)))
        else:
            reload_s = envelopes.load_s(known, Tier.PINNED)
            found.append(Found(variant=name, weights_bytes=known.weight_bytes, reload_s=reload_s))
    return found
