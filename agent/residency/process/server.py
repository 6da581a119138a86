"""The arbiter's door: connections of programs, each a holder, and what they say."""

import asyncio
import itertools
import logging
import os
from collections.abc import Callable, Sequence
from contextlib import suppress

from agent.residency.arbiter import effects, events
from agent.residency.daemon import lines
from agent.residency.errors import MessageError
from agent.residency.process import status, wire
from agent.residency.process.answers import answer
from agent.residency.process.arbiter import Arbiter
from agent.residency.process.hands import Hands
from agent.residency.process.holder import Holder, ends, peer, watch
from agent.residency.process.journal import Journal
from agent.residency.process.ports import Card, ExecutiveKeeper, SensesWorker

log = logging.getLogger(__name__)

_HELLO_S = 5.0
"""How long a program may take to say who it is."""


class Server:
    """Serves programs until told to stop."""

    def __init__(
        self,
        make: Callable[[Callable[[effects.Effect], None]], Arbiter],
        *,
        card: Card,
        worker: SensesWorker,
        keeper: ExecutiveKeeper,
        journal: Journal,
        regroup_s: float,
    ) -> None:
        self.holders: dict[str, Holder] = {}
        self.card = card
        self.keeper = keeper
        self.journal = journal
        self.arbiter = make(self._hear)
        self.hands = Hands(worker, keeper, post=self._post_if_open, clock=self.arbiter.clock)
        worker.attach(lost=self._worker_lost, ended=self._stopped, gone=self._variant_lost)
        self.worker = worker
        self._regroup_s = regroup_s
        self._numbers = itertools.count(1)
        self._open = asyncio.Event()
        self._closing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._wished: dict[str, tuple[str, ...]] = {}
        """By ask that waits: the variants that it named."""
        self._does: dict[str, Callable[[Holder, wire.Message], None]] = {
            "ask": self._ask,
            "cancel": self._cancel,
            "release": self._release,
            "renew": self._renew,
            "turn": self._turn,
            "end": self._end_turn,
            "hint": self._hint,
            "suspect": self._suspect,
            "status": self._status,
            "pause": self._pause,
            "resume": self._resume,
        }

    async def begin(self) -> None:
        """Find out what is there, and begin to decide.

        After a kill programs get a moment to come back and say what they hold.
        """
        left = self.journal.left()
        if not left.clean:
            await asyncio.sleep(self._regroup_s)
        claims = [claim for holder in self.holders.values() for claim in holder.claims]
        profile = await self.keeper.found()
        running = tuple(one for one, _ in claims)
        for one in running:
            if one.place == "cuda":
                self.hands.take_up(one.token)
        survey = await self.worker.survey(left.epoch + 1, claims)
        self.arbiter.start(
            profile=profile,
            found=survey.found,
            running=running,
            worker_up=survey.up,
            paused=left.paused,
        )
        self._open.set()
        for holder in self.holders.values():
            self._greet(holder, lost=[])
            self._take_up(holder, holder.turns)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        task = asyncio.current_task()
        assert task is not None, "a connection is served by a task"
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def stop(self) -> None:
        """End in order: say so, end the trace, hang up."""
        self._closing = True
        for holder in self.holders.values():
            holder.say({"is": "closing"})
        await self.hands.aclose()
        if self.arbiter.started:
            state = self.arbiter.state
            self.arbiter.close()
            begun = any(turn.ends_at is not None for turn in state.turns.values())
            self.arbiter.remember(clean=not state.leases and not begun, paused=state.paused)
        for holder in list(self.holders.values()):
            holder.hang_up()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)

    @property
    def idle(self) -> bool:
        """Whether nobody is here and nothing is out."""
        return not self.holders and self._open.is_set() and self.arbiter.quiet

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pid, user = peer(writer)
        if user not in (os.geteuid(), 0):
            writer.write(_error(f"This is the arbiter of user {os.geteuid()}, you are {user}."))
            return
        holder = Holder(f"{pid}.{next(self._numbers)}", pid, writer)
        alive = watch(pid)
        try:
            if await self._introduced(holder, reader):
                await self._converse(holder, reader)
        except MessageError as error:
            log.warning("message_refused", extra={"holder": holder.name, "reason": str(error)})
            holder.say({"is": "error", "reason": str(error), "version": wire.VERSION})
        finally:
            if self.holders.pop(holder.name, None) is not None:
                await self._gone(holder, alive)
            if alive is not None:
                os.close(alive)

    async def _introduced(self, holder: Holder, reader: asyncio.StreamReader) -> bool:
        """Hear who a program is and greet it; False if it only looked whether anybody is here."""
        try:
            async with asyncio.timeout(_HELLO_S):
                hello = await lines.read(reader, wire.LINE_BYTES)
        except TimeoutError as error:
            raise MessageError("A program has to say hello first.") from error
        if hello is None:
            return False
        if hello.get("do") != "hello":
            raise MessageError("A program has to say hello first.")
        if hello.get("version") != wire.VERSION:
            raise MessageError(
                f"This arbiter speaks version {wire.VERSION} of the protocol, "
                f"you speak {hello.get('version')!r:.20}."
            )
        held = hello.get("holds", [])
        turns = hello.get("turns", [])
        if not isinstance(held, list) or not isinstance(turns, list):
            raise MessageError("'holds' and 'turns' have to be lists.")
        claims = [wire.held(one, holder.name) for one in held]
        names = [wire.text({"turn": turn}, "turn") for turn in turns]
        self.holders[holder.name] = holder
        if self._open.is_set():
            self._greet(holder, lost=[one.token for one, _ in claims])
            self._take_up(holder, names)
        else:
            holder.claims, holder.turns = claims, names
            await self._open.wait()
        return True

    def _greet(self, holder: Holder, *, lost: Sequence[int]) -> None:
        holder.say(
            {
                "is": "hello",
                "version": wire.VERSION,
                "pid": os.getpid(),
                "epoch": self.arbiter.epoch,
                "heartbeat_s": self.arbiter.state.limits.heartbeat_s,
                "lost": lost,
            }
        )

    def _take_up(self, holder: Holder, turns: Sequence[str]) -> None:
        """Let turns go on that an earlier arbiter admitted."""
        for turn in turns:
            self._take_turn(holder, {"turn": turn, "priority": "person"}, begun=True)

    async def _converse(self, holder: Holder, reader: asyncio.StreamReader) -> None:
        while (message := await lines.read(reader, wire.LINE_BYTES)) is not None:
            if self._closing:
                return
            does = self._does.get(str(message.get("do")))
            if does is None:
                raise MessageError(f"There is nothing to do as {message.get('do')!r:.40}.")
            does(holder, message)

    async def _gone(self, holder: Holder, alive: int | None) -> None:
        """Take note that a program has hung up; if its process has ended, so have its operations.

        What runs in the senses' worker is stopped there.
        """
        if self._closing or not self.arbiter.started:
            return
        mine = [one for one in self.arbiter.state.leases.values() if one.holder == holder.name]
        self._post(events.HolderDied(now=self.arbiter.clock(), holder=holder.name))
        for lease in mine:
            if lease.place == "cuda" and lease.variant != events.EXECUTIVE:
                self._let_go(lease.token)
        if alive is not None and mine and await ends(alive):
            for lease in mine:
                if lease.token in self.arbiter.state.leases:
                    self._let_go(lease.token)

    # What programs say.

    def _ask(self, holder: Holder, message: wire.Message) -> None:
        now = self.arbiter.clock()
        deadline_s = wire.seconds(message, "deadline_s")
        choices = wire.choices(message)
        if choices[0].place == "cuda":
            self.arbiter.freshen(choices[0].weights_bytes + choices[0].working_bytes)
        name = holder.full(wire.text(message, "ask"))
        self._wished.setdefault(name, tuple(one.variant for one in choices))
        self._post(
            events.Asked(
                now=now,
                ask=name,
                holder=holder.name,
                choices=choices,
                priority=wire.priority(message),
                deadline=None if deadline_s is None else now + deadline_s,
                limit_s=wire.seconds(message, "limit_s"),
            )
        )

    def _cancel(self, holder: Holder, message: wire.Message) -> None:
        ask = holder.full(wire.text(message, "ask"))
        self._post(events.Cancelled(now=self.arbiter.clock(), ask=ask))

    def _release(self, holder: Holder, message: wire.Message) -> None:
        token = wire.whole(message, "token", 1 << 62)
        lease = self.arbiter.state.leases.get(token)
        if lease is not None and lease.holder != holder.name:
            raise MessageError(f"Lease {token} is not yours.")
        self._let_go(token)

    def _let_go(self, token: int) -> None:
        """End an operation. What runs in the worker has ended when that says so."""
        if not self.hands.end(token):
            self._post(events.Released(now=self.arbiter.clock(), token=token))

    def _renew(self, holder: Holder, _message: wire.Message) -> None:
        self._post(events.Renewed(now=self.arbiter.clock(), holder=holder.name))

    def _turn(self, holder: Holder, message: wire.Message) -> None:
        if not self.arbiter.state.limits.profiles:
            holder.say({"is": "free", "turn": wire.text(message, "turn")})
            return
        self.arbiter.freshen(0)
        self._take_turn(holder, message, begun=False)

    def _take_turn(self, holder: Holder, message: wire.Message, *, begun: bool) -> None:
        now = self.arbiter.clock()
        deadline_s = wire.seconds(message, "deadline_s")
        self._post(
            events.TurnAsked(
                now=now,
                turn=holder.full(wire.text(message, "turn")),
                holder=holder.name,
                priority=wire.priority(message),
                deadline=None if deadline_s is None else now + deadline_s,
                begun=begun,
            )
        )

    def _end_turn(self, holder: Holder, message: wire.Message) -> None:
        name, now = holder.full(wire.text(message, "turn")), self.arbiter.clock()
        turn = self.arbiter.state.turns.get(name)
        if turn is not None and turn.ends_at is None:
            # It began under an earlier arbiter, and this one has not come to admit it.
            self._post(events.Cancelled(now=now, ask=name))
        else:
            self._post(events.TurnEnded(now=now, turn=name))

    def _hint(self, _holder: Holder, message: wire.Message) -> None:
        now = self.arbiter.clock()
        until = now + (wire.seconds(message, "for_s") or 0.0)
        self._post(events.Hinted(now=now, choice=wire.choice(message.get("choice")), until=until))

    def _suspect(self, holder: Holder, message: wire.Message) -> None:
        reason = wire.text(message, "reason")
        log.info("executive_suspected", extra={"holder": holder.name, "reason": reason})
        self.arbiter.look()

    def _status(self, holder: Holder, _message: wire.Message) -> None:
        self.arbiter.freshen(0)
        holder.say({"is": "status", "status": status.told(self)})

    def _pause(self, holder: Holder, message: wire.Message) -> None:
        try:
            work = events.WhilePaused(message.get("work", "wait"))
        except ValueError as error:
            raise MessageError("'work' has to be wait or cpu.") from error
        self.arbiter.remember(clean=False, paused=work)
        self._post(events.Paused(now=self.arbiter.clock(), work=work))
        holder.say({"is": "done"})

    def _resume(self, holder: Holder, _message: wire.Message) -> None:
        self.arbiter.remember(clean=False, paused=None)
        self._post(events.Resumed(now=self.arbiter.clock()))
        holder.say({"is": "done"})

    # What the worker says.

    def _stopped(self, token: int) -> None:
        self._post_if_open(events.Released(now=self.arbiter.clock(), token=token))

    def _worker_lost(self) -> None:
        self.hands.forget()
        self._post_if_open(events.WorkerDied(now=self.arbiter.clock()))

    def _variant_lost(self, variant: str, reason: str) -> None:
        self._post_if_open(
            events.SenseLost(now=self.arbiter.clock(), variant=variant, reason=reason)
        )

    # What the arbiter says.

    def _post(self, event: events.Event) -> None:
        self.arbiter.post(event)

    def _post_if_open(self, event: events.Event) -> None:
        if not self._closing:
            self.arbiter.post(event)

    def _hear(self, effect: effects.Effect) -> None:
        if self._closing:
            return
        self.hands.carry_out(effect)
        match effect:
            case effects.Refused(ask=name, reason=reason):
                why = [reason, *self._flaws(name), self.keeper.flaw, self._paused()]
                because = "; ".join(one for one in why if one is not None)
                self._tell(name, {"is": "refused", "ask": Holder.own(name), "reason": because})
            case effects.Granted() | effects.Withdrawn():
                self._wished.pop(effect.ask, None)
                self._tell(effect.ask, answer(effect))
            case effects.Admitted() | effects.TurnRevoked():
                self._tell(effect.turn, answer(effect))
            case effects.Revoked(token=token, reason=reason):
                self._tell_all({"is": "revoked", "token": token, "reason": reason})
            case effects.Closed(token=token):
                self._tell_all({"is": "closed", "token": token})
            case effects.Say(text=text):
                log.info("arbiter", extra={"said": text})
            case _:
                pass

    def _flaws(self, ask: str) -> list[str]:
        """Return why what an ask wished for did not load the last time, where it did not."""
        wished = self._wished.pop(ask, ())
        flaws = self.hands.flaws
        return [f"{one} did not load the last time: {flaws[one]}" for one in wished if one in flaws]

    def _paused(self) -> str | None:
        return None if self.arbiter.state.paused is None else "the owner has the card (paused)"

    def _tell(self, name: str, message: wire.Message) -> None:
        holder = self.holders.get(name.partition("/")[0])
        if holder is not None:
            holder.say(message)

    def _tell_all(self, message: wire.Message) -> None:
        for holder in self.holders.values():
            holder.say(message)


def _error(reason: str) -> bytes:
    return wire.encode({"is": "error", "reason": reason, "version": wire.VERSION})
