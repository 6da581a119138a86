"""A program's side of the arbiter: one connection, kept up as long as anything hangs on it.

When the arbiter goes, the program comes back to its successor (which it starts if nobody else has),
says what it holds, and asks again for what it waited for.
"""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from agent.residency.arbiter.events import Choice, Priority, WhilePaused
from agent.residency.daemon import launch, lines
from agent.residency.daemon.files import DaemonFiles
from agent.residency.errors import (
    ArbiterVersionError,
    LeaseRefusedError,
    MessageError,
    NoExecutiveError,
    ResidencyError,
    UnreachableError,
)
from agent.residency.grants import Admission, Grant, revocable
from agent.residency.process import wire
from agent.residency.process.config import ArbiterConfig

log = logging.getLogger(__name__)

_ANSWER_S = 30.0
"""How long an arbiter that is there may take to greet or to tell its status."""


@dataclass(kw_only=True, slots=True, eq=False)
class _Ask:
    message: wire.Message
    choices: Sequence[Choice]
    answer: asyncio.Future[Any]


@dataclass(kw_only=True, slots=True)
class _Held:
    grant: Grant
    revoke: Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Greeted:
    """What a greeting told of this program."""

    asks: frozenset[str]
    tokens: frozenset[int]
    turns: frozenset[str]
    heartbeat_s: float = 0.0


