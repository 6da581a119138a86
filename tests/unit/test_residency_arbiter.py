"""Decisions of the arbiter, one by one."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

import pytest

from agent.residency.arbiter import effects, events, keeping
from agent.residency.arbiter.decide import decide
from agent.residency.arbiter.effects import Effect
from agent.residency.arbiter.events import EXECUTIVE, Choice, Event, Priority, WhilePaused
from agent.residency.arbiter.limits import Limits, Profile
from agent.residency.arbiter.state import CardState

One = TypeVar("One", bound=Effect)

LIMITS = Limits(
    capacity_bytes=100,
    profiles=(Profile(name="full", bytes=50), Profile(name="compact", bytes=20)),
    safety_bytes=5,
    context_bytes=5,
    recycle_bytes=8,
)
"""Beside the full executive there is room for 40."""


def choice(variant: str, weights: int, working: int = 0, *, reload_s: float = 1.0) -> Choice:
    return Choice(variant=variant, weights_bytes=weights, working_bytes=working, reload_s=reload_s)


def on_cpu(variant: str) -> Choice:
    return Choice(variant=variant, place="cpu")


class Card:
    """A card on which loads and frees happen when the test says so."""

    def __init__(self, limits: Limits = LIMITS, *, executive: bool = True) -> None:
        self.state = CardState(limits=limits)
        self.now = 0.0
        self.foreign = 0
        self.held = limits.context_bytes
        profile = "full" if executive else None
        self.send(events.Started(now=0.0, epoch=1, profile=profile))
        self.held += 50 if executive else 0
        self.pass_time(limits.recovery_s)

    def send(self, event: Event) -> list[Effect]:
        self.state, told = decide(self.state, event)
        return list(told)

    def pass_time(self, seconds: float) -> list[Effect]:
        """Let time pass, with the measurements of a card that gives back at once."""
        self.now += seconds
        return self.measure()

    def measure(self, own: int | None = None) -> list[Effect]:
        own = self.held if own is None else own
        return self.send(
            events.Measured(
                now=self.now, taken_at=self.now, used_bytes=own + self.foreign, own_bytes=own
            )
        )

    def ask(
        self,
        name: str,
        *choices: Choice,
        person: bool = False,
        deadline: float | None = None,
        limit_s: float | None = None,
    ) -> list[Effect]:
        return self.send(
            events.Asked(
                now=self.now,
                ask=name,
                holder=f"holder of {name}",
                choices=choices,
                priority=Priority.PERSON if person else Priority.JOB,
                deadline=deadline,
                limit_s=limit_s,
            )
        )

    def finish(self, told: Iterable[Effect]) -> list[Effect]:
        """Finish the one load among effects."""
        load = only(effects.LoadSense, told)
        self.held += load.weights_bytes
        return self.send(events.LoadFinished(now=self.now, load=load.load))

    def use(self, name: str, one: Choice) -> effects.Granted:
        """Ask, load if need be, and return the grant."""
        told = self.ask(name, one)
        if not found(effects.Granted, told):
            told = self.finish(told)
        return only(effects.Granted, told)

    def release(self, granted: effects.Granted) -> list[Effect]:
        return self.send(events.Released(now=self.now, token=granted.token))

    def tick(self, seconds: float) -> list[Effect]:
        self.now += seconds
        return self.send(events.Ticked(now=self.now))


def found(kind: type[One], told: Iterable[Effect]) -> list[One]:
    return [one for one in told if isinstance(one, kind)]


def only(kind: type[One], told: Iterable[Effect]) -> One:
    matching = found(kind, told)
    assert len(matching) == 1, told
    return matching[0]


HEARING = choice("hearing", 20, 10)
SIGHT = choice("sight", 20, 10)
SPEECH = choice("speech", 5, 2)


def test_what_fits_is_loaded_and_then_granted() -> None:
    card = Card()
    told = card.ask("a", HEARING)
    assert not found(effects.Granted, told)
    granted = only(effects.Granted, card.finish(told))
    assert (granted.variant, granted.place, granted.working_bytes) == ("hearing", "cuda", 10)


def test_a_sense_that_is_there_is_granted_at_once() -> None:
    card = Card()
    card.release(card.use("a", HEARING))
    assert found(effects.Granted, card.ask("b", HEARING))


def test_a_load_in_flight_counts_from_its_start() -> None:
    card = Card()
    assert found(effects.LoadSense, card.ask("a", HEARING))
    assert not found(effects.LoadSense, card.ask("b", SIGHT))


def test_freed_bytes_count_until_they_are_measured() -> None:
    card = Card()
    card.release(card.use("a", HEARING))
    told = card.ask("b", SIGHT)
    gone = only(effects.UnloadSense, told)
    told = card.send(events.UnloadFinished(now=card.now, load=gone.load))
    assert not found(effects.LoadSense, told), "nobody has measured that it is free"
    card.now += 1
    assert not found(effects.LoadSense, card.measure()), "the driver still shows it"
    card.held -= 20
    card.now += 1
    assert found(effects.LoadSense, card.measure())


def test_a_measurement_taken_before_the_free_confirms_nothing() -> None:
    card = Card()
    card.release(card.use("a", HEARING))
    gone = only(effects.UnloadSense, card.ask("b", SIGHT))
    card.now += 1
    card.send(events.UnloadFinished(now=card.now, load=gone.load))
    late = events.Measured(now=card.now, taken_at=card.now - 0.5, used_bytes=55, own_bytes=55)
    assert not found(effects.LoadSense, card.send(late))


def test_what_is_freed_only_in_part_goes_on_counting() -> None:
    card = Card()
    card.release(card.use("a", HEARING))
    gone = only(effects.UnloadSense, card.ask("b", choice("sight", 30, 10)))
    card.send(events.UnloadFinished(now=card.now, load=gone.load))
    card.held -= 17
    assert not found(effects.LoadSense, card.pass_time(1))
    assert card.state.residue_bytes == 3


def test_a_worker_that_holds_what_it_does_not_give_back_is_restarted_when_idle() -> None:
    card = Card()
    card.release(card.use("a", HEARING))
    card.foreign = 5
    card.held += 12
    told = card.pass_time(6)
    assert found(effects.KillWorker, told)
    assert not found(effects.StartWorker, told)
    card.held -= 37
    assert found(effects.StartWorker, card.pass_time(1))


def test_other_programs_count() -> None:
    card = Card()
    card.foreign = 15
    card.pass_time(1)
    assert not found(effects.LoadSense, card.ask("a", HEARING))


def test_a_sense_in_use_is_never_evicted() -> None:
    card = Card()
    card.use("a", HEARING)
    assert not found(effects.UnloadSense, card.ask("b", SIGHT, person=True))
    card.foreign = 40
    assert not found(effects.UnloadSense, card.pass_time(1))


def test_other_programs_drive_out_what_is_idle() -> None:
    card = Card()
    card.release(card.use("a", HEARING))
    card.foreign = 30
    assert only(effects.UnloadSense, card.pass_time(1)).variant == "hearing"


def test_no_more_is_evicted_than_needed_and_the_least_worth_first() -> None:
    card = Card()
    for name, one in (
        ("a", choice("cheap", 10, reload_s=0.1)),
        ("b", choice("dear", 10, reload_s=9.0)),
        ("c", choice("small", 5, reload_s=0.1)),
    ):
        card.release(card.use(name, one))
    card.pass_time(1)
    gone = only(effects.UnloadSense, card.ask("d", choice("new", 25)))
    assert gone.variant == "cheap"


def test_an_old_measurement_grants_nothing() -> None:
    card = Card()
    card.now += LIMITS.stale_s + 1
    assert not found(effects.LoadSense, card.ask("a", HEARING))
    assert found(effects.LoadSense, card.measure())


def test_a_card_that_cannot_be_read_leaves_the_cpu() -> None:
    card = Card()
    card.send(events.Measured(now=card.now, taken_at=card.now, used_bytes=None))
    assert only(effects.Granted, card.ask("a", HEARING, on_cpu("ear"))).place == "cpu"
    assert not found(effects.LoadSense, card.ask("b", SIGHT))


def test_the_executive_is_not_touched_in_a_turn() -> None:
    card = Card()
    card.send(events.TurnAsked(now=card.now, turn="t", holder="h", priority=Priority.PERSON))
    card.foreign = 60
    assert not found(effects.UnloadExecutive, card.pass_time(1))
    told = card.send(events.TurnEnded(now=card.now, turn="t"))
    assert found(effects.UnloadExecutive, told)


def test_a_drifted_executive_is_put_right_after_the_turn() -> None:
    card = Card()
    card.send(events.TurnAsked(now=card.now, turn="t", holder="h"))
    told = card.send(events.ExecutiveDrifted(now=card.now, reason="spilled"))
    assert not found(effects.UnloadExecutive, told)
    told = card.send(events.TurnEnded(now=card.now, turn="t"))
    gone = only(effects.UnloadExecutive, told)
    card.held -= 50
    card.send(events.UnloadFinished(now=card.now, load=gone.load))
    assert only(effects.LoadExecutive, card.pass_time(1)).profile == "full"


def test_a_lost_executive_ends_its_turns_and_is_loaded_again() -> None:
    card = Card()
    card.send(events.TurnAsked(now=card.now, turn="t", holder="h"))
    told = card.send(events.ExecutiveLost(now=card.now))
    assert only(effects.TurnRevoked, told).turn == "t"
    card.held -= 50
    assert found(effects.LoadExecutive, card.pass_time(1))


def test_an_executive_found_after_a_restart_is_left_alone_at_first() -> None:
    card = Card()
    card.now += 1
    card.send(events.Started(now=card.now, epoch=2, profile="full"))
    card.foreign = 60
    assert not found(effects.UnloadExecutive, card.pass_time(1))
    begun = events.TurnAsked(now=card.now, turn="t", holder="h", begun=True)
    assert only(effects.Admitted, card.send(begun)).turn == "t"


def test_tokens_rise_over_a_restart() -> None:
    card = Card()
    before = card.use("a", HEARING)
    card.send(events.Started(now=card.now, epoch=2, profile="full"))
    card.measure(own=55)
    after = only(effects.Granted, card.ask("b", on_cpu("ear")))
    assert after.token > before.token


def test_a_running_operation_keeps_its_room_over_a_restart() -> None:
    card = Card()
    granted = card.use("a", HEARING)
    running = events.Running(
        token=granted.token, holder="h", variant="hearing", place="cuda", working_bytes=10
    )
    there = events.Found(variant="hearing", weights_bytes=20)
    card.send(
        events.Started(now=card.now, epoch=2, found=(there,), running=(running,), profile="full")
    )
    card.measure()
    assert not found(effects.UnloadSense, card.ask("b", SIGHT, person=True))
    told = card.release(granted)
    assert only(effects.UnloadSense, told).variant == "hearing"


def test_a_late_release_of_an_old_token_changes_nothing() -> None:
    card = Card()
    first = card.use("a", HEARING)
    card.release(first)
    second = only(effects.Granted, card.ask("b", HEARING))
    assert found(effects.Say, card.release(first))
    assert second.token in card.state.leases


def test_the_same_ask_twice_is_one_ask() -> None:
    card = Card()
    card.ask("a", HEARING)
    assert found(effects.Say, card.ask("a", HEARING))
    assert len(card.state.asks) == 1


def test_a_person_goes_before_a_job_that_came_first() -> None:
    card = Card()
    granted = card.use("a", HEARING)
    card.ask("job", HEARING)
    card.ask("person", HEARING, person=True)
    assert only(effects.Granted, card.release(granted)).ask == "person"


def test_a_job_that_has_waited_goes_before_a_person() -> None:
    card = Card()
    granted = card.use("a", HEARING)
    card.ask("job", HEARING)
    card.now += LIMITS.patience_s + 1
    card.send(events.Renewed(now=card.now - 2, holder="holder of a"))
    card.measure()
    card.ask("person", HEARING, person=True)
    assert only(effects.Granted, card.release(granted)).ask == "job"


def test_operations_of_one_sense_follow_each_other_within_the_bound() -> None:
    card = Card()
    granted = card.use("first", HEARING)
    card.ask("picture", SIGHT)
    order: list[str] = []
    told: list[Effect] = []
    for number in range(8):
        card.ask(f"sound {number}", HEARING)
    for _ in range(8):
        told = card.release(granted)
        card.pass_time(0.01)
        granted_now = found(effects.Granted, told)
        if not granted_now:
            break
        granted = granted_now[0]
        order.append(granted.ask)
    assert order == [f"sound {number}" for number in range(LIMITS.overtakes)]
    assert only(effects.UnloadSense, told).variant == "hearing"


def test_a_job_never_takes_what_a_person_waits_for() -> None:
    card = Card()
    granted = card.use("first", HEARING)
    card.ask("picture", SIGHT, person=True)
    card.ask("sound", HEARING)
    told = card.release(granted)
    assert not found(effects.Granted, told)
    assert only(effects.UnloadSense, told).variant == "hearing"


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ((choice("large", 60, 5), choice("small", 20, 5)), "small"),
        ((choice("large", 60, 5), on_cpu("slow")), "slow"),
    ],
)
def test_what_does_not_fit_goes_down_the_ladder(choices: tuple[Choice, ...], expected: str) -> None:
    card = Card()
    told = card.ask("a", *choices)
    if expected == "small":
        told = card.finish(told)
    granted = only(effects.Granted, told)
    assert (granted.variant, granted.rung) == (expected, 1)
    assert "does not fit" in granted.reason


def test_without_another_rung_the_executive_becomes_compact_after_the_turn() -> None:
    card = Card()
    card.send(events.TurnAsked(now=card.now, turn="t", holder="h"))
    told = card.ask("a", choice("large", 55, 5))
    assert "compact" in only(effects.Say, told).text
    told = card.send(events.TurnEnded(now=card.now, turn="t"))
    gone = only(effects.UnloadExecutive, told)
    card.held -= 50
    told = card.send(events.UnloadFinished(now=card.now, load=gone.load))
    assert only(effects.LoadExecutive, told).profile == "compact"
    assert only(effects.LoadSense, card.pass_time(1)).variant == "large"


def test_what_can_never_be_is_refused_with_its_bytes() -> None:
    card = Card()
    told = card.ask("a", choice("giant", 90, 5))
    assert "95 bytes" in only(effects.Refused, told).reason


def test_a_person_takes_a_later_rung_after_a_moment() -> None:
    card = Card()
    card.use("a", HEARING)
    assert not found(effects.Granted, card.ask("b", HEARING, on_cpu("ear"), person=True))
    granted = only(effects.Granted, card.tick(LIMITS.step_down_s))
    assert (granted.variant, granted.reason) == ("ear", "hearing is busy")


def test_a_load_that_fails_goes_down_the_ladder_and_is_tried_again_later() -> None:
    card = Card()
    load = only(effects.LoadSense, card.ask("a", HEARING, on_cpu("ear")))
    told = card.send(events.LoadFailed(now=card.now, load=load.load, reason="corrupt"))
    assert only(effects.Granted, told).reason == "hearing does not load"
    told = card.ask("b", HEARING)
    assert not found(effects.LoadSense, told)
    card.now += LIMITS.backoff_s
    assert found(effects.LoadSense, card.pass_time(1))


def test_a_load_that_hangs_is_given_up() -> None:
    card = Card()
    card.ask("a", HEARING)
    told = card.tick(LIMITS.load_s)
    assert only(effects.UnloadSense, told).reason == "its load hangs"


def test_an_unload_that_hangs_ends_in_a_new_worker() -> None:
    card = Card()
    card.release(card.use("a", HEARING))
    card.ask("b", SIGHT)
    told: list[Effect] = []
    for _ in range(4):
        told += card.tick(LIMITS.unload_s)
    assert found(effects.KillWorker, told)


def test_a_deadline_is_answered_with_the_next_rung() -> None:
    card = Card()
    card.use("a", HEARING)
    card.ask("b", HEARING, choice("small", 5), deadline=card.now + 3)
    refused = only(effects.Refused, card.tick(3))
    assert (refused.ask, refused.next_rung) == ("b", "small")


def test_a_dead_holder_frees_its_lease_once_the_operation_has_stopped() -> None:
    card = Card()
    granted = card.use("a", HEARING)
    told = card.send(events.HolderDied(now=card.now, holder="holder of a"))
    assert only(effects.Revoked, told).token == granted.token
    assert not found(effects.Granted, card.ask("b", HEARING))
    assert only(effects.Granted, card.release(granted)).ask == "b"


def test_a_silent_holder_loses_its_lease() -> None:
    card = Card()
    card.use("a", HEARING)
    card.now += LIMITS.heartbeat_s - 1
    card.send(events.Renewed(now=card.now, holder="holder of a"))
    assert not found(effects.Revoked, card.tick(2))
    assert found(effects.Revoked, card.tick(LIMITS.heartbeat_s))


def test_a_cancelled_ask_is_withdrawn_and_its_room_is_free() -> None:
    card = Card()
    load = only(effects.LoadSense, card.ask("a", HEARING))
    told = card.send(events.Cancelled(now=card.now, ask="a"))
    assert only(effects.Withdrawn, told).ask == "a"
    assert not found(effects.Granted, card.send(events.LoadFinished(now=card.now, load=load.load)))


def test_a_hint_is_loaded_while_nobody_waits_and_given_up_when_somebody_does() -> None:
    card = Card()
    until = card.now + 60
    told = card.send(events.Hinted(now=card.now, choice=HEARING, until=until))
    prefetch = only(effects.LoadSense, told)
    told = card.ask("a", SIGHT, person=True)
    assert only(effects.UnloadSense, told).load == prefetch.load


def test_a_prefetch_becomes_the_load_of_whoever_asks_for_it() -> None:
    card = Card()
    until = card.now + 60
    prefetch = only(
        effects.LoadSense, card.send(events.Hinted(now=card.now, choice=HEARING, until=until))
    )
    assert only(effects.Kept, card.ask("a", HEARING)).load == prefetch.load
    told = card.send(events.LoadFinished(now=card.now, load=prefetch.load))
    assert only(effects.Granted, told).ask == "a"


def test_a_hint_is_over_when_a_later_rung_has_served() -> None:
    card = Card()
    card.foreign = 39
    card.pass_time(1)
    until = card.now + 60
    assert not found(
        effects.LoadSense, card.send(events.Hinted(now=card.now, choice=HEARING, until=until))
    )
    card.release(only(effects.Granted, card.ask("a", HEARING, on_cpu("ear"), person=True)))
    card.foreign = 0
    assert not found(effects.LoadSense, card.pass_time(1)), "nobody will ask for it"


def test_programs_that_come_and_go_leave_no_habits_behind() -> None:
    card = Card()
    card.release(card.use("first", HEARING))
    for number in range(3 * keeping.MOST_HABITS):
        card.now += 1
        card.release(card.use(f"cpu {number}", on_cpu(f"embedded@{number}")))
    assert set(card.state.habits) == {"hearing"}, "only the card has room to be chosen for"
    for number in range(3 * keeping.MOST_HABITS):
        card.pass_time(1)
        card.release(card.use(f"a {number}", choice(f"variant {number}", 0, 1)))
        card.release(card.use(f"b {number}", SPEECH))
    assert len(card.state.habits) == keeping.MOST_HABITS
    assert "speech" in card.state.habits, "what is used again and again is remembered"
    assert "hearing" not in card.state.habits


def test_of_too_many_hints_the_one_that_is_soonest_over_is_forgotten() -> None:
    card = Card()
    lasting = events.Hinted(now=card.now, choice=choice("lasting", 0, 99), until=card.now + 99)
    card.send(lasting)
    for number in range(2 * keeping.MOST_HINTS):
        until = card.now + 10 + number
        card.send(events.Hinted(now=card.now, choice=choice(f"v{number}", 0, 99), until=until))
    assert len(card.state.hints) == keeping.MOST_HINTS
    assert "lasting" in card.state.hints


def test_a_pause_takes_the_executive_after_the_turn_and_work_waits() -> None:
    card = Card()
    card.release(card.use("a", HEARING))
    card.send(events.TurnAsked(now=card.now, turn="t", holder="h"))
    told = card.send(events.Paused(now=card.now))
    assert only(effects.UnloadSense, told).variant == "hearing"
    assert not found(effects.UnloadExecutive, told)
    assert found(effects.UnloadExecutive, card.send(events.TurnEnded(now=card.now, turn="t")))
    assert not found(effects.Granted, card.ask("b", on_cpu("ear")))
    assert only(effects.Granted, card.send(events.Resumed(now=card.now))).ask == "b"


def test_a_pause_may_send_work_to_the_cpu() -> None:
    card = Card()
    card.send(events.Paused(now=card.now, work=WhilePaused.CPU))
    granted = only(effects.Granted, card.ask("a", HEARING, on_cpu("ear")))
    assert (granted.place, granted.reason) == ("cpu", "paused by the owner")
    told = card.send(events.TurnAsked(now=card.now, turn="t", holder="h"))
    assert only(effects.Admitted, told).place == "cpu"


RESTING = replace(LIMITS, rest_s=60.0)


def test_after_a_time_without_work_everything_leaves_until_a_turn_comes() -> None:
    card = Card(RESTING)
    card.release(card.use("a", SPEECH))
    told = card.tick(59.0)
    assert not found(effects.UnloadExecutive, told)
    told = card.tick(1.0)
    assert only(effects.UnloadSense, told).variant == "speech"
    leaves = only(effects.UnloadExecutive, told)
    card.held = RESTING.context_bytes
    card.send(events.UnloadFinished(now=card.now, load=leaves.load))
    for _ in range(5):
        assert not found(effects.LoadExecutive, card.pass_time(5.0))
    turn = events.TurnAsked(now=card.now, turn="t", holder="p", priority=Priority.PERSON)
    comes = only(effects.LoadExecutive, card.send(turn))
    card.held += comes.bytes
    told = card.send(events.LoadFinished(now=card.now, load=comes.load))
    assert only(effects.Admitted, told).turn == "t"


@pytest.mark.parametrize("work", ["turn", "lease", "hint"])
def test_nothing_leaves_while_there_is_work(work: str) -> None:
    card = Card(RESTING)
    if work == "turn":
        card.send(events.TurnAsked(now=card.now, turn="t", holder="p"))
    elif work == "lease":
        card.use("a", SPEECH)
    else:
        card.send(events.Hinted(now=card.now, choice=SPEECH, until=card.now + 500))
    for _ in range(20):
        told = card.pass_time(5.0)
        card.send(events.Renewed(now=card.now, holder="p"))
        card.send(events.Renewed(now=card.now, holder="holder of a"))
        assert not found(effects.UnloadExecutive, told)


def test_rest_is_counted_from_the_end_of_the_last_work() -> None:
    card = Card(RESTING)
    granted = card.use("a", SPEECH)
    card.pass_time(20.0)
    card.release(granted)
    assert not found(effects.UnloadExecutive, card.tick(59.0))
    assert found(effects.UnloadExecutive, card.tick(1.0))


def test_a_dead_worker_is_started_when_its_context_has_room_again() -> None:
    card = Card()
    card.use("a", HEARING)
    card.held += 10
    card.foreign = 10
    card.pass_time(1)
    told = card.send(events.WorkerDied(now=card.now))
    assert found(effects.Revoked, told)
    assert not found(effects.StartWorker, card.pass_time(1)), "its bytes are still measured"
    card.held -= 35
    assert found(effects.StartWorker, card.pass_time(1))


def test_a_lost_sense_ends_what_ran_in_it_and_is_loaded_again_for_who_asks() -> None:
    card = Card()
    granted = card.use("a", HEARING)
    told = card.send(events.SenseLost(now=card.now, variant="hearing", reason="restarted"))
    assert only(effects.Revoked, told) == effects.Revoked(token=granted.token, reason="restarted")
    assert not card.state.leases
    assert not card.state.residences
    assert not found(effects.LoadSense, card.ask("b", SIGHT)), "its bytes are still measured"
    card.held -= 20
    assert only(effects.LoadSense, card.pass_time(1)).variant == "sight"


def test_a_loss_of_what_is_not_there_changes_nothing() -> None:
    card = Card()
    told = card.ask("a", HEARING)
    lost = card.send(events.SenseLost(now=card.now, variant="hearing"))
    assert only(effects.Say, lost).text == "hearing is not on the card"
    assert found(effects.Granted, card.finish(told)), "its load goes on"


def test_a_jobs_call_waits_while_a_persons_turn_is_in_progress() -> None:
    card = Card()
    card.send(events.TurnAsked(now=card.now, turn="t", holder="h", priority=Priority.PERSON))
    call = Choice(variant=EXECUTIVE)
    assert not found(effects.Granted, card.ask("job", call))
    assert found(effects.Granted, card.ask("person", call, person=True))


@pytest.mark.parametrize(
    "wrong",
    [
        choice("hearing", -1),
        Choice(variant="ear", place="cpu", working_bytes=3),
        Choice(variant=EXECUTIVE, working_bytes=3),
    ],
)
def test_bytes_that_cannot_be_are_refused(wrong: Choice) -> None:
    assert "cannot be" in only(effects.Refused, Card().ask("a", wrong)).reason
