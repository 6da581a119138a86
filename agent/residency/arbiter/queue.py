"""Who is served next.

Asks are served in the order of `due`. A later one may take what an earlier one needs at most
`Limits.overtakes` times, and never a job what a person needs: that is how operations of one sense
follow each other before the card changes to another, and why nobody starves.
"""

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum, auto

from agent.residency.arbiter import executive, keeping
from agent.residency.arbiter.draft import Draft
from agent.residency.arbiter.effects import Granted, Refused
from agent.residency.arbiter.events import EXECUTIVE, Choice, Priority, WhilePaused
from agent.residency.arbiter.facts import WORKER
from agent.residency.arbiter.state import Ask, Lease, Place, Worker


class _Verdict(Enum):
    PLACED = auto()  # granted, or its weights are being loaded for it
    BUSY = auto()  # another operation runs in the variant; room is kept, others may go on
    ROOM = auto()  # waits for bytes; later asks may take them only so often
    SOON = auto()  # waits for the worker, which is being started
    HELD = auto()  # waits for what no other ask can take: a pause, a measurement, a next try
    NEVER = auto()  # cannot be, as things are


def serve(draft: Draft, claim: int) -> bool:
    """Serve whoever can be. Return whether anyone waits for bytes.

    `claim` are the bytes that the executive waits for.
    """
    _grant_loaded(draft)
    blocked: list[Ask] = []
    kept = claim
    for ask in sorted(draft.asks.values(), key=_order):
        if ask.placed is not None or ask.ask not in draft.asks:
            continue
        verdict, choice = _place(draft, ask, blocked, kept)
        if verdict is _Verdict.BUSY and choice is not None:
            kept += choice.working_bytes
        elif verdict is _Verdict.ROOM:
            blocked.append(ask)
    return bool(blocked) or kept > 0


def _order(ask: Ask) -> tuple[float, int, str]:
    return (ask.due, ask.priority, ask.ask)


def _grant_loaded(draft: Draft) -> None:
    """Grant to those whose weights have come, unless other programs have taken their room."""
    for residence in list(draft.residences.values()):
        ask = draft.asks.get(residence.ask) if residence.ask is not None else None
        if residence.place is not Place.RESIDENT or ask is None or ask.placed is None:
            continue
        if draft.room() < 0 or not draft.fresh() or draft.worker is not Worker.UP:
            continue
        draft.residences[residence.variant] = replace(residence, ask=None)
        _grant(draft, ask, ask.placed, ask.choices.index(ask.placed))


def _place(
    draft: Draft, ask: Ask, blocked: Sequence[Ask], kept: int
) -> tuple[_Verdict, Choice | None]:
    """Try an ask's choices in order; the first that is possible at all is waited for."""
    first: tuple[_Verdict, Choice | None] | None = None
    hurried = ask.priority is Priority.PERSON and (
        draft.now >= ask.asked_at + draft.limits.step_down_s
    )
    for rung, choice in enumerate(ask.choices):
        verdict = _try(draft, ask, rung, blocked, kept, final=first is None)
        if verdict is _Verdict.PLACED:
            return verdict, choice
        if verdict is _Verdict.NEVER or first is not None:
            continue
        first = (verdict, choice)
        if not hurried and verdict is not _Verdict.HELD:
            break
    return first if first is not None else (_hopeless(draft, ask), None)


def _try(
    draft: Draft, ask: Ask, rung: int, blocked: Sequence[Ask], kept: int, *, final: bool
) -> _Verdict:
    choice = ask.choices[rung]
    if draft.in_use(choice.variant):
        return _Verdict.BUSY
    if choice.place == "cpu":
        if draft.paused is WhilePaused.WAIT:
            return _Verdict.HELD
        _grant(draft, ask, choice, rung)
        return _Verdict.PLACED
    if choice.variant == EXECUTIVE:
        return _call(draft, ask, choice, rung)
    if (barrier := _barrier(draft, ask, choice, rung)) is not None:
        return barrier
    residence = draft.residences.get(choice.variant)
    if residence is not None and residence.place is Place.LEAVING:
        return _Verdict.ROOM
    if residence is not None and residence.ask is not None:
        return _Verdict.BUSY
    return _take(draft, ask, rung, blocked, kept, final=final)


def _call(draft: Draft, ask: Ask, choice: Choice, rung: int) -> _Verdict:
    """Let a call to the executive begin: one at a time, those of people first."""
    if draft.executive.place is not Place.RESIDENT:
        return _Verdict.NEVER if draft.paused is WhilePaused.CPU else _Verdict.HELD
    if ask.priority is Priority.JOB and draft.now < ask.due and _person_in_turn(draft):
        return _Verdict.HELD
    if not draft.in_turn() and (draft.paused is not None or draft.executive.drifted):
        return _Verdict.HELD
    _grant(draft, ask, choice, rung)
    return _Verdict.PLACED


def _person_in_turn(draft: Draft) -> bool:
    """Tell whether a person's next call may come any moment: a job's would stand in its way."""
    return any(
        turn.priority is Priority.PERSON and turn.ends_at is not None
        for turn in draft.turns.values()
    )


def _barrier(draft: Draft, ask: Ask, choice: Choice, rung: int) -> _Verdict | None:
    """Return why a choice on the card cannot be looked at now, if so."""
    if draft.paused is not None:
        return _Verdict.NEVER if draft.paused is WhilePaused.CPU else _Verdict.HELD
    last = rung == len(ask.choices) - 1
    if draft.reading is None:
        return _Verdict.HELD if last else _Verdict.NEVER
    failed = draft.failures.get(choice.variant)
    if failed is not None and draft.now < failed.retry_at:
        return _Verdict.HELD if last else _Verdict.NEVER
    need = choice.weights_bytes + choice.working_bytes
    if need + executive.claimed(draft) > executive.ceiling(draft):
        return _Verdict.NEVER
    if not draft.fresh():
        return _Verdict.HELD
    return None if draft.worker is Worker.UP else _started(draft)


