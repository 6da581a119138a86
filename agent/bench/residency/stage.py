"""The card of a day, its jobs one step after the other, and what is counted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol, TypedDict

from agent.bench.residency import costs
from agent.bench.residency.costs import Card
from agent.bench.residency.day import Day, Job, Step
from agent.residency.simulation.clock import VirtualClock

END_S = 7 * 86_400.0
"""A day that has not ended after a week never does."""


class Shape(TypedDict):
    """Arguments of `costs.on_card_s`."""

    do: str
    audio_s: float
    megapixels: float
    masks: bool
    characters: int


@dataclass(kw_only=True, slots=True)
class Tally:
    """What a policy came to on a day."""

    waits_s: list[float] = field(default_factory=list)
    """Of people: from arrival to the end, less what their own steps take on the card."""
    senses_loaded: int = 0
    executive_loads: int = 0
    reloads_in_turn: int = 0
    """Loads of the executive while a person's turn was in progress."""
    moved_bytes: int = 0
    out_of_memory: int = 0
    """Allocations of ours that did not fit."""
    over_s: float = 0.0
    """How long the card was asked for more than it has, with other programs."""
    spilled_calls: int = 0
    compact_calls: int = 0
    on_cpu: int = 0
    refused: int = 0
    ended_s: float = 0.0
    unfinished: int = 0


@dataclass(kw_only=True, slots=True)
class Work:
    """A job in progress."""

    job: Job
    steps: list[Step]
    number: int
    next: int = 0
    prompt_tokens: int = 0
    """Of its calls so far: a fresh executive has to read them again."""
    executive: int = 0
    """Which load of the executive has read them."""
    begun: bool = False


class Policy(Protocol):
    """Who gets the card when."""

    def begin(self, work: Work) -> None:
        """Take a job on."""
        ...

    def start(self) -> None:
        """Load what is to be there from the beginning."""
        ...

    def foreign_changed(self) -> None:
        """Other programs have taken or given something."""
        ...


class Stage:
    """Plays one day on one card under one policy."""

    def __init__(self, day: Day, card: Card) -> None:
        self.day = day
        self.card = card
        self.clock = VirtualClock()
        self.tally = Tally()
        self.foreign_bytes = costs.DESKTOP_BYTES
        self.turns = 0
        """Turns of people in progress."""
        self._held: dict[str, int] = {}
        self._open = len(day.jobs)
        self._over_since: float | None = None

    def play(self, policy: Policy) -> Tally:
        """Play the day to its end."""
        policy.start()
        for other in self.day.foreign:
            self.clock.at(other.at_s, self._foreign(policy, other.bytes))
            self.clock.at(other.until_s, self._foreign(policy, -other.bytes))
        for number, job in enumerate(self.day.jobs):
            self.clock.at(job.at_s, self._arrival(policy, number, job))
        self.clock.run(END_S, lambda: self._open == 0)
        self._watch()
        self.tally.unfinished = self._open
        return self.tally

    def _foreign(self, policy: Policy, size: int) -> Callable[[], None]:
        def change() -> None:
            self.foreign_bytes += size
            self._watch()
            policy.foreign_changed()

        return change

    def _arrival(self, policy: Policy, number: int, job: Job) -> Callable[[], None]:
        def arrive() -> None:
            self.turns += job.person_waits
            policy.begin(Work(job=job, steps=list(job.steps), number=number))

        return arrive

    def ended(self, work: Work) -> None:
        """Count a job that has come to its end."""
        self._open -= 1
        self.tally.ended_s = self.clock.now
        if work.job.person_waits:
            self.turns -= 1
            own_s = sum(ideal_s(self.card, step) for step in work.job.steps)
            self.tally.waits_s.append(max(0.0, self.clock.now - work.job.at_s - own_s))

    # The card.

    @property
    def own_bytes(self) -> int:
        """What is held by the policy."""
        return sum(self._held.values())

    @property
    def free_bytes(self) -> int:
        """What nobody holds; below zero while the card is over-committed."""
        return self.card.capacity_bytes - self.foreign_bytes - self.own_bytes

    @property
    def lagging(self) -> bool:
        """Whether bytes were let go that the driver does not show as free yet."""
        return any(" gone " in name for name in self._held)

    def size(self, name: str) -> int:
        """Return what is held under a name."""
        return self._held.get(name, 0)

    def take(self, name: str, size: int) -> bool:
        """Hold bytes; False, counted as out of memory, when they are not there."""
        if size > self.free_bytes:
            self.tally.out_of_memory += 1
            return False
        self._held[name] = size
        return True

    def give(self, name: str) -> None:
        """Let bytes go."""
        self._held.pop(name, None)
        self._watch()

    def give_later(self, name: str) -> None:
        """Let bytes go, which the driver shows as free after its lag."""
        if name in self._held:
            gone = f"{name} gone {self.clock.now}"
            self._held[gone] = self._held.pop(name)
            self.clock.after(costs.LAG_S, lambda: self.give(gone))

    def _watch(self) -> None:
        over = self.free_bytes < 0
        if over and self._over_since is None:
            self._over_since = self.clock.now
        elif not over and self._over_since is not None:
            self.tally.over_s += self.clock.now - self._over_since
            self._over_since = None

    def load_counted(self, size: int) -> None:
        """Count a sense that is copied to the card."""
        self.tally.senses_loaded += 1
        self.tally.moved_bytes += size

    def executive_counted(self, size: int) -> None:
        """Count a load of the executive."""
        self.tally.executive_loads += 1
        self.tally.reloads_in_turn += self.turns > 0 and self.tally.executive_loads > 1
        self.tally.moved_bytes += size

    def call_s(self, work: Work, step: Step, load: int, *, spilled: bool = False) -> float:
        """Return how long a call takes by an executive of this load."""
        again = work.prompt_tokens if work.executive not in (0, load) else 0
        work.executive = load
        work.prompt_tokens += step.prompt_tokens
        own_s = ideal_s(self.card, step) + again / costs.PROMPT_TOKENS_PER_S
        self.tally.spilled_calls += spilled
        return own_s * costs.SPILLED if spilled else own_s


def ideal_s(card: Card, step: Step) -> float:
    """Return what a step takes where it runs best."""
    if step.do == "executive":
        prompt_s = step.prompt_tokens / costs.PROMPT_TOKENS_PER_S
        return prompt_s + step.output_tokens / card.output_tokens_per_s
    return costs.on_card_s(**shape(step))


def cpu_s(step: Step) -> float:
    """Return what a sense's step takes on the CPU."""
    return costs.on_cpu_s(**shape(step))


def shape(step: Step) -> Shape:
    """Return what an operation's time depends on."""
    return {
        "do": step.do,
        "audio_s": step.audio_s,
        "megapixels": step.megapixels,
        "masks": step.masks,
        "characters": step.characters,
    }


def models_of(card: Card, do: str) -> tuple[str, ...]:
    """Return the models of a sense on a card, the best first."""
    return {"hearing": (card.hearing,), "sight": card.sight, "speech": ("kokoro",)}[do]


def working_bytes(model: str, step: Step) -> int:
    """Return what a step takes on top of its model's weights."""
    return costs.working_bytes(model, audio_s=step.audio_s, megapixels=step.megapixels)


def windows(step: Step) -> Iterator[Step]:
    """Return a long recording as pieces that bound the time of a lease."""
    left = step.audio_s
    while step.do == "hearing" and left > costs.WINDOW_S:
        yield replace(step, audio_s=costs.WINDOW_S)
        left -= costs.WINDOW_S
    yield replace(step, audio_s=left) if step.do == "hearing" else step
