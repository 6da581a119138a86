"""What fits on a card beside an executive, and what to do where it does not. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from agent.residency.budget import Budget
from agent.residency.envelopes import (
    USUAL,
    VARIANTS,
    Variant,
    need_bytes,
    smaller,
)
from agent.residency.vram import (
    MICRO_BATCH,
    PROCESS_BYTES,
    KvType,
    Load,
    Need,
    Shape,
    largest_context,
    need,
)
from tools.senses.base import Operation, Task

LEAST_TOKENS = 4_096
"""A context below this is of no use to an assistant."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What is to share the card."""

    shape: Shape
    load: Load
    senses: tuple[Variant, ...]
    """Those that are to be brought in, one at a time."""
    operations: dict[Task, Operation]
    """What each task is asked to do, by task."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Beside:
    """A sense beside the executive, for one operation."""

    variant: Variant
    operation: Operation
    bytes: int
    """Weights and working room, without a context."""
    process_bytes: int
    """Of the context that has to be there for it."""
    spare_bytes: int
    """What would be left; below 0 it does not fit."""

    @property
    def fits(self) -> bool:
        """Whether it does."""
        return self.spare_bytes >= 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One thing to give up, and what it leads to."""

    action: str
    spare_bytes: int
    """What is then left on the card; below 0 more has to be given up."""

    @property
    def fits(self) -> bool:
        """Whether that is enough."""
        return self.spare_bytes >= 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """All that a plan says."""

    budget: Budget
    need: Need
    headroom_bytes: int
    """What the executive leaves; below 0 it does not fit itself."""
    beside: tuple[Beside, ...]
    """Every variant there is."""
    heaviest: Beside | None
    """Of the chosen senses."""
    pairs: tuple[tuple[str, str, int], ...]
    """Variants of two tasks at once, and what would be left."""
    context_alone: int | None
    context_beside: int | None
    """With the heaviest chosen sense on the card; None: not even the least."""
    ladder: tuple[Step, ...]
    """Empty where all that was asked for fits."""


def plan(budget: Budget, wanted: Wanted) -> Plan:
    """Return the plan."""
    capacity = budget.capacity_bytes
    needed = need(wanted.shape, wanted.load)
    headroom = capacity - needed.total
    beside = tuple(_beside(one, wanted, headroom) for one in VARIANTS)
    chosen = [one for one in beside if one.variant in wanted.senses]
    heaviest = min(chosen, key=lambda one: one.spare_bytes, default=None)
    taken = 0 if heaviest is None else heaviest.bytes + heaviest.process_bytes
    return Plan(
        budget=budget,
        need=needed,
        headroom_bytes=headroom,
        beside=beside,
        heaviest=heaviest,
        pairs=tuple(_pairs(beside, headroom)),
        context_alone=largest_context(wanted.shape, capacity, wanted.load),
        context_beside=largest_context(wanted.shape, capacity - taken, wanted.load),
        ladder=tuple(_ladder(capacity, wanted, heaviest)),
    )


def _beside(variant: Variant, wanted: Wanted, headroom: int) -> Beside:
    operation = wanted.operations.get(variant.task, USUAL[variant.task])
    size = need_bytes(variant, operation)
    return Beside(
        variant=variant,
        operation=operation,
        bytes=size,
        process_bytes=PROCESS_BYTES,
        spare_bytes=headroom - size - PROCESS_BYTES,
    )


def _pairs(beside: Sequence[Beside], headroom: int) -> Iterator[tuple[str, str, int]]:
    """Yield pairs of different tasks; those in the worker share its context."""
    for one, other in combinations(beside, 2):
        if one.variant.task == other.variant.task:
            continue
        shared = not one.variant.own_process and not other.variant.own_process
        contexts = one.process_bytes + (0 if shared else other.process_bytes)
        spare = headroom - one.bytes - other.bytes - contexts
        yield one.variant.name, other.variant.name, spare


def _ladder(capacity: int, wanted: Wanted, heaviest: Beside | None) -> Iterator[Step]:
    """Yield what to give up, each on top of the last, in the order in which it hurts least."""
    taken = 0 if heaviest is None else heaviest.bytes + heaviest.process_bytes
    spare = capacity - need(wanted.shape, wanted.load).total - taken
    for action, load, beside in _rungs(capacity, wanted, heaviest):
        if spare >= 0:
            return
        spare = capacity - need(wanted.shape, load).total - beside
        yield Step(action=action, spare_bytes=spare)


def _rungs(
    capacity: int, wanted: Wanted, heaviest: Beside | None
) -> Iterator[tuple[str, Load, int]]:
    """Yield an action, the executive's load after it, and what the sense then takes."""
    load = wanted.load
    taken = 0 if heaviest is None else heaviest.bytes + heaviest.process_bytes
    if load.micro_batch > MICRO_BATCH:
        load = replace(load, micro_batch=MICRO_BATCH)
        yield f"{MICRO_BATCH} tokens evaluated at once", load, taken
    yield from _lesser(capacity, wanted.shape, load, heaviest)
    if not load.kv_type.quantised and load.flash_attention:
        load = replace(load, kv_type=KvType.Q8_0)
        yield "a cache of q8_0", load, taken
        yield from _lesser(capacity, wanted.shape, load, heaviest)
    yield from _shorter(capacity, wanted.shape, load, taken)
    if heaviest is not None:
        load = replace(load, context_tokens=wanted.load.context_tokens)
        yield f"{heaviest.variant.task} on the CPU, and all of the context", load, 0
        yield from _shorter(capacity, wanted.shape, load, 0)


def _lesser(
    capacity: int, shape: Shape, load: Load, heaviest: Beside | None
) -> Iterator[tuple[str, Load, int]]:
    """Yield the largest variant for the same task that fits."""
    spare = capacity - need(shape, load).total
    lesser = None if heaviest is None else smaller(heaviest.variant, heaviest.operation)
    while lesser is not None and heaviest is not None:
        taken = need_bytes(lesser, heaviest.operation) + heaviest.process_bytes
        if taken <= spare:
            yield f"{lesser.name} in its place", load, taken
            return
        lesser = smaller(lesser, heaviest.operation)


def _shorter(
    capacity: int, shape: Shape, load: Load, taken: int
) -> Iterator[tuple[str, Load, int]]:
    longest = largest_context(shape, capacity - taken, load)
    if longest is not None and LEAST_TOKENS <= longest < load.context_tokens:
        yield f"{longest:,} tokens of context", replace(load, context_tokens=longest), taken