class ArbiterClient:
    """Speaks to the arbiter of one card."""

    def __init__(self, files: DaemonFiles, config: ArbiterConfig | None) -> None:
        self._files = files
        self._config = config
        self._numbers = itertools.count(1)
        self._asks: dict[str, _Ask] = {}
        self._held: dict[int, _Held] = {}
        self._turns: dict[str, Callable[[str], None]] = {}
        self._said: asyncio.Queue[wire.Message] = asyncio.Queue()
        self._writer: asyncio.StreamWriter | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._connected: asyncio.Future[None] | None = None
        self._asking = asyncio.Lock()
        self._hints: dict[str, wire.Message] = {}
        """By variant: what is said as soon as there is a connection."""
        self._hinting: asyncio.Task[None] | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up."""
        self._closed = True
        tasks = [one for one in (self._hinting, self._keeping) if one is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @asynccontextmanager
    async def lease(
        self,
        choices: Sequence[Choice],
        *,
        priority: Priority = Priority.PERSON,
        deadline_s: float | None = None,
        limit_s: float | None = None,
    ) -> AsyncIterator[Grant]:
        """Wait for one of the choices, the first for preference, and hold it for the block.

        Raises LeaseRefusedError instead of entering it, and LeaseLostError in place of the
        cancellation of the block when the lease is revoked.
        """
        grant = await self._ask(choices, priority, deadline_s, limit_s)
        async with revocable(f"The lease of {grant.variant} was revoked") as revoke:
            self._held[grant.token] = _Held(grant=grant, revoke=revoke)
            try:
                yield grant
            finally:
                del self._held[grant.token]
                self._say({"do": "release", "token": grant.token})

    @asynccontextmanager
    async def turn(
        self, *, priority: Priority = Priority.PERSON, deadline_s: float | None = None
    ) -> AsyncIterator[Admission]:
        """Wait until the executive is there, and keep it as it is for the block.

        Raises NoExecutiveError or LeaseRefusedError instead of entering it, and LeaseLostError in
        place of the cancellation of the block when the executive is lost.
        """
        name = f"t{next(self._numbers)}"
        message: wire.Message = {"do": "turn", "turn": name, "priority": priority.name.lower()}
        if deadline_s is not None:
            message["deadline_s"] = deadline_s
        admitted = await self._wait_for(name, message, ())
        async with revocable("The turn has lost its executive") as revoke:
            self._turns[name] = revoke
            try:
                yield Admission(place=admitted["place"], profile=admitted["profile"])
            finally:
                del self._turns[name]
                self._say({"do": "end", "turn": name})

    def hint(self, choice: Choice, *, for_s: float) -> None:
        """Say that a choice will probably be asked for soon; a connection is made for it."""
        message = {"do": "hint", "choice": wire.told_choice(choice), "for_s": for_s}
        if self._writer is not None:
            self._say(message)
            return
        self._hints[choice.variant] = message
        if self._hinting is None or self._hinting.done():
            self._hinting = asyncio.create_task(self._reach_out())

    async def _reach_out(self) -> None:
        with suppress(ResidencyError):  # whoever asks for a lease is told of it
            await self._connect()

    def suspect(self, reason: str) -> None:
        """Say that a call's own figures show that the executive is not as it was loaded."""
        self._say({"do": "suspect", "reason": reason[:200]})

    async def status(self) -> dict[str, Any]:
        """Return what the arbiter tells of itself."""
        told: dict[str, Any] = (await self._request({"do": "status"}, "status"))["status"]
        return told

    async def pause(self, work: WhilePaused) -> None:
        """Take the card from everybody."""
        await self._request({"do": "pause", "work": work.value}, "done")

    async def resume(self) -> None:
        """Give it back."""
        await self._request({"do": "resume"}, "done")

    async def _ask(
        self,
        choices: Sequence[Choice],
        priority: Priority,
        deadline_s: float | None,
        limit_s: float | None,
    ) -> Grant:
        name = f"a{next(self._numbers)}"
        message: wire.Message = {
            "do": "ask",
            "ask": name,
            "choices": [wire.told_choice(one) for one in choices],
            "priority": priority.name.lower(),
        }
        if deadline_s is not None:
            message["deadline_s"] = deadline_s
        if limit_s is not None:
            message["limit_s"] = limit_s
        grant: Grant = await self._wait_for(name, message, choices)
        return grant

    async def _wait_for(self, name: str, message: wire.Message, choices: Sequence[Choice]) -> Any:
        """Wait for the answer to an ask. One that is given up is cancelled, or given back."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asks[name] = _Ask(message=message, choices=choices, answer=answer)
        try:
            if self._writer is None:
                await self._connect()  # which says all that is waited for
            else:
                self._say(message)
            return await answer
        except BaseException:
            if answer.done() and not answer.cancelled() and answer.exception() is None:
                self._give_back(name, answer.result())
            elif name in self._asks:
                self._say({"do": "cancel", "ask": name})
            raise
        finally:
            self._asks.pop(name, None)

    def _give_back(self, name: str, answer: Any) -> None:
        if isinstance(answer, Grant):
            self._say({"do": "release", "token": answer.token})
        else:
            self._say({"do": "end", "turn": name})

    async def _request(self, message: wire.Message, answered: str) -> wire.Message:
        async with self._asking:
            if self._writer is None:
                await self._connect()
            while not self._said.empty():
                self._said.get_nowait()
            self._say(message)
            try:
                async with asyncio.timeout(_ANSWER_S):
                    while (told := await self._said.get())["is"] != answered:
                        if told["is"] == "gone":
                            raise UnreachableError("The arbiter of the card has ended.")
                    return told
            except TimeoutError as error:
                raise UnreachableError(
                    f"The arbiter of the card does not answer within {_ANSWER_S:g} s. See "
                    f"{self._files.log}."
                ) from error

    def _say(self, message: wire.Message) -> None:
        """Send a message; without a connection it is lost, as what it would end is."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(wire.encode(message))

    async def _connect(self) -> None:
        """See to it that a connection is kept, and wait until it is there."""
        if self._keeping is None or self._keeping.done():
            self._connected = asyncio.get_running_loop().create_future()
            self._keeping = asyncio.create_task(self._keep())
        assert self._connected is not None, "it is made with the task"
        await asyncio.shield(self._connected)

    async def _keep(self) -> None:
        """Keep a connection while anything hangs on it."""
        try:
            while not self._closed:
                reader, writer, greeted = await self._greeted()
                self._writer = writer
                self._catch_up(greeted)
                beating = asyncio.create_task(self._beat(greeted.heartbeat_s / 3))
                if self._connected is not None and not self._connected.done():
                    self._connected.set_result(None)
                try:
                    await self._listen(reader)
                finally:
                    self._writer = None
                    beating.cancel()
                    writer.close()
                    self._said.put_nowait({"is": "gone"})
                    self._connected = asyncio.get_running_loop().create_future()
                if not (self._held or self._asks or self._turns):
                    return
                log.warning("arbiter_lost", extra={"held": len(self._held)})
        except ResidencyError as error:
            self._fail(error)

    def _catch_up(self, greeted: "_Greeted") -> None:
        """Say what has changed since the greeting was written."""
        for name, ask in self._asks.items():
            if name not in greeted.asks:
                self._say(ask.message)
        for name in greeted.asks - self._asks.keys():
            self._say({"do": "cancel", "ask": name})
        for token in greeted.tokens - self._held.keys():
            self._say({"do": "release", "token": token})
        for name in greeted.turns - self._turns.keys():
            self._say({"do": "end", "turn": name})

    def _fail(self, error: ResidencyError) -> None:
        """Answer all that waits with an error. What is held goes on: nobody else grants now."""
        self._hints.clear()
        if self._connected is not None and not self._connected.done():
            self._connected.set_exception(error)
            self._connected.exception()
        for ask in self._asks.values():
            if not ask.answer.done():
                ask.answer.set_exception(error)
                ask.answer.exception()

    async def _greeted(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, "_Greeted"]:
        """Connect, say what is held, and ask again for what is waited for."""
        while True:
            reader, writer = await launch.reach(
                self._files, self._config, line_bytes=wire.LINE_BYTES
            )
            told = _Greeted(
                asks=frozenset(self._asks),
                tokens=frozenset(self._held),
                turns=frozenset(self._turns),
            )
            self._introduce(writer)
            try:
                async with asyncio.timeout(_ANSWER_S):
                    line = await reader.readline()
            except ConnectionError:
                line = b""
            except TimeoutError as error:
                writer.close()
                raise UnreachableError(
                    f"The arbiter of the card does not greet within {_ANSWER_S:g} s. See "
                    f"{self._files.log}."
                ) from error
            if line:
                break
            writer.close()
            await asyncio.sleep(0.05)
        greeting = lines.decoded(line)
        if greeting.get("is") != "hello" or greeting.get("version") != wire.VERSION:
            writer.close()
            raise self._refusal(greeting)
        for token in greeting["lost"]:
            self._revoke(token, "the arbiter was restarted without it")
        return reader, writer, replace(told, heartbeat_s=greeting["heartbeat_s"])

    def _introduce(self, writer: asyncio.StreamWriter) -> None:
        holds = [
            {
                "token": one.grant.token,
                "variant": one.grant.variant,
                "place": one.grant.place,
                "working_bytes": one.grant.working_bytes,
                "weights_bytes": one.grant.weights_bytes,
            }
            for one in self._held.values()
        ]
        hello = {"do": "hello", "version": wire.VERSION, "holds": holds}
        writer.write(wire.encode({**hello, "turns": list(self._turns)}))
        for message in (*self._hints.values(), *(ask.message for ask in self._asks.values())):
            writer.write(wire.encode(message))
        self._hints.clear()

    def _refusal(self, greeting: wire.Message) -> ResidencyError:
        reason = str(greeting.get("reason", greeting))
        if greeting.get("version") != wire.VERSION:
            return ArbiterVersionError(
                f"The arbiter of this card is of another version of cortical: {reason} End it when "
                "nothing runs (`cortical residency status` of that version tells its process); the "
                "next command starts its own."
            )
        return MessageError(f"The arbiter of the card refuses this program: {reason}")

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionError):
            while line := await reader.readline():
                if not line.endswith(b"\n"):
                    return
                self._hear(lines.decoded(line))

    def _hear(self, message: wire.Message) -> None:
        match message["is"]:
            case "granted":
                self._granted(message)
            case "admitted":
                self._answer(message["turn"], message)
            case "free":
                self._answer(message["turn"], NoExecutiveError("No executive is kept here."))
            case "refused" | "withdrawn":
                refusal = LeaseRefusedError(f"The card's arbiter refuses: {message['reason']}.")
                self._answer(message["ask"], refusal)
            case "revoked":
                self._revoke(message["token"], message["reason"])
            case "turn_revoked":
                if (revoke := self._turns.get(message["turn"])) is not None:
                    revoke(message["reason"])
            case "closed" | "closing":
                pass  # the lease was given up, or the connection is about to end
            case "error":
                log.warning("arbiter_refuses", extra={"reason": message.get("reason")})
            case _:
                self._said.put_nowait(message)

    def _granted(self, message: wire.Message) -> None:
        ask = self._asks.get(message["ask"])
        if ask is None or ask.answer.done():
            self._say({"do": "release", "token": message["token"]})
            return
        ask.answer.set_result(
            Grant(
                token=message["token"],
                variant=message["variant"],
                place=message["place"],
                working_bytes=message["working_bytes"],
                weights_bytes=ask.choices[message["rung"]].weights_bytes,
                rung=message["rung"],
                reason=message["reason"],
            )
        )

    def _answer(self, name: str, value: Any) -> None:
        ask = self._asks.get(name)
        if ask is None or ask.answer.done():
            return
        if isinstance(value, Exception):
            ask.answer.set_exception(value)
        else:
            ask.answer.set_result(value)

    def _revoke(self, token: int, reason: str) -> None:
        held = self._held.get(token)
        if held is not None:
            held.revoke(reason)

    async def _beat(self, pause_s: float) -> None:
        """Say that the program lives, while it holds anything."""
        while True:
            await asyncio.sleep(pause_s)
            if self._held or self._turns:
                self._say({"do": "renew"})
