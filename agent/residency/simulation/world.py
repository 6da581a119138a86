"""A schedule played through: jobs ask, the arbiter decides, the host does it, faults happen."""

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from agent.residency.arbiter import decide as arbiter
from agent.residency.arbiter import effects, events
from agent.residency.simulation.card import OutOfMemory
from agent.residency.simulation.clock import VirtualClock
from agent.residency.simulation.host import Running, SimulatedHost
from agent.residency.simulation.plan import MEASURED_EVERY_S, Job, Plan, Step
from agent.residency.trace import Decide, Recorder

TAIL_S = 400.0
"""So long after the last job came everything has an answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What really happened on the card, whatever the trace says."""

    steps: int
    out_of_memory: tuple[OutOfMemory, ...]
    reloads_in_turn: int
    evicted_in_use: int
    unfinished: int
    """Jobs that never came to an end."""
    most_bytes: int

    @property
    def unexcused(self) -> int:
        """Allocations that failed though no other program had taken more than the safety."""
        return sum(not one.excused for one in self.out_of_memory)


class World:
    """One schedule in progress."""

    def __init__(
        self,
        plan: Plan,
        write: Callable[[dict[str, Any]], None],
        *,
        decide: Decide = arbiter.decide,
    ) -> None:
        self.plan = plan
        self.clock = VirtualClock()
        self.rng = random.Random(plan.seed + 1)  # noqa: S311 - a schedule is no secret
        self.host = SimulatedHost(
            plan.limits, self.clock, self.rng, self.post, trouble=plan.trouble
        )
        self.turns: dict[str, Worker] = {}
        """Turns in progress, as those who run them know."""
        self.reloads_in_turn = 0
        self._recorder = Recorder(plan.limits, write, decide=decide)
        self._steps = 0
        self._down_until = -1.0
        self._epoch = 1
        self._blind_until = -1.0
        self._mute_until = -1.0
        self._paused: events.WhilePaused | None = None
        self._wake = 0
        self._working: list[Worker] = []
        self._waiting: dict[str, Worker] = {}
        self._doing = self._table()
        # An effect may cause an event at once; all effects of the one before come first.
        self._inbox: deque[events.Event] = deque()

    def play(self) -> Outcome:
        """Play the schedule to its end."""
        plan, clock = self.plan, self.clock
        self.send(self.host.survey(0.0, self._epoch))
        self.host.foreign(plan.foreign[0][1])
        for at, size in plan.foreign[1:]:
            clock.at(at, lambda size=size: self.host.foreign(size))  # type: ignore[misc]
        self._measure()
        for number, job in enumerate(plan.jobs):
            worker = Worker(self, job, f"holder {number}")
            self._working.append(worker)
            clock.at(job.at_s, worker.begin)
        for at, kind in plan.faults:
            clock.at(at, lambda kind=kind: self._fault(kind))  # type: ignore[misc]
        last = max(job.at_s for job in plan.jobs)
        clock.at(max(last, plan.horizon_s) + 1, self._resume)
        clock.run(last + plan.horizon_s + TAIL_S, self._all_done)
        self._recorder.close()
        return Outcome(
            steps=self._steps,
            out_of_memory=tuple(self.host.failures),
            reloads_in_turn=self.reloads_in_turn,
            evicted_in_use=self.host.evicted_in_use,
            unfinished=sum(not worker.done for worker in self._working),
            most_bytes=self.host.card.most_bytes,
        )

    def _all_done(self) -> bool:
        state = self._recorder.state
        waiting = state.asks or any(turn.ends_at is None for turn in state.turns.values())
        return not waiting and all(worker.done for worker in self._working)

    # Events in, effects out.

    def post(self, event: events.Event) -> None:
        """Send an event that takes a moment to arrive."""
        self.clock.after(self.rng.uniform(0, 0.05), lambda: self.send(event))

    def send(self, event: events.Event) -> None:
        """Give an event to the arbiter, unless it is down, and do what it says."""
        if self.clock.now < self._down_until:
            return
        self._inbox.append(event)
        if len(self._inbox) > 1:
            return
        while self._inbox:
            self._steps += 1
            for effect in self._recorder(replace(self._inbox[0], now=self.clock.now)):
                if (carry_out := self._doing.get(type(effect))) is not None:
                    carry_out(effect)
            self._inbox.popleft()

    def _table(self) -> dict[type[effects.Effect], Callable[[Any], None]]:
        host = self.host
        return {
            effects.Granted: self._answer,
            effects.Admitted: self._answer,
            effects.Refused: self._answer,
            effects.Withdrawn: self._answer,
            effects.Revoked: lambda effect: host.stop(effect.token),
            effects.TurnRevoked: self._lose_turn,
            effects.LoadSense: host.load_sense,
            effects.UnloadSense: host.unload_sense,
            effects.LoadExecutive: self._load_executive,
            effects.UnloadExecutive: self._unload_executive,
            effects.KillWorker: lambda _effect: host.kill_worker(),
            effects.StartWorker: lambda _effect: host.start_worker(),
            effects.Wake: lambda effect: self._sleep(effect.at),
        }

    def _lose_turn(self, effect: effects.TurnRevoked) -> None:
        self.turns.pop(effect.turn, None)

    def _load_executive(self, effect: effects.LoadExecutive) -> None:
        self.reloads_in_turn += bool(self.turns)
        self.host.load_executive(effect)

    def _unload_executive(self, effect: effects.UnloadExecutive) -> None:
        self.reloads_in_turn += bool(self.turns)
        self.host.unload_executive(effect)

    def _answer(
        self,
        effect: effects.Granted | effects.Admitted | effects.Refused | effects.Withdrawn,
    ) -> None:
        name = effect.turn if isinstance(effect, effects.Admitted) else effect.ask
        worker = self._waiting.pop(name, None)
        if worker is not None:
            worker.answered(effect)

    def _sleep(self, at: float) -> None:
        self._wake += 1
        number = self._wake

        def tick() -> None:
            if number == self._wake:
                self.send(events.Ticked(now=self.clock.now))

        self.clock.at(at, tick)

    def wait(self, name: str, worker: "Worker") -> None:
        """Note who waits for an answer."""
        self._waiting[name] = worker

    # Measurements and faults.

    def _measure(self) -> None:
        taken = self.clock.now
        used, own = self.host.reading(knows_processes=self.plan.knows_processes)
        foreign = self.host.card.foreign_bytes
        blind = taken < self._blind_until
        mute = taken < self._mute_until

        def arrive() -> None:
            self.host.seen_foreign = foreign
            self.send(
                events.Measured(
                    now=self.clock.now,
                    taken_at=taken,
                    used_bytes=None if blind else used,
                    own_bytes=0 if blind else own,
                )
            )

        if not mute:
            self.clock.after(self.rng.uniform(0, 0.1), arrive)
        state = self._recorder.state
        lagging = state.freed or state.residue_bytes > state.stuck_bytes
        soon = 0.5 if lagging and state.asks else MEASURED_EVERY_S
        self.clock.after(soon, self._measure)

    def _fault(self, kind: str) -> None:
        match kind.split():
            case ["worker"]:
                if self.host.worker_up:
                    self.host.crash_worker()
            case ["arbiter"]:
                self._crash()
            case ["ollama"]:
                self.host.restart_ollama()
                self.turns.clear()
            case ["drift"]:
                self.post(events.ExecutiveDrifted(now=0.0, reason="another context"))
            case ["sense" | "leak" as what]:
                _ON_HOST[what](self.host)
            case ["blind"]:
                self._blind_until = self.clock.now + self.rng.uniform(1, 15)
            case ["mute"]:
                self._mute_until = self.clock.now + self.rng.uniform(1, 25)
            case ["pause", how]:
                self._paused = events.WhilePaused(how)
                self.post(events.Paused(now=0.0, work=self._paused))
            case _:
                self._resume()

    def _resume(self) -> None:
        self._paused = None
        self.post(events.Resumed(now=0.0))

    def _crash(self) -> None:
        """Lose the arbiter with all that it knew; another one starts and looks at what is there."""
        self._epoch += 1
        down_s = self.rng.uniform(0.05, 3.0)
        self._down_until = self.clock.now + down_s
        epoch = self._epoch

        def start() -> None:
            if epoch != self._epoch:
                return
            self._down_until = -1.0
            self.send(self.host.survey(self.clock.now, epoch, self._paused))
            waiting, self._waiting = self._waiting, {}
            for worker in waiting.values():
                worker.ask_again()
            for name, worker in list(self.turns.items()):
                self.send(replace(worker.turn_event(name), begun=True))

        self.clock.after(down_s + 1e-6, start)


