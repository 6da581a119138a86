"""An arbiter with a fault is caught by the checker, from its traces alone."""

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from agent.residency import check
from agent.residency.arbiter import decide as arbiter
from agent.residency.arbiter import (
    draft,
    effects,
    events,
    executive,
    expiry,
    facts,
    keeping,
    queue,
)
from agent.residency.arbiter.effects import Effect
from agent.residency.arbiter.state import CardState, Lease, Place, Residence, Worker
from agent.residency.simulation import runs

Patch = Callable[[pytest.MonkeyPatch], None]
MOST = 400
"""Schedules within which each mutant must be caught."""


def replaced(owner: Any, name: str, mutant: Any) -> Patch:
    return lambda patch: patch.setattr(owner, name, mutant)


def deaf_to(kind: type[events.Event]) -> Patch:
    heard = {**facts._NOTED, kind: lambda _draft, _event: None}
    return replaced(facts, "_NOTED", heard)


def changed(alter: Callable[[Effect], list[Effect]]) -> Patch:
    """Change the effects of the real arbiter after it has decided."""

    def decide(state: CardState, event: events.Event) -> tuple[CardState, tuple[Effect, ...]]:
        after, decided = arbiter.decide(state, event)
        return after, tuple(one for effect in decided for one in alter(effect))

    return lambda patch: patch.setattr(arbiter, "mutant", decide, raising=False)


def without_what_comes(own: draft.Draft) -> int:
    coming = sum(one.weights_bytes for one in own.residences.values() if one.place is Place.LOADING)
    kept = sum(ask.placed.working_bytes for ask in own.asks.values() if ask.placed is not None)
    return _own(own) - coming - kept


def without_operations(own: draft.Draft) -> int:
    return _own(own) - sum(lease.working_bytes for lease in own.leases.values())


_own = draft.Draft.own


def idle_or_not(own: draft.Draft, *, sparing: Any = ()) -> list[Residence]:
    return [
        one
        for one in own.residences.values()
        if one.place is not Place.LEAVING and one.ask is None and one.variant not in sparing
    ]


def room_of_the_whole_card(own: draft.Draft) -> int:
    return own.limits.capacity_bytes - own.foreign() - own.own() - own.unconfirmed()


def numbers_that_fall(own: draft.Draft) -> int:
    own.serial += 1 if own.serial % 3 else -1
    return own.serial + 1000


def people_first(own: Any) -> tuple[float, float]:
    return (own.priority, -own.asked_at)


def grant_at_once(own: draft.Draft) -> None:
    for residence in list(own.residences.values()):
        if residence.place is Place.LOADING and residence.ask is not None:
            own.residences[residence.variant] = replace(residence, place=Place.RESIDENT)
    _grant_loaded(own)


_grant_loaded = queue._grant_loaded


def began_again(own: draft.Draft, event: events.Started) -> None:
    _started(own, replace(event, epoch=0))


_started = facts._NOTED[events.Started]


def measured_without_residue(own: draft.Draft, event: events.Measured) -> None:
    facts._measured(own, event)
    own.residue = 0


def killed_in_use(own: draft.Draft) -> None:
    if own.worker is Worker.UP and own.on_card() and own.reading is not None:
        expiry._kill(own, "to be safe")
    _worker(own)


_worker = expiry._worker


def never_revoked(own: draft.Draft, lease: Lease, reason: str) -> None:
    """Forget to."""


