"""What each event changes in what is known. Nothing is decided here."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from agent.residency.arbiter import events, keeping
from agent.residency.arbiter.draft import Draft
from agent.residency.arbiter.effects import Admitted, Refused, TurnRevoked, Withdrawn
from agent.residency.arbiter.events import Priority
from agent.residency.arbiter.state import (
    Ask,
    CardState,
    Executive,
    Failures,
    Lease,
    Place,
    Reading,
    Residence,
    Turn,
    Worker,
)

WORKER = "the worker"
"""Stands for the senses' process among the failures."""
EPOCH = 1 << 32
"""Loads and tokens of one life of the arbiter."""


def note(draft: Draft, event: events.Event) -> None:
    """Take an event into account. One that fits nothing known changes nothing but the trace."""
    _NOTED[type(event)](draft, event)


def _asked(draft: Draft, event: events.Asked) -> None:
    if event.ask in draft.asks or event.ask in draft.turns:
        draft.say(f"{event.ask!r} was asked for already")
        return
    if not event.choices or not all(map(_sound, event.choices)):
        reason = "it names no choice, or one whose bytes cannot be"
        draft.effects.append(Refused(ask=event.ask, reason=reason))
        return
    limits = draft.limits
    patience = limits.patience_s if event.priority is Priority.JOB else 0.0
    draft.asks[event.ask] = Ask(
        ask=event.ask,
        holder=event.holder,
        choices=event.choices,
        priority=event.priority,
        asked_at=draft.now,
        due=draft.now + patience,
        deadline=_deadline(draft, event.deadline),
        limit_s=min(limits.lease_s, limits.lease_s if event.limit_s is None else event.limit_s),
    )


def _sound(choice: events.Choice) -> bool:
    """Tell whether bytes are none or some, and none where nothing of the card is lent."""
    sizes = (choice.weights_bytes, choice.working_bytes)
    lent = choice.place == "cuda" and choice.variant != events.EXECUTIVE
    return min(sizes) >= 0 and (lent or max(sizes) == 0)


def _deadline(draft: Draft, wished: float | None) -> float:
    latest = draft.now + draft.limits.wait_s
    return latest if wished is None else min(latest, wished)


def _cancelled(draft: Draft, event: events.Cancelled) -> None:
    waiting = draft.asks.get(event.ask) or draft.turns.get(event.ask)
    if waiting is None or (isinstance(waiting, Turn) and waiting.ends_at is not None):
        draft.say(f"{event.ask!r} does not wait")
        return
    draft.forget(waiting, Withdrawn(ask=event.ask, reason="cancelled"))


def _released(draft: Draft, event: events.Released) -> None:
    lease = draft.leases.get(event.token)
    if lease is None:
        draft.say(f"lease {event.token} is not held: a late or repeated release")
        return
    draft.close(lease)


def _renewed(draft: Draft, event: events.Renewed) -> None:
    for lease in draft.leases.values():
        if lease.holder == event.holder:
            draft.leases[lease.token] = replace(lease, heard_at=draft.now)
    for turn in draft.turns.values():
        if turn.holder == event.holder:
            draft.turns[turn.turn] = replace(turn, heard_at=draft.now)


def _holder_died(draft: Draft, event: events.HolderDied) -> None:
    for ask in [one for one in draft.asks.values() if one.holder == event.holder]:
        draft.forget(ask, Withdrawn(ask=ask.ask, reason="its holder died"))
    for turn in [one for one in draft.turns.values() if one.holder == event.holder]:
        if turn.ends_at is None:
            draft.forget(turn, Withdrawn(ask=turn.turn, reason="its holder died"))
        else:
            del draft.turns[turn.turn]
            draft.effects.append(TurnRevoked(turn=turn.turn, reason="its holder died"))
    for lease in [one for one in draft.leases.values() if one.holder == event.holder]:
        draft.revoke(lease, "its holder died")


def _turn_asked(draft: Draft, event: events.TurnAsked) -> None:
    if event.turn in draft.turns or event.turn in draft.asks:
        draft.say(f"{event.turn!r} was asked for already")
        return
    draft.turns[event.turn] = Turn(
        turn=event.turn,
        holder=event.holder,
        priority=event.priority,
        deadline=_deadline(draft, event.deadline),
        heard_at=draft.now,
    )
    if event.begun and draft.now < draft.recovering_until:
        _go_on(draft, draft.turns[event.turn])


def _go_on(draft: Draft, turn: Turn) -> None:
    """Let a turn go on that began before the arbiter did."""
    draft.turns[turn.turn] = replace(turn, ends_at=draft.now + draft.limits.turn_s)
    profile = draft.limits.profiles[draft.executive.profile].name
    draft.effects.append(Admitted(turn=turn.turn, place="cuda", profile=profile))


def _turn_ended(draft: Draft, event: events.TurnEnded) -> None:
    turn = draft.turns.get(event.turn)
    if turn is None or turn.ends_at is None:
        draft.say(f"turn {event.turn!r} is not in progress")
        return
    del draft.turns[event.turn]


