"""How much of its budgets a turn has spent, and what that leaves. Pure: the time is a parameter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from graphs import repeats
from graphs.context import Limits
from graphs.state import Ended, Spent, Task


class Budget(StrEnum):
    """What ends a turn before the executive does."""

    STEPS = "steps"
    TOKENS = "tokens"
    TIME = "time"
    CALLS = "calls"


class Left(StrEnum):
    """What a turn may still do."""

    WORK = "work"  # call tools, or answer
    ANSWER = "answer"  # ask the executive once more, without tools
    NOTHING = "nothing"  # the engine answers by itself


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What is left, and which budget left no more."""

    left: Left
    ended: Ended | None = None


WORK = Verdict(left=Left.WORK)

ANSWER_TOKENS = 16
"""Less than this is no answer."""


def begun(now: datetime) -> Spent:
    """Return what a turn has spent that begins now."""
    return Spent(
        read=0, written=0, seconds=0.0, until=now.isoformat(), ask_tokens=0, ask_seconds=0.0
    )


def seconds(spent: Spent, *, taken_up: datetime, now: datetime) -> float:
    """Return how long the turn was worked on.

    What lies between the last count and the moment at which this process took the run up was not
    work: a person was asked, or the run was stopped or killed.
    """
    since = max(datetime.fromisoformat(spent["until"]), taken_up)
    return spent["seconds"] + max(0.0, (now - since).total_seconds())


def judged(
    *, rounds: int, spent: Spent, elapsed_s: float, tasks: Sequence[Task], limits: Limits
) -> Verdict:
    """Say what the budgets leave; the one that leaves least is named.

    A budget is nearly spent where another ask like the last one would leave no room for the answer.
    """
    verdicts = (
        _steps(rounds, limits),
        _tokens(spent, limits),
        _time(spent, elapsed_s, limits),
        _calls(tasks, limits),
    )
    for left in (Left.NOTHING, Left.ANSWER):
        for verdict in verdicts:
            if verdict.left is left:
                return verdict
    return WORK


def repairable(spent: Spent, elapsed_s: float, limits: Limits) -> bool:
    """Whether tokens and time are left for another ask like the last one, and one more."""
    return all(
        verdict.left is Left.WORK
        for verdict in (_tokens(spent, limits), _time(spent, elapsed_s, limits))
    )


def _steps(rounds: int, limits: Limits) -> Verdict:
    left = limits.rounds - rounds
    ended = Ended(
        budget=Budget.STEPS,
        reason=f"the executive may be asked {limits.rounds} times in a turn (limits.rounds)",
    )
    return _verdict(ended, nothing=left <= 0, nearly=left == 1)


def _tokens(spent: Spent, limits: Limits) -> Verdict:
    left = tokens_left(spent, limits)
    ask = spent["ask_tokens"]
    ended = tokens_ended(spent, limits)
    return _verdict(ended, nothing=left < max(ask, ANSWER_TOKENS), nearly=left < 2 * ask)


def tokens_left(spent: Spent, limits: Limits) -> int:
    """Return how many tokens may still be read and written."""
    return limits.tokens - spent["read"] - spent["written"]


def tokens_ended(spent: Spent, limits: Limits) -> Ended:
    """Return the end of a turn that has taken its tokens."""
    taken = spent["read"] + spent["written"]
    return Ended(
        budget=Budget.TOKENS,
        reason=f"{taken} of {limits.tokens} tokens were read and written (limits.tokens)",
    )


def _time(spent: Spent, elapsed_s: float, limits: Limits) -> Verdict:
    left = limits.seconds - elapsed_s
    ended = time_ended(elapsed_s, limits)
    return _verdict(ended, nothing=left <= 0, nearly=left < 2 * spent["ask_seconds"])


def time_ended(elapsed_s: float, limits: Limits) -> Ended:
    """Return the end of a turn that has taken its time."""
    return Ended(
        budget=Budget.TIME,
        reason=f"{elapsed_s:.0f} of {limits.seconds:g} seconds have passed (limits.seconds)",
    )


def _calls(tasks: Sequence[Task], limits: Limits) -> Verdict:
    idle = repeats.idle_rounds(tasks)
    return _verdict(same_calls(limits), nothing=False, nearly=idle + 1 >= limits.same_calls)


def same_calls(limits: Limits) -> Ended:
    """Return the end of a turn that goes round in circles."""
    return Ended(
        budget=Budget.CALLS,
        reason=(
            f"the same calls were wished for {limits.same_calls} times and their results did not "
            "change (limits.same_calls)"
        ),
    )


def circling(
    wished: Sequence[Task], tasks: Sequence[Task], limits: Limits, acts: repeats.Acts
) -> bool:
    """Whether new calls would be one round too many that brings nothing new."""
    if not all(repeats.standing(task, [*tasks, *wished], acts) for task in wished):
        return False
    return repeats.idle_rounds(tasks) + 2 >= limits.same_calls


def _verdict(ended: Ended, *, nothing: bool, nearly: bool) -> Verdict:
    if nothing:
        return Verdict(left=Left.NOTHING, ended=ended)
    return Verdict(left=Left.ANSWER, ended=ended) if nearly else WORK