MUTANTS: dict[str, tuple[Patch, set[str]]] = {
    "what is in flight does not count": (
        replaced(draft.Draft, "own", without_what_comes),
        {"budget", "unmeasured"},
    ),
    "operations do not count": (
        replaced(draft.Draft, "own", without_operations),
        {"budget", "unmeasured"},
    ),
    "a lease in use is evicted": (replaced(keeping, "idle", idle_or_not), {"in use"}),
    "the worker is killed in use": (replaced(expiry, "_worker", killed_in_use), {"in use"}),
    "a free is trusted before it is measured": (
        replaced(draft.Draft, "unconfirmed", lambda _own: 0),
        {"unmeasured"},
    ),
    "what is freed only in part is forgotten": (
        lambda patch: patch.setattr(
            facts, "_NOTED", {**facts._NOTED, events.Measured: measured_without_residue}
        ),
        {"unmeasured", "ledger"},
    ),
    "a release is lost": (deaf_to(events.Released), {"ledger"}),
    "a lost sense is not heard of": (deaf_to(events.SenseLost), {"ledger"}),
    "a finished unload is lost": (deaf_to(events.UnloadFinished), {"ledger"}),
    "other programs do not count": (
        replaced(draft.Draft, "foreign", lambda _own: 0),
        {"budget", "unmeasured"},
    ),
    "the safety is spent": (
        replaced(draft.Draft, "room", room_of_the_whole_card),
        {"budget", "unmeasured"},
    ),
    "an old measurement is trusted": (
        replaced(draft.Draft, "fresh", lambda own: own.reading is not None),
        {"measured"},
    ),
    "the executive is changed in a turn": (
        replaced(draft.Draft, "in_turn", lambda _own: False),
        {"executive"},
    ),
    "a job starves": (replaced(queue, "_order", people_first), {"starved"}),
    "anybody may pass": (replaced(queue, "_may_pass", lambda *_: True), {"starved"}),
    "tokens fall": (replaced(draft.Draft, "number", numbers_that_fall), {"token"}),
    "tokens begin again after a restart": (
        lambda patch: patch.setattr(facts, "_NOTED", {**facts._NOTED, events.Started: began_again}),
        {"token"},
    ),
    "a grant before the weights have come": (
        replaced(queue, "_grant_loaded", grant_at_once),
        {"loaded"},
    ),
    "two operations in one variant": (
        replaced(draft.Draft, "in_use", lambda _own, _variant: False),
        {"in use"},
    ),
    "deadlines are forgotten": (
        replaced(facts, "_deadline", lambda _own, _wished: float("inf")),
        {"bounded"},
    ),
    "leases are never revoked": (replaced(draft.Draft, "revoke", never_revoked), {"bounded"}),
    "refusals are not sent": (
        changed(lambda effect: [] if isinstance(effect, effects.Refused) else [effect]),
        {"answered", "bounded"},
    ),
    "grants are sent twice": (
        changed(lambda effect: [effect] * (1 + isinstance(effect, effects.Granted))),
        {"answered"},
    ),
    "what is idle stays when others need the card": (
        replaced(keeping, "shed", lambda _own: None),
        {"made way"},
    ),
    "a turn is admitted without an executive": (
        replaced(executive, "_admit", lambda own, _leaving: admitted_anyhow(own)),
        {"loaded"},
    ),
}


def admitted_anyhow(own: draft.Draft) -> None:
    there = own.executive
    own.executive = replace(there, place=Place.RESIDENT)
    _admit(own, None)
    own.executive = there


_admit = executive._admit


@pytest.mark.parametrize("name", MUTANTS)
def test_the_checker_catches(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    patch, rules = MUTANTS[name]
    patch(monkeypatch)
    decide = getattr(arbiter, "mutant", arbiter.decide)
    for seed in range(MOST):
        _, report = runs.one(seed, decide=decide)
        if report.verdict is check.Verdict.BROKEN and rules & set(report.broken_rules):
            with capsys.disabled():
                found = ", ".join(sorted(report.broken_rules))
                sys.stdout.write(f"\n{name}: caught on schedule {seed + 1} by {found}")
            return
    pytest.fail(f"not caught on {MOST} schedules")


def test_the_real_arbiter_is_not_accused() -> None:
    for seed in range(40):
        assert runs.one(seed)[1].verdict is check.Verdict.PROVED, seed