def _residence(draft: Draft, load: int) -> Residence | None:
    return next((one for one in draft.residences.values() if one.load == load), None)


def _load_finished(draft: Draft, event: events.LoadFinished) -> None:
    executive = draft.executive
    if executive.place is Place.LOADING and executive.load == event.load:
        draft.as_executive(place=Place.RESIDENT, since=draft.now, failures=0, retry_at=0.0)
        return
    residence = _residence(draft, event.load)
    if residence is None or residence.place is not Place.LOADING:
        draft.say(f"load {event.load} is not awaited")
        return
    draft.failures.pop(residence.variant, None)
    draft.residences[residence.variant] = replace(residence, place=Place.RESIDENT, since=draft.now)


def _load_failed(draft: Draft, event: events.LoadFailed) -> None:
    executive = draft.executive
    if executive.place is Place.LOADING and executive.load == event.load:
        draft.free(draft.executive_bytes())
        executive_failed(draft)
        return
    residence = _residence(draft, event.load)
    if residence is None or residence.place is not Place.LOADING:
        draft.say(f"load {event.load} is not awaited")
        return
    draft.unplace(residence.ask)
    load_failed(draft, residence.variant)
    draft.drop(residence)


def executive_failed(draft: Draft, *, place: Place | None = None) -> None:
    """Count a failed load of the executive; after each third a smaller profile is tried."""
    failures = draft.executive.failures + 1
    wish = draft.executive.profile
    if failures % 3 == 0:
        wish = min(wish + 1, len(draft.limits.profiles) - 1)
    pause = min(60.0, draft.limits.backoff_s * 2 ** min(failures - 1, 6))
    draft.as_executive(
        place=place, since=draft.now, failures=failures, retry_at=draft.now + pause, wish=wish
    )
    draft.say(f"the executive did not load, {failures} times now")


def load_failed(draft: Draft, variant: str) -> None:
    """Count a failed load of a sense."""
    count = draft.failures[variant].count + 1 if variant in draft.failures else 1
    pause = min(60.0, draft.limits.backoff_s * 2 ** min(count - 1, 6))
    draft.failures[variant] = Failures(count=count, retry_at=draft.now + pause)
    draft.say(f"{variant} did not load, {count} times now")


def _unload_finished(draft: Draft, event: events.UnloadFinished) -> None:
    executive = draft.executive
    if executive.place is Place.LEAVING and executive.load == event.load:
        draft.free(draft.executive_bytes())
        draft.as_executive(place=None, since=draft.now, drifted=False, attempts=0)
        return
    residence = _residence(draft, event.load)
    if residence is None or residence.place is not Place.LEAVING:
        draft.say(f"unload {event.load} is not awaited")
        return
    draft.drop(residence)


def _unload_failed(draft: Draft, event: events.UnloadFailed) -> None:
    draft.say(f"unload {event.load} failed: {event.reason}; it is asked for again in time")


def _measured(draft: Draft, event: events.Measured) -> None:
    if event.used_bytes is None:
        draft.reading = None
        draft.say("the card cannot be read: nothing more is granted on it")
        return
    if draft.reading is not None and event.taken_at < draft.reading.taken_at:
        return
    newer = tuple(one for one in draft.freed if one[1] > event.taken_at)
    older = draft.residue + sum(size for size, when in draft.freed if when <= event.taken_at)
    if draft.reading is None:
        older = draft.limits.capacity_bytes
    draft.freed = newer
    sure = _surely_there(draft, event.taken_at)
    ours = draft.own() + sum(size for size, _ in newer)
    unexplained = max(0, event.own_bytes - ours)
    draft.residue = max(unexplained, min(older, max(0, event.own_bytes - sure)))
    quiet = event.taken_at - draft.freed_at > draft.limits.confirm_s
    draft.stuck = _stuck(draft) if quiet else 0
    draft.reading = Reading(
        taken_at=event.taken_at,
        used_bytes=event.used_bytes,
        own_bytes=event.own_bytes,
        foreign_bytes=max(0, event.used_bytes - event.own_bytes),
    )


def _surely_there(draft: Draft, when: float) -> int:
    """Return our bytes that cannot have been missing then: loaded before and not told to go."""
    sure = 0
    if draft.worker in (Worker.UP, Worker.DRAINING) and draft.worker_since <= when:
        sure += draft.limits.context_bytes
    if draft.executive.place is Place.RESIDENT and draft.executive.since <= when:
        sure += draft.executive_bytes()
    for residence in draft.residences.values():
        if residence.place is Place.RESIDENT and residence.since <= when:
            sure += residence.weights_bytes
    return sure


def _stuck(draft: Draft) -> int:
    """Return the residue less all that running operations and loads may account for."""
    explained = sum(lease.working_bytes for lease in draft.leases.values())
    for residence in draft.residences.values():
        if residence.place is not Place.RESIDENT:
            explained += residence.weights_bytes
    if draft.executive.place is not Place.RESIDENT:
        explained += draft.executive_bytes()
    return max(0, draft.residue - explained)


