"""A random schedule: the card, the work on it, and all that goes wrong, from a seed."""

import random
from dataclasses import dataclass

from agent.residency.arbiter.events import EXECUTIVE, Choice, Priority, WhilePaused
from agent.residency.arbiter.limits import MIB, Limits, Profile


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One operation of a job, and how its holder behaves."""

    choices: tuple[Choice, ...]
    run_s: float
    deadline_s: float | None
    limit_s: float | None
    fault: str | None = None
    """dies, silent, hangs, cancels, repeats: what its holder does instead of behaving."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """Work that comes at a time: its steps follow each other."""

    at_s: float
    priority: Priority
    turn: bool
    """Whether it is a turn of the executive as a whole."""
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A schedule."""

    seed: int
    limits: Limits
    jobs: tuple[Job, ...]
    faults: tuple[tuple[float, str], ...]
    """When, and what: worker, arbiter, ollama, drift, leak, blind, mute, pause wait, resume."""
    foreign: tuple[tuple[float, int], ...]
    """When, and how many bytes other programs hold from then on; the first is there at once."""
    gentle: bool
    """Whether other programs grow slowly enough for the safety."""
    knows_processes: bool
    """Whether the driver tells what each process holds."""
    trouble: float
    """How often a load or unload fails, hangs, or gives back too little."""
    horizon_s: float


CARDS_GIB = (10, 12, 16, 24)
MEASURED_EVERY_S = 4.0
_WORK_FAULTS = ("dies", "silent", "hangs", "cancels", "repeats", "late")


def plan(seed: int) -> Plan:
    """Return the schedule of a seed."""
    rng = random.Random(seed)  # noqa: S311 - a schedule is no secret
    capacity = rng.choice(CARDS_GIB) * 1024 * MIB - rng.randrange(600) * MIB
    full = int(capacity * rng.uniform(0.4, 0.85))
    limits = Limits(
        rest_s=20.0 if seed % 4 == 3 else None,
        capacity_bytes=capacity,
        profiles=(
            Profile(name="full", bytes=full),
            Profile(name="compact", bytes=int(full * rng.uniform(0.6, 0.9))),
        ),
        safety_bytes=rng.choice((128, 256, 512)) * MIB,
        context_bytes=rng.randrange(200, 500) * MIB,
        overtakes=rng.choice((1, 2, 4)),
        wait_s=90.0,
        lease_s=25.0,
        turn_s=80.0,
        heartbeat_s=9.0,
        revoke_s=4.0,
        load_s=12.0,
        unload_s=7.0,
        recycle_s=20.0,
        settle_s=15.0,
        recovery_s=8.0,
        patience_s=15.0,
    )
    senses = _senses(rng, capacity - full - limits.safety_bytes - limits.context_bytes)
    horizon = rng.uniform(20.0, 90.0)
    wild = rng.random() < 0.6
    jobs = tuple(_job(rng, senses, horizon, wild=wild) for _ in range(rng.randrange(3, 14)))
    gentle = rng.random() < 0.7
    return Plan(
        seed=seed,
        limits=limits,
        jobs=jobs,
        faults=_faults(rng, horizon) if wild else (),
        foreign=_foreign(rng, limits, horizon, gentle=gentle),
        gentle=gentle,
        knows_processes=rng.random() < 0.8,
        trouble=rng.choice((0.0, 0.05, 0.2)) if wild else 0.0,
        horizon_s=horizon,
    )


def _senses(rng: random.Random, room: int) -> list[tuple[Choice, ...]]:
    """Return ladders whose choices fit beside the executive alone, mostly, but not all at once."""
    found = []
    for name in rng.sample(("hearing", "sight", "speech", "masks"), rng.randrange(2, 5)):
        share = rng.uniform(0.2, 1.2)
        ladder = []
        for rung in range(rng.randrange(1, 3)):
            size = max(MIB, int(room * share / (1 + rung)))
            weights = int(size * rng.uniform(0.5, 0.95))
            ladder.append(
                Choice(
                    variant=f"{name}/{rung}",
                    weights_bytes=weights,
                    working_bytes=size - weights,
                    reload_s=rng.uniform(0.1, 3.0),
                )
            )
        if rng.random() < 0.5:
            ladder.append(Choice(variant=f"{name}/cpu", place="cpu"))
        found.append(tuple(ladder))
    return found


def _job(
    rng: random.Random, senses: list[tuple[Choice, ...]], horizon: float, *, wild: bool
) -> Job:
    turn = rng.random() < 0.5
    steps = []
    for _ in range(rng.randrange(1, 5)):
        calls = turn and rng.random() < 0.5
        choices = (Choice(variant=EXECUTIVE),) if calls else rng.choice(senses)
        steps.append(
            Step(
                choices=choices,
                run_s=rng.expovariate(1 / 2.5) + 0.05,
                deadline_s=rng.uniform(0.5, 60.0) if rng.random() < 0.2 else None,
                limit_s=rng.uniform(1.0, 20.0) if rng.random() < 0.2 else None,
                fault=rng.choice(_WORK_FAULTS) if wild and rng.random() < 0.12 else None,
            )
        )
    at = rng.uniform(0, horizon) if rng.random() < 0.6 else rng.uniform(0, 4.0)
    return Job(
        at_s=at,
        priority=Priority.PERSON if rng.random() < 0.5 else Priority.JOB,
        turn=turn,
        steps=tuple(steps),
    )


def _faults(rng: random.Random, horizon: float) -> tuple[tuple[float, str], ...]:
    kinds = ("worker", "arbiter", "ollama", "drift", "sense", "leak", "blind", "mute")
    found = [(rng.uniform(0, horizon), rng.choice(kinds)) for _ in range(rng.randrange(4))]
    if rng.random() < 0.3:
        begin = rng.uniform(0, horizon)
        found.append((begin, f"pause {rng.choice(list(WhilePaused))}"))
        found.append((begin + rng.uniform(1, 30), "resume"))
    return tuple(sorted(found))


def _foreign(
    rng: random.Random, limits: Limits, horizon: float, *, gentle: bool
) -> tuple[tuple[float, int], ...]:
    """Return what other programs hold: steps within the safety, or anything at any time."""
    size = rng.randrange(0, 500) * MIB
    found = [(0.0, size)]
    at = 0.0
    while rng.random() < 0.8:
        at += 2 * MEASURED_EVERY_S + rng.uniform(1, 15) if gentle else rng.uniform(0.5, 20)
        if at > horizon:
            break
        if gentle:
            size += int(limits.safety_bytes * rng.uniform(-1.0, 0.4))
        else:
            size = int(limits.capacity_bytes * rng.uniform(0, 0.5))
        size = max(0, size)
        found.append((at, size))
    return tuple(found)