_ON_HOST: Mapping[str, Callable[[SimulatedHost], None]] = {
    "sense": SimulatedHost.lose_sense,
    "leak": SimulatedHost.leak,
}


class Worker:
    """Somebody at work on a job."""

    def __init__(self, world: World, job: Job, holder: str) -> None:
        self.done = False
        self._world = world
        self._job = job
        self._holder = holder
        self._next = 0
        self._asked = 0
        self._turn: str | None = None
        self._alive = True
        self._beating = False

    def begin(self) -> None:
        """Ask for the turn, or at once for the first operation."""
        if self._job.turn:
            self._asked += 1
            self._turn = f"{self._holder} turn {self._asked}"
            self._world.wait(self._turn, self)
            self._world.send(self.turn_event(self._turn))
        else:
            self._step()
        if not self._beating:
            self._beating = True
            self._beat()

    def turn_event(self, name: str) -> events.TurnAsked:
        """Return what asks for the turn."""
        return events.TurnAsked(
            now=self._world.clock.now, turn=name, holder=self._holder, priority=self._job.priority
        )

    def ask_again(self) -> None:
        """Ask anew: the arbiter that was asked is gone."""
        if self._turn is not None and self._turn not in self._world.turns:
            self.begin()
        else:
            self._ask(self._job.steps[self._next])

    def answered(self, effect: effects.Effect) -> None:
        """Go on with what was answered."""
        match effect:
            case effects.Admitted(turn=turn, place=place):
                if place == "cuda":
                    self._world.turns[turn] = self
                self._step()
            case effects.Granted():
                self._operate(effect)
            case _:
                self._end()

    def _beat(self) -> None:
        if self.done or not self._alive:
            return
        self._world.send(events.Renewed(now=self._world.clock.now, holder=self._holder))
        self._world.clock.after(3.0, self._beat)

    def _step(self) -> None:
        if self._next >= len(self._job.steps):
            self._end()
        else:
            self._ask(self._job.steps[self._next])

    def _ask(self, step: Step) -> None:
        world = self._world
        now = world.clock.now
        self._asked += 1
        name = f"{self._holder} ask {self._asked}"
        world.wait(name, self)
        asked = events.Asked(
            now=now,
            ask=name,
            holder=self._holder,
            choices=step.choices,
            priority=self._job.priority,
            deadline=None if step.deadline_s is None else now + step.deadline_s,
            limit_s=step.limit_s,
        )
        world.send(asked)
        if step.fault == "repeats":
            world.post(asked)
        elif step.fault == "cancels":
            cancelled = events.Cancelled(now=now, ask=name)
            world.clock.after(world.rng.uniform(0, 2), lambda: world.send(cancelled))

    def _operate(self, granted: effects.Granted) -> None:
        world, step = self._world, self._job.steps[self._next]
        hangs = step.fault == "hangs"
        running = world.host.run(granted, hangs=hangs)
        following = self._next + 1
        if following < len(self._job.steps):
            hint = self._job.steps[following].choices[0]
            until = world.clock.now + 20
            world.post(events.Hinted(now=0.0, choice=hint, until=until))
        if step.fault in ("dies", "silent"):
            world.clock.after(step.run_s / 2, lambda: self._die(silent=step.fault == "silent"))
        elif not hangs:
            world.clock.after(step.run_s, lambda: self._finish(running, step))
        else:
            world.clock.after(step.run_s, self._go_on)

    def _finish(self, running: Running, step: Step) -> None:
        world, token = self._world, running.granted.token
        if not self._alive:
            return
        world.host.end(running)
        world.send(events.Released(now=world.clock.now, token=token))
        if step.fault == "late":
            late = events.Released(now=0.0, token=token)
            world.clock.after(world.rng.uniform(0, 20), lambda: world.send(late))
        self._go_on()

    def _go_on(self) -> None:
        if self.done:
            return
        self._next += 1
        self._step()

    def _die(self, *, silent: bool) -> None:
        self._alive = False
        self.done = True
        if self._turn is not None:
            self._world.turns.pop(self._turn, None)
        if not silent:
            self._world.post(events.HolderDied(now=0.0, holder=self._holder))

    def _end(self) -> None:
        if self.done:
            return
        self.done = True
        if self._turn is not None:
            self._world.turns.pop(self._turn, None)
            self._world.send(events.TurnEnded(now=self._world.clock.now, turn=self._turn))
