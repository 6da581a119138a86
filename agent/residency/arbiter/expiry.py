"""What ends because its time is over, and when the arbiter has to be woken next."""

from collections.abc import Iterator
from dataclasses import replace

from agent.residency.arbiter import executive, facts, keeping
from agent.residency.arbiter.draft import Draft
from agent.residency.arbiter.effects import (
    Closed,
    KillWorker,
    Refused,
    StartWorker,
    TurnRevoked,
    UnloadExecutive,
    UnloadSense,
)
from agent.residency.arbiter.events import EXECUTIVE, Priority
from agent.residency.arbiter.state import Ask, Lease, Place, Residence, Turn, Worker

ATTEMPTS = 3
"""How often a variant is told to go before the worker is restarted."""


def expire(draft: Draft) -> None:
    """End whatever is over at this time."""
    for lease in list(draft.leases.values()):
        _lease(draft, lease)
    for turn in list(draft.turns.values()):
        _turn(draft, turn)
    for ask in [one for one in draft.asks.values() if one.deadline <= draft.now]:
        draft.forget(
            ask, Refused(ask=ask.ask, reason="its deadline has passed", next_rung=_next(ask))
        )
    for residence in list(draft.residences.values()):
        _residence(draft, residence)
    _executive(draft)
    for variant in [name for name, (_, until) in draft.hints.items() if until <= draft.now]:
        del draft.hints[variant]
    _worker(draft)


def _next(ask: Ask) -> str | None:
    return ask.choices[1].variant if len(ask.choices) > 1 else None


def _lease(draft: Draft, lease: Lease) -> None:
    limits = draft.limits
    if lease.revoked_at is not None:
        if draft.now < lease.revoked_at + limits.revoke_s:
            return
        if lease.place == "cpu" or lease.variant == EXECUTIVE:
            draft.close(lease)
            draft.effects.append(Closed(token=lease.token))
        elif draft.worker is Worker.UP:
            draft.say(f"lease {lease.token} does not stop; the worker is restarted when idle")
            draft.worker = Worker.DRAINING
    elif draft.now >= lease.expires_at:
        draft.revoke(lease, "its time is over")
    elif draft.now >= lease.heard_at + limits.heartbeat_s:
        draft.revoke(lease, "its holder is silent")


def _turn(draft: Draft, turn: Turn) -> None:
    if turn.ends_at is None:
        if turn.deadline <= draft.now:
            draft.forget(turn, Refused(ask=turn.turn, reason="its deadline has passed"))
        return
    silent = draft.now >= turn.heard_at + draft.limits.heartbeat_s
    if silent or draft.now >= turn.ends_at:
        del draft.turns[turn.turn]
        reason = "its holder is silent" if silent else "its time is over"
        draft.effects.append(TurnRevoked(turn=turn.turn, reason=reason))


def _residence(draft: Draft, residence: Residence) -> None:
    limits = draft.limits
    if residence.place is Place.LOADING and draft.now >= residence.since + limits.load_s:
        facts.load_failed(draft, residence.variant)
        keeping.evict(draft, residence, "its load hangs")
    elif residence.place is Place.LEAVING and draft.now >= residence.since + limits.unload_s:
        if residence.attempts >= ATTEMPTS and draft.worker is Worker.UP:
            draft.say(f"{residence.variant} does not go; the worker is restarted when idle")
            draft.worker = Worker.DRAINING
        draft.residences[residence.variant] = replace(
            residence, since=draft.now, attempts=residence.attempts + 1
        )
        draft.effects.append(
            UnloadSense(load=residence.load, variant=residence.variant, reason="asked again")
        )


def _executive(draft: Draft) -> None:
    limits, one = draft.limits, draft.executive
    if one.place is Place.LOADING and draft.now >= one.since + limits.load_s:
        facts.executive_failed(draft, place=Place.LOADING)
        executive.unload(draft, "its load hangs")
    elif one.place is Place.LEAVING and draft.now >= one.since + limits.unload_s:
        draft.as_executive(since=draft.now, attempts=one.attempts + 1)
        draft.effects.append(UnloadExecutive(load=one.load, reason="asked again"))


