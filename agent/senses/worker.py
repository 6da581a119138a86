"""The process of the senses behind its socket: one arbiter, and a connection for each operation."""

import asyncio
import logging
import os
import resource
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agent.residency.errors import MessageError
from agent.residency.process.holder import peer
from agent.senses import operations, wire
from agent.senses.config import WorkerConfig
from agent.senses.shelf import Place, Shelf
from tools.senses.errors import EngineError, SenseError

log = logging.getLogger(__name__)

_LEASE_S = 5.0
"""How long an operation waits for the arbiter's word that it may run: it comes another way."""
_MESSAGE_S = 60.0
"""How long a program may take to say what it wants, with all arrays."""
_TICK_S = 1.0


@dataclass(kw_only=True, slots=True, eq=False)
class _Running:
    """An operation in progress."""

    variant: str
    place: Place
    task: asyncio.Task[None]


class Worker:
    """Serves until told to stop."""

    def __init__(
        self,
        config: WorkerConfig,
        shelf: Shelf,
        *,
        card_bytes: Callable[[], int],
        own_bytes: Callable[[], int],
    ) -> None:
        """Tell by `card_bytes` what of the card, by `own_bytes` what of host memory is taken."""
        self._config = config
        self._shelf = shelf
        self._card_bytes = card_bytes
        self._own_bytes = own_bytes
        self._leases: dict[int, str] = {}
        """Which operations may run on the card, and in which variant."""
        self._leased = asyncio.Condition()
        self._running: dict[int, _Running] = {}
        self._served = 0
        self._left_at = time.monotonic()
        """When the last arbiter hung up."""
        self._epoch = 0
        self._arbiter: asyncio.StreamWriter | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._programs = 0
        """Connections of theirs."""

    @property
    def idle(self) -> bool:
        """Whether nothing is to be done, and no arbiter counts on it."""
        return self._arbiter is None and not self._programs

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        self._programs += 1
        try:
            if peer(writer)[1] not in (os.geteuid(), 0):
                return
            await self._serve(reader, writer)
        except MessageError as error:
            log.warning("message_refused", extra={"reason": str(error)})
            with suppress(ConnectionError):
                await _say(writer, _failed(error))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._programs -= 1
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def tend(self) -> None:
        """Let rest what is not used, until it is time to end."""
        while True:
            await asyncio.sleep(_TICK_S)
            await self._shelf.rest(self._config.rest_s)
            if self._programs:
                continue
            alone_s = time.monotonic() - self._left_at
            if self._arbiter is None and alone_s >= self._config.rest_s:
                await self._shelf.clear_card()
            if self._spent() and (self._arbiter is None or not self._shelf.on_card):
                log.info("spent", extra={"operations": self._served, "bytes": self._own_bytes()})
                return

    async def stop(self) -> None:
        """Stop what runs and let everything go."""
        for one in self._running.values():
            one.task.cancel()
        await asyncio.gather(*(one.task for one in self._running.values()), return_exceptions=True)
        await self._shelf.aclose()

    def _spent(self) -> bool:
        """Whether it should end once nobody needs it.

        What is brought on the CPU takes what it takes; what stays behind it is a leak.
        """
        if self._shelf.faulty or self._served >= self._config.operations:
            return True
        beside = self._own_bytes() - self._shelf.staged_bytes
        return not self._shelf.on_cpu and beside > self._config.leak_bytes

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_MESSAGE_S):
                first = await wire.read(reader)
        except TimeoutError as error:
            raise MessageError(f"A message has to come within {_MESSAGE_S:g} s.") from error
        if first is None:
            return
        message, arrays = first
        match message.get("do"):
            case "run":
                await self._operation(message, arrays, reader, writer)
            case "arbiter":
                await self._obey(message, reader, writer)
            case other:
                raise MessageError(f"There is nothing to do as {other!r:.40}.")

    # Operations of programs.

    async def _operation(
        self,
        message: wire.Message,
        arrays: wire.Arrays,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Run an operation while the program stays, and answer."""
        token, variant = wire.whole(message, "token"), wire.text(message, "variant")
        place = _place(message)
        if place == "cuda":
            await self._allowed(token, variant)
        key = token if place == "cuda" else -(self._served + 1)
        if key in self._running:
            raise MessageError(f"An operation runs under lease {token} already.")
        self._served += 1
        work = asyncio.create_task(self._run(variant, place, message, arrays, writer))
        self._running[key] = _Running(variant=variant, place=place, task=work)
        leaving = asyncio.create_task(_left(reader))
        try:
            await asyncio.wait([work, leaving], return_when=asyncio.FIRST_COMPLETED)
            stays = not leaving.done()
            work.cancel()
            leaving.cancel()
            await asyncio.wait([work, leaving])
        finally:
            del self._running[key]
            self._tell_memory()
        if not work.cancelled():
            work.result()
        elif stays:
            await _say(
                writer,
                _failed(
                    EngineError("It was stopped: its lease was taken back, or the process ends.")
                ),
            )

    async def _allowed(self, token: int, variant: str) -> None:
        """Wait for the arbiter to say that an operation may run on the card."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LEASE_S), self._leased:
                await self._leased.wait_for(lambda: token in self._leases)
        if self._leases.get(token) != variant:
            raise MessageError(f"Lease {token} is no lease of {variant} on the card.")

    async def _run(
        self,
        variant: str,
        place: Place,
        message: wire.Message,
        arrays: wire.Arrays,
        writer: asyncio.StreamWriter,
    ) -> None:
        try:
            answer, found = await self._shelf.use(
                variant,
                place,
                lambda model, patience: operations.run(model, message, arrays, patience),
            )
        except (SenseError, MessageError) as error:
            await _say(writer, _failed(error))
        except Exception as error:
            log.exception("operation_failed", extra={"variant": variant})
            await _say(writer, _failed(error))
        else:
            for part in wire.encode({"is": "done", **answer}, found):
                writer.write(part)
            await writer.drain()

    # The arbiter.

    async def _obey(
        self, message: wire.Message, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Do what an arbiter says until it hangs up, or a later one comes."""
        epoch, keep = wire.whole(message, "epoch"), message.get("keep")
        if message.get("version") != wire.VERSION:
            raise MessageError(
                f"This process speaks version {wire.VERSION}, not {message.get('version')!r:.20}."
            )
        if not isinstance(keep, list) or epoch < self._epoch:
            raise MessageError(f"An arbiter of epoch {self._epoch} was here; you are {epoch}.")
        if self._arbiter is not None:
            self._arbiter.close()
        self._epoch, self._arbiter = epoch, writer
        self._programs -= 1  # it is none
        try:
            await self._greet(writer, keep)
            while (told := await wire.read(reader)) is not None and self._arbiter is writer:
                await self._hear(told[0], writer)
        finally:
            self._programs += 1
            if self._arbiter is writer:
                self._arbiter, self._left_at = None, time.monotonic()

    async def _greet(self, writer: asyncio.StreamWriter, keep: Sequence[object]) -> None:
        """Stop what an arbiter does not know of, then say what is there."""
        for token in [one for one in self._leases if one not in keep]:
            if self._arbiter is not writer:
                return  # what now runs is the later one's
            await self._end(token)
        await _say(
            writer,
            {"is": "there", "pid": os.getpid(), "on_card": self._shelf.on_card},
        )
        self._tell_memory()

    async def _hear(self, message: wire.Message, writer: asyncio.StreamWriter) -> None:
        match message.get("do"):
            case "load":
                self._begin(self._move("loaded", wire.text(message, "variant"), writer))
            case "unload":
                self._begin(self._move("unloaded", wire.text(message, "variant"), writer))
            case "lease":
                async with self._leased:
                    self._leases[wire.whole(message, "token")] = wire.text(message, "variant")
                    self._leased.notify_all()
            case "end":
                self._begin(self._ended(wire.whole(message, "token"), writer))
            case other:
                raise MessageError(f"An arbiter says nothing as {other!r:.40}.")

    def _begin(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _move(
        self, wish: Literal["loaded", "unloaded"], variant: str, writer: asyncio.StreamWriter
    ) -> None:
        answer: wire.Message = {"is": wish, "variant": variant}
        began = time.monotonic()
        try:
            if wish == "loaded":
                await self._shelf.bring(variant, "cuda")
            else:
                await self._shelf.leave(variant, "cuda")
        except Exception as error:
            log.warning("not_moved", extra={"variant": variant, "wish": wish}, exc_info=error)
            answer = {"is": f"not_{wish}", "variant": variant, "reason": str(error)}
        else:
            seconds = round(time.monotonic() - began, 4)
            log.info(wish, extra={"variant": variant, "seconds": seconds})
        self._tell_memory()
        with suppress(ConnectionError):
            await _say(writer, answer)

    async def _ended(self, token: int, writer: asyncio.StreamWriter) -> None:
        await self._end(token)
        with suppress(ConnectionError):
            await _say(writer, {"is": "ended", "token": token})

    async def _end(self, token: int) -> None:
        """Take a lease away, and stop what runs under it."""
        self._leases.pop(token, None)
        running = self._running.get(token)
        if running is not None:
            running.task.cancel()
            await asyncio.wait([running.task])

    def _tell_memory(self) -> None:
        if self._arbiter is not None and not self._arbiter.is_closing():
            told = {"is": "memory", "card_bytes": self._card_bytes()}
            self._arbiter.write(wire.encode(told)[0])


def own_bytes() -> int:
    """Return the host memory that this process holds; 0 where it cannot be read."""
    try:
        told = Path("/proc/self/statm").read_text("ascii")
    except OSError:  # no more files can be opened, say
        return 0
    return int(told.split()[1]) * resource.getpagesize()


def free_share() -> float:
    """Return which share of the host's memory is free, as Linux tells; 1 where it does not."""
    try:
        told = Path("/proc/meminfo").read_text("ascii")
    except OSError:
        return 1.0
    found = {}
    for line in told.splitlines():
        name, _, rest = line.partition(":")
        if name in ("MemTotal", "MemAvailable"):
            found[name] = int(rest.split()[0])
    return found["MemAvailable"] / found["MemTotal"]


async def _left(reader: asyncio.StreamReader) -> None:
    """Return when a program hangs up: it has nothing more to say."""
    with suppress(ConnectionError):
        await reader.read(1)


def _place(message: wire.Message) -> Place:
    match message.get("place"):
        case "cuda":
            return "cuda"
        case "cpu":
            return "cpu"
        case other:
            raise MessageError(f"'place' has to be cuda or cpu, not {other!r:.40}.")


def _failed(error: Exception) -> wire.Message:
    return {"is": "failed", "kind": type(error).__name__, "reason": str(error)}


async def _say(writer: asyncio.StreamWriter, message: wire.Message) -> None:
    writer.write(wire.encode(message)[0])
    await writer.drain()
