"""A day under our arbiter: the real `decide`, driven by the simulated card."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.bench.residency import costs
from agent.bench.residency.day import Step
from agent.bench.residency.stage import Stage, Work, cpu_s, models_of, shape, windows, working_bytes
from agent.residency.arbiter import effects, events
from agent.residency.arbiter.events import EXECUTIVE, Choice, Priority
from agent.residency.arbiter.limits import Limits
from agent.residency.trace import Recorder

MEASURED_EVERY_S = 2.0
SOON_S = 0.25
HINT_S = 60.0
_FOREVER_S = 1e9


@dataclass(kw_only=True, slots=True)
class _Waiting:
    work: Work
    step: Step | None


class Ours:
    """Carries out what the arbiter decides, at the times that the costs say."""

    def __init__(
        self,
        stage: Stage,
        write: Callable[[dict[str, Any]], None],
        *,
        memory: costs.Memory = costs.Memory.PINNED,
    ) -> None:
        card = stage.card
        limits = Limits(
            capacity_bytes=card.capacity_bytes,
            profiles=card.profiles,
            safety_bytes=card.safety_bytes,
            context_bytes=costs.CONTEXT_BYTES,
            wait_s=86_400.0,
            lease_s=3_600.0,
            turn_s=86_400.0,
            heartbeat_s=_FOREVER_S,
        )
        self._stage = stage
        self._memory = memory
        self._recorder = Recorder(limits, write)
        self._waiting: dict[str, _Waiting] = {}
        self._names = 0
        self._load = 0
        self._profile = ""
        self._wake = 0
        self._inbox: deque[events.Event] = deque()
        self._planned = 0
        self._soon = False
        self._doing: dict[type[effects.Effect], Callable[[Any], None]] = {
            effects.Granted: self._granted,
            effects.Admitted: self._admitted,
            effects.Refused: self._refused,
            effects.LoadSense: self._load_sense,
            effects.UnloadSense: self._unload_sense,
            effects.LoadExecutive: self._load_executive,
            effects.UnloadExecutive: self._unload_executive,
            effects.Wake: self._sleep,
        }

    @property
    def _now(self) -> float:
        return self._stage.clock.now

    def start(self) -> None:
        """Start the worker and the arbiter."""
        self._stage.take("context", costs.CONTEXT_BYTES)
        self._send(events.Started(now=0.0, epoch=1))
        self._measure()

    def close(self) -> None:
        """End the trace."""
        self._recorder.close()

    def foreign_changed(self) -> None:
        """Nobody tells us: the next measurement shows it."""

    def begin(self, work: Work) -> None:
        """Take a job on: one in which a person waits is a turn as a whole."""
        work.steps = [piece for step in work.job.steps for piece in windows(step)]
        if work.job.person_waits and any(step.do == "executive" for step in work.steps):
            self._ask_turn(work)
        else:
            self._next(work)

    # Asking.

    def _name(self) -> str:
        self._names += 1
        return str(self._names)

    def _priority(self, work: Work) -> Priority:
        return Priority.PERSON if work.job.person_waits else Priority.JOB

    def _ask_turn(self, work: Work) -> None:
        turn = f"job {work.number} turn"
        self._waiting[turn] = _Waiting(work=work, step=None)
        self._send(
            events.TurnAsked(
                now=self._now,
                turn=turn,
                holder=f"job {work.number}",
                priority=self._priority(work),
            )
        )

    def _next(self, work: Work) -> None:
        if work.next >= len(work.steps):
            self._end(work)
            return
        step = work.steps[work.next]
        if step.do == "executive" and not work.begun:
            self._ask_turn(work)
            return
        name = self._name()
        self._waiting[name] = _Waiting(work=work, step=step)
        self._send(
            events.Asked(
                now=self._now,
                ask=name,
                holder=f"job {work.number}",
                choices=self._choices(step),
                priority=self._priority(work),
            )
        )

    def _choices(self, step: Step) -> tuple[Choice, ...]:
        if step.do == "executive":
            return (Choice(variant=EXECUTIVE),)
        on_card = [
            Choice(
                variant=name,
                weights_bytes=costs.MODELS[name].weights_bytes,
                working_bytes=working_bytes(name, step),
                reload_s=costs.MODELS[name].load_s(self._memory),
            )
            for name in models_of(self._stage.card, step.do)
        ]
        return (*on_card, Choice(variant=f"{step.do} on the CPU", place="cpu"))

    def _end(self, work: Work) -> None:
        self._end_turn(work)
        self._stage.ended(work)

    def _end_turn(self, work: Work) -> None:
        if work.begun:
            work.begun = False
            self._send(events.TurnEnded(now=self._now, turn=f"job {work.number} turn"))

    # Answers.

    def _admitted(self, effect: effects.Admitted) -> None:
        work = self._waiting.pop(effect.turn).work
        work.begun = True
        self._next(work)

    def _refused(self, effect: effects.Refused) -> None:
        self._stage.tally.refused += 1
        self._end(self._waiting.pop(effect.ask).work)

    def _granted(self, effect: effects.Granted) -> None:
        waiting = self._waiting.pop(effect.ask)
        work, step = waiting.work, waiting.step
        assert step is not None
        stage = self._stage
        name = f"working {effect.token}"
        if effect.variant == EXECUTIVE:
            took_s = stage.call_s(work, step, self._load)
            stage.tally.compact_calls += self._profile != stage.card.profiles[0].name
            self._hint(work)
        elif effect.place == "cpu" or not stage.take(name, effect.working_bytes):
            stage.tally.on_cpu += 1
            took_s = cpu_s(step)
        else:
            took_s = costs.on_card_s(**shape(step))

        def finish() -> None:
            stage.give_later(name)
            self._send(events.Released(now=self._now, token=effect.token))
            if effect.variant == EXECUTIVE and not work.job.person_waits:
                self._end_turn(work)
            work.next += 1
            self._next(work)

        stage.clock.after(took_s, finish)

    def _hint(self, work: Work) -> None:
        """While the executive writes, say what the graph does next."""
        following = work.next + 1
        if following < len(work.steps) and work.steps[following].do != "executive":
            choice = self._choices(work.steps[following])[0]
            self._send(events.Hinted(now=self._now, choice=choice, until=self._now + HINT_S))

    # Effects.

    def _send(self, event: events.Event) -> None:
        self._inbox.append(event)
        if len(self._inbox) > 1:
            return
        while self._inbox:
            for effect in self._recorder(self._inbox[0]):
                if (carry_out := self._doing.get(type(effect))) is not None:
                    carry_out(effect)
            self._inbox.popleft()
        state = self._recorder.state
        if (state.freed or state.residue_bytes) and not self._soon:
            self._soon = True
            self._measure_after(SOON_S)

    def _load_sense(self, effect: effects.LoadSense) -> None:
        stage = self._stage
        took = stage.take(effect.variant, effect.weights_bytes)
        stage.load_counted(effect.weights_bytes)

        def finish() -> None:
            if took:
                self._send(events.LoadFinished(now=self._now, load=effect.load))
            else:
                self._send(events.LoadFailed(now=self._now, load=effect.load))

        stage.clock.after(costs.MODELS[effect.variant].load_s(self._memory), finish)

    def _unload_sense(self, effect: effects.UnloadSense) -> None:
        def finish() -> None:
            self._stage.give_later(effect.variant)
            self._send(events.UnloadFinished(now=self._now, load=effect.load))

        self._stage.clock.after(costs.UNLOAD_S, finish)

    def _load_executive(self, effect: effects.LoadExecutive) -> None:
        stage = self._stage
        took = stage.take("executive", effect.bytes)
        stage.executive_counted(effect.bytes)

        def finish() -> None:
            self._load, self._profile = effect.load, effect.profile
            if took:
                self._send(events.LoadFinished(now=self._now, load=effect.load))
            else:
                self._send(events.LoadFailed(now=self._now, load=effect.load))

        stage.clock.after(costs.EXECUTIVE_S, finish)

    def _unload_executive(self, effect: effects.UnloadExecutive) -> None:
        def finish() -> None:
            self._stage.give_later("executive")
            self._send(events.UnloadFinished(now=self._now, load=effect.load))

        self._stage.clock.after(costs.UNLOAD_S, finish)

    def _sleep(self, effect: effects.Wake) -> None:
        self._wake += 1
        number = self._wake

        def tick() -> None:
            if number == self._wake:
                self._send(events.Ticked(now=self._now))

        self._stage.clock.at(effect.at, tick)

    # Measurements.

    def _measure(self) -> None:
        self._soon = False
        stage = self._stage
        own = stage.own_bytes
        self._send(
            events.Measured(
                now=self._now,
                taken_at=self._now,
                used_bytes=min(stage.card.capacity_bytes, own + stage.foreign_bytes),
                own_bytes=own,
            )
        )
        if not self._soon:
            self._measure_after(MEASURED_EVERY_S)

    def _measure_after(self, delay_s: float) -> None:
        self._planned += 1
        number = self._planned

        def measure() -> None:
            if number == self._planned:
                self._measure()

        self._stage.clock.after(delay_s, measure)