def _executive_lost(draft: Draft, event: events.ExecutiveLost) -> None:
    if draft.executive.place is None:
        draft.say("the executive is not loaded")
        return
    draft.free(draft.executive_bytes())
    draft.as_executive(place=None, since=draft.now, drifted=False, attempts=0)
    draft.recovering_until = float("-inf")
    reason = event.reason or "the executive is gone"
    for lease in [one for one in draft.leases.values() if one.variant == events.EXECUTIVE]:
        draft.revoke(lease, reason)
        draft.close(lease)
    for turn in list(draft.turns.values()):
        if turn.ends_at is not None and turn.place == "cuda":
            del draft.turns[turn.turn]
            draft.effects.append(TurnRevoked(turn=turn.turn, reason=reason))


def _executive_drifted(draft: Draft, event: events.ExecutiveDrifted) -> None:
    if draft.executive.place is not Place.RESIDENT:
        draft.say("the executive is not loaded")
        return
    draft.as_executive(drifted=True)
    draft.say(f"the executive is not as it was loaded: {event.reason}; put right after the turn")


def _sense_lost(draft: Draft, event: events.SenseLost) -> None:
    running = [lease for lease in draft.on_card() if lease.variant == event.variant]
    residence = draft.residences.get(event.variant)
    resident = residence is not None and residence.place is Place.RESIDENT
    if not (running or resident):
        draft.say(f"{event.variant} is not on the card")
        return
    for lease in running:
        draft.revoke(lease, event.reason or f"{event.variant} is gone")
        draft.close(lease)
    if residence is not None and resident:
        draft.unplace(residence.ask)
        draft.drop(residence)


def _worker_died(draft: Draft, _event: events.WorkerDied) -> None:
    if draft.worker is Worker.DOWN:
        return
    if draft.worker is Worker.STARTING:
        load_failed(draft, WORKER)
    draft.lose_worker()
    draft.restarted_at = draft.now


def _worker_ready(draft: Draft, _event: events.WorkerReady) -> None:
    if draft.worker is Worker.STARTING:
        draft.worker, draft.worker_since = Worker.UP, draft.now
        draft.failures.pop(WORKER, None)


def _paused(draft: Draft, event: events.Paused) -> None:
    draft.paused = event.work


def _resumed(draft: Draft, _event: events.Resumed) -> None:
    draft.paused = None


def _hinted(draft: Draft, event: events.Hinted) -> None:
    lent = event.choice.place == "cuda" and event.choice.variant != events.EXECUTIVE
    if lent and _sound(event.choice):
        keeping.expect(draft, event.choice, event.until)


def _ticked(_draft: Draft, _event: events.Ticked) -> None:
    """Time alone changes nothing that is known."""


def _started(draft: Draft, event: events.Started) -> None:
    """Begin anew from what is really there. What waited has to ask again."""
    limits = draft.limits
    draft.adopt(CardState(limits=limits, used_at=draft.now))
    draft.serial = event.epoch * EPOCH
    draft.paused = event.paused
    before = float("-inf")
    for found in event.found:
        draft.residences[found.variant] = Residence(
            load=draft.number(),
            variant=found.variant,
            weights_bytes=found.weights_bytes,
            reload_s=found.reload_s,
            place=Place.RESIDENT,
            since=before,
        )
    for one in event.running:
        draft.leases[one.token] = Lease(
            token=one.token,
            ask="",
            holder=one.holder,
            variant=one.variant,
            place=one.place,
            working_bytes=one.working_bytes,
            expires_at=draft.now + limits.lease_s,
            heard_at=draft.now,
        )
    if not event.worker_up:
        draft.worker = Worker.DOWN
    draft.worker_since = before if event.worker_up else draft.now
    names = [profile.name for profile in limits.profiles]
    if event.profile in names:
        draft.executive = Executive(
            place=Place.RESIDENT,
            profile=names.index(event.profile),
            load=draft.number(),
            since=before,
            wish=names.index(event.profile),
            wished_at=draft.now,
        )
        draft.recovering_until = draft.now + limits.recovery_s


_NOTED: Mapping[type[events.Event], Callable[[Draft, Any], None]] = {
    events.Asked: _asked,
    events.Cancelled: _cancelled,
    events.Released: _released,
    events.Renewed: _renewed,
    events.HolderDied: _holder_died,
    events.TurnAsked: _turn_asked,
    events.TurnEnded: _turn_ended,
    events.LoadFinished: _load_finished,
    events.LoadFailed: _load_failed,
    events.UnloadFinished: _unload_finished,
    events.UnloadFailed: _unload_failed,
    events.Measured: _measured,
    events.ExecutiveLost: _executive_lost,
    events.ExecutiveDrifted: _executive_drifted,
    events.SenseLost: _sense_lost,
    events.WorkerDied: _worker_died,
    events.WorkerReady: _worker_ready,
    events.Paused: _paused,
    events.Resumed: _resumed,
    events.Hinted: _hinted,
    events.Ticked: _ticked,
    events.Started: _started,
}
