"""Which status of a run may follow which."""

import pytest

from memory.runs import ENDED, MOVES, RunStatus

S = RunStatus
ALLOWED = {
    (S.ACCEPTED, S.RUNNING),
    (S.ACCEPTED, S.FAILED),
    (S.ACCEPTED, S.CANCELLED),
    (S.RUNNING, S.RUNNING),
    (S.RUNNING, S.WAITING),
    (S.RUNNING, S.PAUSED),
    (S.RUNNING, S.DONE),
    (S.RUNNING, S.FAILED),
    (S.RUNNING, S.CANCELLED),
    (S.WAITING, S.RUNNING),
    (S.WAITING, S.FAILED),
    (S.WAITING, S.CANCELLED),
    (S.PAUSED, S.RUNNING),
    (S.PAUSED, S.FAILED),
    (S.PAUSED, S.CANCELLED),
    (S.FAILED, S.RUNNING),
}


@pytest.mark.parametrize("old", list(S))
@pytest.mark.parametrize("new", list(S))
def test_a_run_moves_only_as_written_here(old: RunStatus, new: RunStatus) -> None:
    assert (old in MOVES.get(new, frozenset())) is ((old, new) in ALLOWED)


def test_every_status_can_be_reached_from_accepted() -> None:
    reached = {S.ACCEPTED}
    while more := {new for new in MOVES if MOVES[new] & reached} - reached:
        reached |= more
    assert reached == set(S)


def test_what_is_done_or_cancelled_stays_so() -> None:
    assert not [new for new in MOVES if MOVES[new] & {S.DONE, S.CANCELLED}]


def test_a_status_has_ended_if_no_process_and_no_person_is_awaited() -> None:
    assert set(S) - {S.ACCEPTED, S.RUNNING, S.WAITING, S.PAUSED} == ENDED
