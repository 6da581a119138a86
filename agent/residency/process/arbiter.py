"""The single writer: every event goes through here, one after the other, into the trace.

`decide` changes what is known; this keeps its clock, its measurements and its trace, and hands the
effects to those who carry them out. Nobody else holds the state.
"""

import asyncio
import logging
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from agent.residency.arbiter import effects, events
from agent.residency.arbiter.limits import Limits
from agent.residency.arbiter.state import CardState, Place, Worker
from agent.residency.process.journal import Journal, Left
from agent.residency.process.ports import Card, ExecutiveKeeper
from agent.residency.trace import Moment, Origin, Recorder, balance

log = logging.getLogger(__name__)

CALM_S = 5.0
"""Between two measurements while nothing moves."""
BUSY_S = 0.25
"""While bytes are on their way, or somebody waits for them."""
TEND_S = 1.0
"""How often the executive's keeper may look; how often it does, it knows best."""


class Arbiter:
    """Decides for one card."""

    def __init__(
        self,
        limits: Limits,
        *,
        card: Card,
        keeper: ExecutiveKeeper,
        journal: Journal,
        hear: Callable[[effects.Effect], None],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.clock = clock
        self._wall = wall
        self._limits = limits
        self._card = card
        self._keeper = keeper
        self._journal = journal
        self._hear = hear
        self._epoch = journal.left().epoch
        self._recorder: Recorder | None = None
        self._inbox: deque[events.Event] = deque()
        self._deciding = False
        self._timer: asyncio.TimerHandle | None = None
        self._moved = asyncio.Event()
        self._suspected = asyncio.Event()

    @property
    def state(self) -> CardState:
        """What is known."""
        assert self._recorder is not None, "it was started"
        return self._recorder.state

    @property
    def epoch(self) -> int:
        """Number of this life."""
        return self._epoch

    @property
    def started(self) -> bool:
        """Whether it decides yet."""
        return self._recorder is not None

    def start(
        self,
        *,
        profile: str | None,
        found: tuple[events.Found, ...] = (),
        running: tuple[events.Running, ...] = (),
        worker_up: bool = True,
        paused: events.WhilePaused | None = None,
    ) -> None:
        """Begin a trace, from what is really there."""
        self._epoch += 1
        self._limits = replace(self._limits, profiles=self._keeper.profiles)
        self._journal.begin(self._epoch)
        origin = Origin(
            card=self._journal.card,
            epoch=self._epoch,
            host=socket.gethostname(),
            began=Moment(at=self._wall().isoformat(), t=self.clock()),
        )
        self._recorder = Recorder(self._limits, self._journal.write, origin=origin)
        self.remember(clean=False, paused=paused)
        self.post(
            events.Started(
                now=self.clock(),
                epoch=self._epoch,
                found=found,
                running=running,
                profile=profile,
                worker_up=worker_up,
                paused=paused,
            )
        )
        self.measure()

    def post(self, event: events.Event) -> None:
        """Decide on an event, and have the effects carried out before the next."""
        self._inbox.append(event)
        if self._deciding:
            return
        self._deciding = True
        try:
            while self._inbox:
                assert self._recorder is not None, "it was started"
                for effect in self._recorder(self._inbox.popleft()):
                    if isinstance(effect, effects.Wake):
                        self._wake(effect.at)
                    else:
                        self._hear(effect)
        finally:
            self._deciding = False
        if self._moving():
            self._moved.set()

    def measure(self) -> None:
        """Read the card now."""
        taken_at = self.clock()
        usage = self._card.read()
        self.post(
            events.Measured(
                now=self.clock(),
                taken_at=taken_at,
                used_bytes=usage.used_bytes,
                own_bytes=usage.own_bytes,
            )
        )

    def freshen(self, needed_bytes: int) -> None:
        """Read the card before an ask that the last reading would let wait.

        That is so if it is old, or if the ask fits only once bytes that were let go are confirmed.
        """
        state = self.state
        if (
            state.reading is None
            or self.clock() - state.reading.taken_at > state.limits.stale_s / 4
        ):
            self.measure()
            return
        told = balance(state)
        unconfirmed = told["unconfirmed"] or 0
        ours = (told["reserved"] or 0) + (told["in_flight"] or 0) + unconfirmed
        room = state.limits.capacity_bytes - state.limits.safety_bytes
        room -= ours + state.reading.foreign_bytes
        if unconfirmed and needed_bytes > room:
            self.measure()

    async def watch(self) -> None:
        """Measure, often while something moves, until cancelled."""
        while True:
            if self._moving():
                await asyncio.sleep(BUSY_S)
            else:
                self._moved.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._moved.wait(), CALM_S)
                    await asyncio.sleep(BUSY_S)
            if self._watched():
                self.measure()
            await self.renew()

    async def tend(self) -> None:
        """Look after the executive, until cancelled: its server may take long to answer."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._suspected.wait(), TEND_S)
            self._suspected.clear()
            event = await self._keeper.inspect()
            if event is not None:
                self.post(replace(event, now=self.clock()))

    def look(self) -> None:
        """Look after the executive now."""
        self._keeper.suspect()
        self._suspected.set()

    async def renew(self) -> None:
        """Begin a new trace where the old one is long, or the limits have changed, if all is quiet.

        It is a handover to itself: what lies on the card is found there, as after a restart.
        """
        profiles = self._keeper.profiles
        if not (self._journal.long or profiles != self._limits.profiles) or not self.quiet:
            return
        state = self.state
        executive = state.executive
        loaded = self._limits.profiles[executive.profile].name if executive.place else None
        found = tuple(
            events.Found(
                variant=one.variant, weights_bytes=one.weights_bytes, reload_s=one.reload_s
            )
            for one in state.residences.values()
        )
        self.close()
        self.start(profile=loaded, found=found, paused=state.paused)

    @property
    def quiet(self) -> bool:
        """Whether nothing is out, waited for or under way."""
        state = self.state
        return not (
            state.leases
            or state.asks
            or state.turns
            or state.freed
            or state.worker is not Worker.UP
            or state.executive.place in (Place.LOADING, Place.LEAVING)
            or any(one.place is not Place.RESIDENT for one in state.residences.values())
        )

    def remember(self, *, clean: bool, paused: events.WhilePaused | None) -> None:
        """Write down what the next life has to know."""
        self._journal.leave(Left(epoch=self._epoch, clean=clean, paused=paused))

    def close(self) -> None:
        """End the trace: what still waits is withdrawn first."""
        for name in self._waiting():
            self.post(events.Cancelled(now=self.clock(), ask=name))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        assert self._recorder is not None, "it was started"
        self._recorder.close()
        self._journal.end()

    def _waiting(self) -> Sequence[str]:
        turns = [one.turn for one in self.state.turns.values() if one.ends_at is None]
        return [*self.state.asks, *turns]

    def _moving(self) -> bool:
        state = self.state
        return bool(
            state.asks
            or state.freed
            or state.executive.place in (Place.LOADING, Place.LEAVING)
            or any(one.place is not Place.RESIDENT for one in state.residences.values())
        )

    def _watched(self) -> bool:
        """Whether anything depends on how full the card is."""
        state = self.state
        return bool(
            state.limits.profiles
            or state.residences
            or state.asks
            or state.freed
            or any(lease.place == "cuda" for lease in state.leases.values())
        )

    def _wake(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        delay = max(0.0, at - self.clock())
        self._timer = asyncio.get_running_loop().call_later(delay, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.post(events.Ticked(now=self.clock()))
