"""The executive stays. It is changed only while no turn is in progress, and that is said."""

from dataclasses import replace

from agent.residency.arbiter import keeping
from agent.residency.arbiter.draft import Draft
from agent.residency.arbiter.effects import Admitted, LoadExecutive, UnloadExecutive
from agent.residency.arbiter.events import EXECUTIVE, Priority, WhilePaused
from agent.residency.arbiter.state import Executive, Place

_PRESSED = "other programs need the card"


def keep(draft: Draft) -> int:
    """Do what the executive needs. Return the bytes that it waits for: nobody may take them."""
    _consider_growth(draft)
    reason = _reason_to_leave(draft)
    if reason is not None and not draft.in_turn() and not draft.in_use(EXECUTIVE):
        unload(draft, reason)
    claim = _bring(draft) if draft.executive.place is None else 0
    _admit(draft, reason)
    return claim


def unload(draft: Draft, reason: str) -> None:
    """Tell the executive to go. Its bytes count until they are measured to be free."""
    executive = draft.executive
    draft.as_executive(place=Place.LEAVING, since=draft.now, attempts=executive.attempts + 1)
    draft.effects.append(UnloadExecutive(load=executive.load, reason=reason))


def ceiling(draft: Draft, *, foreign: bool = True) -> int:
    """Return what could be there beside the worker's context if all of ours made way."""
    limits = draft.limits
    others = draft.foreign() if foreign else 0
    return limits.capacity_bytes - limits.safety_bytes - limits.context_bytes - others


def claimed(draft: Draft, *, foreign: bool = True) -> int:
    """Return what the executive has of the card, or will take when it comes."""
    if draft.executive.place is not None:
        return draft.executive_bytes()
    if draft.paused is not None:
        return 0
    profile = _fitting(draft, draft.executive.wish, foreign=foreign)
    return 0 if profile is None else draft.limits.profiles[profile].bytes


def wish_compact(draft: Draft, needed: int) -> bool:
    """Ask for the largest profile that leaves so many bytes; False if none does."""
    spare = ceiling(draft) - needed
    for index, profile in enumerate(draft.limits.profiles):
        if index > draft.executive.profile and profile.bytes <= spare:
            if draft.executive.wish != index:
                draft.say(f"the executive becomes {profile.name} after the turn, to make room")
            draft.as_executive(wish=index, wished_at=draft.now)
            return True
    return False


def _fitting(draft: Draft, first: int, *, foreign: bool = True) -> int | None:
    most = ceiling(draft, foreign=foreign)
    profiles = draft.limits.profiles
    return next((i for i in range(first, len(profiles)) if profiles[i].bytes <= most), None)


def _reason_to_leave(draft: Draft) -> str | None:
    executive = draft.executive
    if executive.place is not Place.RESIDENT:
        return None
    if draft.paused is not None:
        return "paused by the owner"
    if draft.resting():
        return "nothing was asked of it for a while"
    if executive.drifted:
        return "it was not as it was loaded"
    if executive.wish != executive.profile:
        return f"it becomes {draft.limits.profiles[executive.wish].name}"
    if draft.reading is not None and _pressed(draft):
        return _PRESSED
    return None


def _pressed(draft: Draft) -> bool:
    """Tell whether other programs have taken so much that half of the safety is gone."""
    return not draft.residences and draft.room() + draft.coming() < -draft.limits.safety_bytes // 2


def _consider_growth(draft: Draft) -> None:
    """Wish for a larger profile once it would have fitted for a while with nobody waiting."""
    executive = draft.executive
    if executive.place is not Place.RESIDENT or executive.profile == 0 or executive.failures:
        return
    larger = _fitting(draft, 0)
    if larger is None or larger >= executive.profile or draft.asks or draft.leases:
        draft.as_executive(wished_at=draft.now)
    elif draft.now >= executive.wished_at + draft.limits.settle_s and draft.fresh():
        draft.as_executive(wish=larger, wished_at=draft.now)


def _bring(draft: Draft) -> int:
    executive = draft.executive
    kept_away = draft.paused is not None or draft.resting()
    if kept_away or not draft.fresh() or draft.now < executive.retry_at:
        return 0
    index = _fitting(draft, executive.wish)
    if index is None:
        return 0
    profile = draft.limits.profiles[index]
    short = profile.bytes - draft.room()
    if short <= 0:
        draft.executive = Executive(
            place=Place.LOADING,
            profile=index,
            load=draft.number(),
            since=draft.now,
            failures=executive.failures,
            retry_at=executive.retry_at,
            wish=index,
            wished_at=draft.now,
        )
        load = draft.executive.load
        draft.effects.append(LoadExecutive(load=load, profile=profile.name, bytes=profile.bytes))
        return 0
    short -= draft.coming()
    if short > 0:
        candidates = keeping.idle(draft)
        for one in keeping.choose(draft, candidates, short) or candidates:
            keeping.evict(draft, one, "the executive needs the room")
    return profile.bytes


def _admit(draft: Draft, leaving: str | None) -> None:
    """Let turns begin.

    While the executive is to be changed only a person's still may; while it has to make room for
    other programs, nobody's.
    """
    waiting = [turn for turn in draft.turns.values() if turn.ends_at is None]
    if not waiting:
        return
    executive = draft.executive
    if draft.paused is WhilePaused.CPU:
        place, profile = "cpu", None
    elif draft.paused is None and executive.place is Place.RESIDENT:
        place, profile = "cuda", draft.limits.profiles[executive.profile].name
    else:
        return
    for turn in waiting:
        held = leaving == _PRESSED or turn.priority is not Priority.PERSON
        if leaving is not None and place == "cuda" and held:
            continue
        draft.turns[turn.turn] = replace(
            turn,
            ends_at=draft.now + draft.limits.turn_s,
            heard_at=draft.now,
            place="cpu" if place == "cpu" else "cuda",
        )
        draft.effects.append(
            Admitted(turn=turn.turn, place="cpu" if place == "cpu" else "cuda", profile=profile)
        )