def _started(draft: Draft) -> _Verdict:
    """Tell whether a worker that is not there is worth waiting for, before a later choice."""
    coming = draft.worker is Worker.STARTING or (
        draft.worker is Worker.DOWN and WORKER not in draft.failures
    )
    return _Verdict.SOON if coming else _Verdict.HELD


def _take(
    draft: Draft, ask: Ask, rung: int, blocked: Sequence[Ask], kept: int, *, final: bool
) -> _Verdict:
    """Take the room if it is there; else, as the first who waits, make it."""
    choice = ask.choices[rung]
    residence = draft.residences.get(choice.variant)
    here = residence is not None
    need = choice.working_bytes + (0 if here else choice.weights_bytes)
    short = need + kept - draft.room()
    if short <= 0:
        if not _may_pass(draft, ask, blocked):
            return _Verdict.ROOM
        for other in blocked:
            waiting = draft.asks[other.ask]
            draft.asks[other.ask] = replace(waiting, overtaken=waiting.overtaken + 1)
        if residence is None:
            keeping.load(draft, choice)
            residence = draft.residences[choice.variant]
        if residence.place is Place.LOADING:
            keeping.keep_for(draft, residence, ask, choice)
        else:
            _grant(draft, ask, choice, rung)
        return _Verdict.PLACED
    if final and not blocked:
        _make_room(draft, ask, choice, short - draft.coming())
    return _Verdict.ROOM


def _may_pass(draft: Draft, ask: Ask, blocked: Sequence[Ask]) -> bool:
    return all(
        ask.priority <= other.priority and draft.asks[other.ask].overtaken < draft.limits.overtakes
        for other in blocked
    )


def _make_room(draft: Draft, ask: Ask, choice: Choice, short: int) -> None:
    if short <= 0:
        return
    spared = {choice.variant, *_batch(draft, ask)}
    for one in keeping.choose(draft, keeping.idle(draft, sparing=spared), short):
        keeping.evict(draft, one, f"{choice.variant} needs the room")


def _batch(draft: Draft, ask: Ask) -> set[str]:
    """Return the idle variants that later asks can use at once, while those may still pass."""
    here: set[str] = set()
    if draft.asks[ask.ask].overtaken >= draft.limits.overtakes:
        return here
    room = draft.room()
    for other in draft.asks.values():
        choice = other.choices[0]
        residence = draft.residences.get(choice.variant)
        if (
            other.ask != ask.ask
            and other.placed is None
            and other.priority <= ask.priority
            and residence is not None
            and residence.place is Place.RESIDENT
            and choice.working_bytes <= room
            and not draft.in_use(choice.variant)
        ):
            here.add(choice.variant)
    return here


def _hopeless(draft: Draft, ask: Ask) -> _Verdict:
    """Answer an ask none of whose choices can be: a compact executive, waiting, or a refusal."""
    if draft.paused is not None or draft.reading is None:
        return _Verdict.HELD
    on_card = [one for one in ask.choices if one.place == "cuda" and one.variant != EXECUTIVE]
    least = min((one.weights_bytes + one.working_bytes for one in on_card), default=0)
    if on_card and executive.wish_compact(draft, least):
        return _Verdict.HELD
    alone = executive.ceiling(draft, foreign=False)
    smallest = min((profile.bytes for profile in draft.limits.profiles), default=0)
    if least + smallest <= alone:
        return _Verdict.HELD
    draft.forget(
        ask,
        Refused(
            ask=ask.ask,
            reason=f"it needs {least} bytes of the card, at most {alone - smallest} can be free",
        ),
    )
    return _Verdict.NEVER


def _grant(draft: Draft, ask: Ask, choice: Choice, rung: int) -> None:
    del draft.asks[ask.ask]
    token = draft.number()
    expires_at = draft.now + ask.limit_s
    draft.leases[token] = Lease(
        token=token,
        ask=ask.ask,
        holder=ask.holder,
        variant=choice.variant,
        place=choice.place,
        working_bytes=choice.working_bytes,
        expires_at=expires_at,
        heard_at=draft.now,
    )
    if choice.place == "cuda" and choice.variant != EXECUTIVE:
        keeping.used(draft, choice.variant)
    for one in ask.choices:  # what was expected has come about, on whichever rung
        draft.hints.pop(one.variant, None)
    draft.effects.append(
        Granted(
            ask=ask.ask,
            token=token,
            holder=ask.holder,
            variant=choice.variant,
            place=choice.place,
            working_bytes=choice.working_bytes,
            expires_at=expires_at,
            rung=rung,
            reason=_why(draft, ask, rung),
        )
    )


def _why(draft: Draft, ask: Ask, rung: int) -> str:
    """Say why an ask gets less than it wished for."""
    if rung == 0:
        return ""
    wished = ask.choices[0]
    if draft.paused is not None:
        return "paused by the owner"
    if wished.variant in draft.failures:
        return f"{wished.variant} does not load"
    if draft.in_use(wished.variant):
        return f"{wished.variant} is busy"
    need = wished.weights_bytes + wished.working_bytes
    over = need + executive.claimed(draft) - executive.ceiling(draft)
    if over > 0:
        return f"{wished.variant} does not fit: {over} bytes too many"
    return f"{wished.variant} would have to wait"
