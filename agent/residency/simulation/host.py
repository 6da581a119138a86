"""What carries out the effects: a worker of senses and an Ollama, both with faults and lags."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from agent.residency.arbiter import effects, events
from agent.residency.arbiter.limits import Limits
from agent.residency.simulation.card import OutOfMemory, Owner, SimulatedCard
from agent.residency.simulation.clock import VirtualClock

CONTEXT = "context"
EXECUTIVE = "executive"
LAG_S = 5.0
"""Longest time until bytes that were let go are free."""


@dataclass(kw_only=True, slots=True)
class Running:
    """An operation in the worker, on the CPU or in the executive."""

    granted: effects.Granted
    hangs: bool
    ended: bool = False


class SimulatedHost:
    """Holds the card, and posts what becomes of each effect."""

    def __init__(
        self,
        limits: Limits,
        clock: VirtualClock,
        rng: random.Random,
        post: Callable[[events.Event], None],
        *,
        trouble: float,
    ) -> None:
        self.limits = limits
        self.card = SimulatedCard(limits.capacity_bytes)
        self.failures: list[OutOfMemory] = []
        self.seen_foreign = 0
        self.worker_up = True
        self.loaded: dict[str, events.Found] = {}
        self.profile: str | None = None
        self.running: dict[int, Running] = {}
        self.evicted_in_use = 0
        self._clock = clock
        self._rng = rng
        self._post = post
        self._trouble = trouble
        self._life = 0
        self._pieces = 0
        self._coming: dict[str, int] = {}
        self._leaving: set[str] = set()
        self._executive_load = 0
        self._ollama_life = 0
        self.card.take(CONTEXT, Owner.WORKER, limits.context_bytes)

    # The card.

    def _take(self, name: str, owner: Owner, size: int) -> bool:
        free = self.card.free_bytes
        if self.card.take(name, owner, size):
            return True
        unseen = self.card.foreign_bytes - self.seen_foreign
        self.failures.append(
            OutOfMemory(
                at_s=self._clock.now,
                name=name,
                missing_bytes=size - free,
                excused=unseen > self.limits.safety_bytes,
            )
        )
        return False

    def _give(self, name: str, *, lag_s: float = LAG_S) -> None:
        """Free a piece after a lag; in trouble some of it stays until the process ends."""
        left = 0
        if self._rng.random() < self._trouble:
            left = int(self.card.size(name) * self._rng.uniform(0.01, 0.5))
        gone = f"leaving {self._number()}"
        self.card.rename(name, gone)
        delay = self._rng.uniform(0, lag_s) if self._rng.random() < 0.5 else 0.02
        self._clock.after(delay, lambda: self.card.give(gone, left_bytes=left))

    def _number(self) -> int:
        self._pieces += 1
        return self._pieces

    def leak(self) -> None:
        """Let the worker hold a little more than anybody knows of, until it ends."""
        size = int(self.limits.safety_bytes * self._rng.uniform(0, 0.125))
        if self.worker_up:
            self.card.take(f"leak {self._number()}", Owner.WORKER, size)

    def foreign(self, size: int) -> None:
        """Let other programs hold so much, as far as there is room."""
        room = self.card.free_bytes + self.card.size("foreign")
        self.card.take("foreign", Owner.FOREIGN, min(size, room))

    # Effects.

    def load_sense(self, effect: effects.LoadSense) -> None:
        """Copy a variant in, or fail, or hang."""
        variant, load, life = effect.variant, effect.load, self._life
        self._coming[variant] = load
        kind = self._kind()
        if not self._take(f"weights {variant}", Owner.WORKER, effect.weights_bytes):
            kind = "fails"

        def finish() -> None:
            if self._life != life or self._coming.get(variant) != load:
                return
            del self._coming[variant]
            if kind == "fails":
                self._give(f"weights {variant}")
                self._post(events.LoadFailed(now=self._clock.now, load=load, reason="no"))
                return
            self.loaded[variant] = events.Found(
                variant=variant, weights_bytes=effect.weights_bytes, reload_s=1.0
            )
            self._post(events.LoadFinished(now=self._clock.now, load=load))

        if kind != "hangs":
            self._clock.after(self._rng.uniform(0.05, 3.0), finish)

    def _kind(self) -> str:
        if self._rng.random() >= self._trouble:
            return "goes well"
        return self._rng.choice(("fails", "hangs"))

    def unload_sense(self, effect: effects.UnloadSense) -> None:
        """Let a variant go, or hang; in trouble the worker does not answer the first time."""
        variant, load, life = effect.variant, effect.load, self._life
        if any(
            one.granted.variant == variant and not one.ended and one.granted.place == "cuda"
            for one in self.running.values()
        ):
            self.evicted_in_use += 1
        if self._rng.random() < self._trouble:
            if self._rng.random() < 0.5:
                self._post(events.UnloadFailed(now=self._clock.now, load=load, reason="busy"))
            return
        self._coming.pop(variant, None)
        self._leaving.add(variant)

        def finish() -> None:
            if self._life != life or variant not in self._leaving:
                return
            self._sense_gone(variant)
            self._post(events.UnloadFinished(now=self._clock.now, load=load))

        self._clock.after(self._rng.uniform(0.01, 0.4), finish)

    def _sense_gone(self, variant: str) -> None:
        self._leaving.discard(variant)
        self.loaded.pop(variant, None)
        if self.card.size(f"weights {variant}"):
            self._give(f"weights {variant}")

    def load_executive(self, effect: effects.LoadExecutive) -> None:
        """Load it, or fail, or hang."""
        load, life = effect.load, self._ollama_life
        self._executive_load = load
        kind = self._kind()
        if not self._take(EXECUTIVE, Owner.EXECUTIVE, effect.bytes):
            kind = "fails"

        def finish() -> None:
            if self._ollama_life != life or self._executive_load != load:
                return
            if kind == "fails":
                self._give(EXECUTIVE)
                self._post(events.LoadFailed(now=self._clock.now, load=load, reason="no"))
                return
            self.profile = effect.profile
            self._post(events.LoadFinished(now=self._clock.now, load=load))

        if kind != "hangs":
            self._clock.after(self._rng.uniform(1.0, 5.0), finish)

    def unload_executive(self, effect: effects.UnloadExecutive) -> None:
        """Let it go; in trouble Ollama does not answer the first time."""
        load, life = effect.load, self._ollama_life
        if self._rng.random() < self._trouble:
            return
        self._executive_load = 0
        self._leaving.add(EXECUTIVE)

        def finish() -> None:
            if self._ollama_life != life or EXECUTIVE not in self._leaving:
                return
            self._executive_gone()
            self._post(events.UnloadFinished(now=self._clock.now, load=load))

        self._clock.after(self._rng.uniform(0.05, 1.0), finish)

    def _executive_gone(self) -> None:
        self._leaving.discard(EXECUTIVE)
        self.profile = None
        if self.card.size(EXECUTIVE):
            self._give(EXECUTIVE)

    def restart_ollama(self) -> None:
        """Lose the executive; the arbiter hears of it a little later."""
        there = bool(self.card.size(EXECUTIVE))
        self._ollama_life += 1
        self._leaving.discard(EXECUTIVE)
        self._executive_load = 0
        self.profile = None
        if not there:
            return
        self._give(EXECUTIVE)
        for one in self.running.values():
            one.ended = one.ended or one.granted.variant == events.EXECUTIVE
        lost = events.ExecutiveLost(now=self._clock.now, reason="Ollama was restarted")
        self._clock.after(self._rng.uniform(0, 1), lambda: self._post(lost))

    def lose_sense(self) -> None:
        """Lose a variant whose server is its own; the arbiter hears of it a little later."""
        there = sorted(self.loaded.keys() - self._leaving)
        if not there:
            return
        variant = self._rng.choice(there)
        self._sense_gone(variant)

        def tell() -> None:
            if variant in self.loaded or variant in self._coming:
                return  # it was let go and brought again meanwhile
            for one in self.running.values():
                if one.granted.variant == variant:
                    self.end(one)
            self._post(events.SenseLost(now=self._clock.now, variant=variant, reason="restarted"))

        self._clock.after(self._rng.uniform(0, 1), tell)

    def kill_worker(self) -> None:
        """End the worker's process; all that it held is free after a lag."""
        self._life += 1
        self.worker_up = False
        self.loaded.clear()
        self._coming.clear()
        self._leaving &= {EXECUTIVE}
        for one in self.running.values():
            if one.granted.place == "cuda" and one.granted.variant != events.EXECUTIVE:
                one.ended = True
        lag_s = self._rng.uniform(0.02, LAG_S)
        for name in self.card.names(Owner.WORKER):
            if not name.startswith("leaving"):
                gone = f"leaving {self._number()}"
                self.card.rename(name, gone)
                self._clock.after(lag_s, lambda gone=gone: self.card.give(gone))  # type: ignore[misc]

    def start_worker(self) -> None:
        """Start the worker's process: it takes its context, and is ready a little later."""
        life = self._life
        if self._rng.random() < self._trouble:
            if self._rng.random() < 0.5:
                self._post(events.WorkerDied(now=self._clock.now))
            return
        if not self._take(CONTEXT, Owner.WORKER, self.limits.context_bytes):
            self._post(events.WorkerDied(now=self._clock.now))
            return

        def come_up() -> None:
            if life == self._life:
                self.worker_up = True
                self._post(events.WorkerReady(now=self._clock.now))

        self._clock.after(self._rng.uniform(0.5, 6.0), come_up)

    def crash_worker(self) -> None:
        """End the worker without anybody having asked for it."""
        self.kill_worker()
        self._post(events.WorkerDied(now=self._clock.now))

    # Operations.

    def run(self, granted: effects.Granted, *, hangs: bool) -> Running:
        """Begin an operation: its working memory is taken."""
        one = Running(granted=granted, hangs=hangs)
        self.running[granted.token] = one
        if granted.place == "cuda" and granted.variant != events.EXECUTIVE:
            if not self.worker_up:
                one.ended = True  # the arbiter does not know yet that the worker is gone
                return one
            self._take(f"working {granted.token}", Owner.WORKER, granted.working_bytes)
        return one

    def end(self, one: Running) -> None:
        """End an operation: its working memory is free after a lag."""
        if one.ended:
            return
        one.ended = True
        name = f"working {one.granted.token}"
        if self.card.size(name):
            self._give(name, lag_s=1.0)

    def stop(self, token: int) -> None:
        """Stop an operation whose lease was revoked, unless it hangs, and say so."""
        one = self.running.get(token)
        if one is None or one.hangs or one.ended:
            return

        def finish() -> None:
            self.end(one)
            self._post(events.Released(now=self._clock.now, token=token))

        self._clock.after(self._rng.uniform(0.01, 1.5), finish)

    # What is there.

    def reading(self, *, knows_processes: bool) -> tuple[int, int]:
        """Return bytes used, and by us: as the driver tells, or as our processes believe."""
        own = self.card.own_bytes
        if not knows_processes:
            names = self.card.names(Owner.WORKER) + self.card.names(Owner.EXECUTIVE)
            unknown = (name for name in names if name.startswith(("leaving", "left", "leak")))
            own -= sum(self.card.size(name) for name in unknown)
        return self.card.used_bytes, own

    def survey(
        self, now: float, epoch: int, paused: events.WhilePaused | None = None
    ) -> events.Started:
        """Return what an arbiter that starts finds.

        What is being loaded is called off, what is being unloaded is waited for.
        """
        for name in list(self._leaving):
            if name == EXECUTIVE:
                self._executive_gone()
            else:
                self._sense_gone(name)
        if not self.worker_up:
            self.kill_worker()
        for variant in list(self._coming):
            del self._coming[variant]
            self._give(f"weights {variant}")
        if self.profile is None and self._executive_load:
            self._executive_load = 0
            self._give(EXECUTIVE)
        return events.Started(
            now=now,
            epoch=epoch,
            found=tuple(self.loaded.values()),
            running=tuple(
                events.Running(
                    token=token,
                    holder=one.granted.holder,
                    variant=one.granted.variant,
                    place=one.granted.place,
                    working_bytes=one.granted.working_bytes,
                )
                for token, one in self.running.items()
                if not one.ended
            ),
            profile=self.profile,
            worker_up=self.worker_up,
            paused=paused,
        )
