"""`decide(state, event) → (state, effects)`: pure, total, without a clock.

First the event is noted, then everything that follows from what is known is settled in one order:
what is over ends, what is over the budget goes, the executive is seen to, the queue is served, and
what room is left may be used for a prefetch. Nothing depends on which event it was.
"""

from agent.residency.arbiter import executive, expiry, facts, keeping, queue
from agent.residency.arbiter.draft import Draft
from agent.residency.arbiter.effects import Effect, Wake
from agent.residency.arbiter.events import Event
from agent.residency.arbiter.state import CardState, Worker


def decide(state: CardState, event: Event) -> tuple[CardState, tuple[Effect, ...]]:
    """Return what is known after an event and what is to be done about it.

    An event that is older than the last one counts as of now; one that fits nothing known (a late
    release, a load that nobody awaits, a second ask of the same name) is said and changes nothing.
    """
    draft = Draft(state, event.now)
    _mark(draft)
    facts.note(draft, event)
    _mark(draft)
    _settle(draft)
    wake_at = expiry.next_wake(draft)
    if wake_at is not None and wake_at != state.wake_at:
        draft.effects.append(Wake(at=wake_at))
    return draft.frozen(wake_at), tuple(draft.effects)


def _mark(draft: Draft) -> None:
    """Remember that something is done, or was until now."""
    if draft.at_work():
        draft.used_at = draft.now


def _settle(draft: Draft) -> None:
    expiry.expire(draft)
    if draft.paused is not None:
        keeping.clear(draft, "paused by the owner")
    elif draft.resting():
        keeping.clear(draft, "nothing was asked of it for a while")
    keeping.shed(draft)
    claim = executive.keep(draft)
    waiting = queue.serve(draft, claim)
    if (
        not waiting
        and draft.hints
        and draft.paused is None
        and draft.fresh()
        and draft.worker is Worker.UP
    ):
        keeping.prefetch(draft)