def _worker(draft: Draft) -> None:
    """Restart the worker when it must be and nothing runs in it."""
    limits = draft.limits
    if draft.worker is Worker.DOWN:
        _start(draft)
        return
    if draft.worker is Worker.STARTING:
        if draft.now >= draft.worker_since + limits.load_s:
            facts.load_failed(draft, facts.WORKER)
            _kill(draft, "it does not come up")
        return
    if draft.worker is Worker.UP:
        loading = any(one.place is Place.LOADING for one in draft.residences.values())
        if loading or not _may_recycle(draft):
            return
    if all(lease.revoked_at is not None and _overdue(draft, lease) for lease in draft.on_card()):
        _kill(draft, "it holds bytes that it does not give back")


def _kill(draft: Draft, reason: str) -> None:
    draft.effects.append(KillWorker(reason=reason))
    draft.lose_worker()
    draft.restarted_at = draft.now


def _start(draft: Draft) -> None:
    """Start the worker once its context, which is always reserved, has room again."""
    failed = draft.failures.get(facts.WORKER)
    if failed is not None and draft.now < failed.retry_at:
        return
    if draft.fresh() and draft.room() >= 0:
        draft.worker, draft.worker_since = Worker.STARTING, draft.now
        draft.effects.append(StartWorker())


def _may_recycle(draft: Draft) -> bool:
    """Tell whether stuck bytes are worth a restart of the worker, and it is not in use."""
    return (
        draft.stuck >= draft.limits.recycle_bytes
        and draft.now >= draft.restarted_at + draft.limits.recycle_s
        and not draft.on_card()
    )


def _overdue(draft: Draft, lease: Lease) -> bool:
    return lease.revoked_at is not None and (draft.now >= lease.revoked_at + draft.limits.revoke_s)


def next_wake(draft: Draft) -> float | None:
    """Return the earliest time after now at which something is over."""
    return min((at for at in _times(draft) if at > draft.now), default=None)


def _times(draft: Draft) -> Iterator[float]:
    limits = draft.limits
    yield from _waiting_times(draft)
    for lease in draft.leases.values():
        if lease.revoked_at is not None:
            yield lease.revoked_at + limits.revoke_s
        else:
            yield min(lease.expires_at, lease.heard_at + limits.heartbeat_s)
    for residence in draft.residences.values():
        if residence.place is Place.LOADING:
            yield residence.since + limits.load_s
        elif residence.place is Place.LEAVING:
            yield residence.since + limits.unload_s
    yield from _executive_times(draft)
    for _, until in draft.hints.values():
        yield until
    if draft.worker is Worker.STARTING:
        yield draft.worker_since + limits.load_s
    if limits.rest_s is not None:
        yield draft.used_at + limits.rest_s


def _waiting_times(draft: Draft) -> Iterator[float]:
    limits = draft.limits
    for turn in draft.turns.values():
        if turn.ends_at is None:
            yield turn.deadline
        else:
            yield min(turn.ends_at, turn.heard_at + limits.heartbeat_s)
    for ask in draft.asks.values():
        yield ask.deadline
        if ask.priority is Priority.PERSON:
            yield ask.asked_at + limits.step_down_s
        else:
            yield ask.due
    if draft.asks or draft.worker is Worker.DOWN:
        for failed in draft.failures.values():
            yield failed.retry_at


def _executive_times(draft: Draft) -> Iterator[float]:
    limits, one = draft.limits, draft.executive
    if one.place is Place.LOADING:
        yield one.since + limits.load_s
    elif one.place is Place.LEAVING:
        yield one.since + limits.unload_s
    elif one.place is None:
        yield one.retry_at
    elif one.profile > 0:
        yield one.wished_at + limits.settle_s
    yield draft.recovering_until
    if draft.reading is not None:
        yield draft.restarted_at + limits.recycle_s
