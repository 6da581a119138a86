"""Which senses stay on the card and which go.

What is kept is worth its chance of being used soon times what it costs to bring back; of all sets
of idle variants that free enough, the one worth least goes, and of equal ones the smallest. The
chance is reckoned from past uses, from who waits and from hints: nobody looks into the future.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import combinations

from agent.residency.arbiter.draft import Draft
from agent.residency.arbiter.effects import Kept, LoadSense, UnloadSense
from agent.residency.arbiter.events import Choice
from agent.residency.arbiter.state import Ask, Habit, Place, Residence

HORIZON_S = 300.0
"""A use within this time is what keeping is for."""
FIRST_GAP_S = 600.0
"""Time between uses that is assumed until there were two."""
MOST_HABITS = 64
"""Variants whose uses are remembered: programs name them, and no card holds as many."""
MOST_HINTS = 16
_ALL_SETS = 6
"""Up to so many idle variants every set is weighed."""


def load(draft: Draft, choice: Choice) -> None:
    """Begin to load a variant; its bytes count from now."""
    number = draft.number()
    draft.residences[choice.variant] = Residence(
        load=number,
        variant=choice.variant,
        weights_bytes=choice.weights_bytes,
        reload_s=choice.reload_s,
        place=Place.LOADING,
        since=draft.now,
    )
    draft.effects.append(
        LoadSense(load=number, variant=choice.variant, weights_bytes=choice.weights_bytes)
    )


def keep_for(draft: Draft, residence: Residence, ask: Ask, choice: Choice) -> None:
    """Count an ask's bytes while its weights are on their way, and keep those for it."""
    draft.residences[choice.variant] = replace(residence, ask=ask.ask)
    draft.asks[ask.ask] = replace(draft.asks[ask.ask], placed=choice)
    draft.effects.append(Kept(ask=ask.ask, load=residence.load, working_bytes=choice.working_bytes))


def evict(draft: Draft, residence: Residence, reason: str) -> None:
    """Tell a variant to go. It counts until it has, and its bytes until they are measured."""
    draft.unplace(residence.ask)
    draft.residences[residence.variant] = replace(
        residence,
        place=Place.LEAVING,
        since=draft.now,
        ask=None,
        attempts=residence.attempts + 1,
    )
    draft.effects.append(UnloadSense(load=residence.load, variant=residence.variant, reason=reason))


def idle(draft: Draft, *, sparing: Collection[str] = ()) -> list[Residence]:
    """Return what may go: resident or prefetched, in nobody's use and kept for nobody."""
    used = {lease.variant for lease in draft.leases.values()}
    return [
        one
        for one in draft.residences.values()
        if one.place is not Place.LEAVING
        and one.ask is None
        and one.variant not in used
        and one.variant not in sparing
    ]


def choose(draft: Draft, candidates: Sequence[Residence], wanted: int) -> list[Residence]:
    """Return the set worth least that frees so many bytes; empty if none does."""
    if sum(one.weights_bytes for one in candidates) < wanted:
        return []
    worth = {one.variant: value(draft, one) for one in candidates}
    if len(candidates) > _ALL_SETS:
        return _greedy(candidates, worth, wanted)
    best: tuple[float, int, tuple[Residence, ...]] | None = None
    for count in range(1, len(candidates) + 1):
        for chosen in combinations(candidates, count):
            size = sum(one.weights_bytes for one in chosen)
            if size < wanted:
                continue
            loss = sum(worth[one.variant] for one in chosen)
            if best is None or (loss, size) < best[:2]:
                best = (loss, size, chosen)
    return list(best[2]) if best else []


def _greedy(
    candidates: Sequence[Residence], worth: dict[str, float], wanted: int
) -> list[Residence]:
    """Take the least worth for each byte first, then spare what turned out not to be needed."""
    ordered = sorted(candidates, key=lambda one: worth[one.variant] / max(1, one.weights_bytes))
    taken: list[Residence] = []
    freed = 0
    for one in ordered:
        if freed >= wanted:
            break
        taken.append(one)
        freed += one.weights_bytes
    for one in sorted(taken, key=lambda one: -worth[one.variant]):
        if freed - one.weights_bytes >= wanted:
            taken.remove(one)
            freed -= one.weights_bytes
    return taken


def value(draft: Draft, residence: Residence) -> float:
    """Return the seconds that keeping a variant is expected to save."""
    if residence.place is Place.LOADING:
        return 0.0
    return chance(draft, residence.variant) * max(residence.reload_s, 1e-3)


def chance(draft: Draft, variant: str) -> float:
    """Return how probable a use of the variant within the horizon is."""
    if variant in draft.hints:
        return 1.0
    if any(ask.choices[0].variant == variant for ask in draft.asks.values()):
        return 1.0
    habit = draft.habits.get(variant)
    if habit is None:
        return -math.expm1(-HORIZON_S / (FIRST_GAP_S * 4))
    gap = max(habit.gap_s, draft.now - habit.last, 1.0)
    return -math.expm1(-HORIZON_S / gap)


def used(draft: Draft, variant: str) -> None:
    """Note a use of a variant on the card."""
    habit = draft.habits.pop(variant, None)
    gap = FIRST_GAP_S if habit is None else draft.now - habit.last
    mean = gap if habit is None else 0.7 * habit.gap_s + 0.3 * gap
    draft.habits[variant] = Habit(last=draft.now, gap_s=mean)
    if len(draft.habits) > MOST_HABITS:
        del draft.habits[next(iter(draft.habits))]


def expect(draft: Draft, choice: Choice, until: float) -> None:
    """Note that a choice is expected; of too many the one that is soonest over is forgotten."""
    draft.hints[choice.variant] = (choice, until)
    if len(draft.hints) > MOST_HINTS:
        del draft.hints[min(draft.hints, key=lambda name: draft.hints[name][1])]


def shed(draft: Draft) -> None:
    """Let idle variants go while the card is over its budget; what is in use stays."""
    short = -draft.room() - draft.coming()
    if short <= 0 or draft.reading is None:
        return
    candidates = idle(draft)
    chosen = choose(draft, candidates, short) or candidates
    for one in chosen:
        evict(draft, one, "other programs need the card")
        short -= one.weights_bytes
    for ask in [one for one in draft.asks.values() if one.placed is not None]:
        if short <= 0:
            break
        kept = next((one for one in draft.residences.values() if one.ask == ask.ask), None)
        placed = ask.placed
        short -= placed.working_bytes if placed else 0
        if kept is not None:
            evict(draft, kept, "other programs need the card")
            short -= kept.weights_bytes


def clear(draft: Draft, reason: str) -> None:
    """Let everything idle go, and what is being loaded."""
    used = {lease.variant for lease in draft.leases.values()}
    for one in list(draft.residences.values()):
        if one.place is not Place.LEAVING and one.variant not in used:
            evict(draft, one, reason)


def prefetch(draft: Draft) -> None:
    """Load what is hinted at into room that nobody needs, in place of what is worth less."""
    for choice, _ in list(draft.hints.values()):
        if choice.variant in draft.residences or choice.variant in draft.failures:
            continue
        short = choice.weights_bytes + choice.working_bytes - draft.room()
        if short <= 0:
            load(draft, choice)
            continue
        short -= draft.coming()
        if short <= 0:
            continue
        spare = set(draft.hints) | {ask.choices[0].variant for ask in draft.asks.values()}
        chosen = choose(draft, idle(draft, sparing=spare), short)
        if chosen and sum(value(draft, one) for one in chosen) < choice.reload_s:
            for one in chosen:
                evict(draft, one, f"{choice.variant} will probably be needed next")
