"""What a turn has spent of its budgets, and what that leaves."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from graphs.context import Limits
from graphs.limits import Left, begun, circling, judged, repairable, seconds
from graphs.state import Spent, Task

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LIMITS = Limits(rounds=6, tokens=1_000, seconds=100.0, same_calls=3)


def after(**parts: Any) -> Spent:
    return cast(Spent, {**begun(NOW), **parts})


def tasks(names: str) -> list[Task]:
    return [
        cast(
            Task,
            {
                "id": str(number),
                "name": name,
                "digest": name,
                "decision": None,
                "ok": True,
                "round": number,
                "result": "same",
            },
        )
        for number, name in enumerate(names, start=1)
    ]


def told(
    *, rounds: int = 1, elapsed_s: float = 0.0, calls: str = "", **spent: Any
) -> tuple[str, str | None]:
    verdict = judged(
        rounds=rounds,
        spent=after(**spent),
        elapsed_s=elapsed_s,
        tasks=tasks(calls),
        limits=LIMITS,
    )
    return verdict.left.value, verdict.ended["budget"] if verdict.ended else None


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({}, ("work", None)),
        ({"rounds": 4}, ("work", None)),
        ({"rounds": 5}, ("answer", "steps")),
        ({"rounds": 6}, ("nothing", "steps")),
        ({"read": 500, "written": 100, "ask_tokens": 200}, ("work", None)),
        ({"read": 500, "written": 101, "ask_tokens": 200}, ("answer", "tokens")),
        ({"read": 800, "written": 1, "ask_tokens": 200}, ("nothing", "tokens")),
        ({"read": 990}, ("nothing", "tokens")),
        ({"elapsed_s": 60.0, "ask_seconds": 20.0}, ("work", None)),
        ({"elapsed_s": 61.0, "ask_seconds": 20.0}, ("answer", "time")),
        ({"elapsed_s": 100.0}, ("nothing", "time")),
        ({"calls": "aa"}, ("work", None)),
        ({"calls": "aaa"}, ("answer", "calls")),
        ({"calls": "aaa", "elapsed_s": 100.0}, ("nothing", "time")),
        ({"rounds": 5, "calls": "aaa"}, ("answer", "steps")),
    ],
)
def test_the_budget_that_leaves_least_decides(
    state: dict[str, Any], expected: tuple[str, str | None]
) -> None:
    assert told(**state) == expected


def test_the_reason_names_the_figures_and_the_setting() -> None:
    verdict = judged(
        rounds=1,
        spent=after(read=990, written=4),
        elapsed_s=0.0,
        tasks=[],
        limits=LIMITS,
    )
    assert verdict.left is Left.NOTHING
    assert verdict.ended is not None
    assert verdict.ended["reason"] == ("994 of 1000 tokens were read and written (limits.tokens)")


def test_time_counts_from_the_last_count_and_goes_on_in_another_process() -> None:
    spent = after(seconds=5.0)
    later = NOW + timedelta(seconds=10)
    assert seconds(spent, taken_up=NOW, now=later) == 15.0
    assert seconds(spent, taken_up=NOW - timedelta(days=1), now=later) == 15.0


def test_time_in_which_nobody_worked_does_not_count() -> None:
    spent = after(seconds=5.0)
    tomorrow = NOW + timedelta(days=1)
    assert seconds(spent, taken_up=tomorrow, now=tomorrow + timedelta(seconds=2)) == 7.0


def test_a_clock_that_is_set_back_takes_no_time_away() -> None:
    assert seconds(after(seconds=5.0), taken_up=NOW, now=NOW - timedelta(hours=1)) == 5.0


@pytest.mark.parametrize("period", [1, 2, 3, 4])
def test_a_circle_is_found_before_its_calls_are_made_a_third_time(period: int) -> None:
    made = ""
    while not circling(
        tasks(made + (new := "abcd"[len(made) % period]))[-1:],
        tasks(made),
        LIMITS,
        lambda _: False,
    ):
        made += new
        assert len(made) < 20
    assert len(made) == period + 1 <= 5


def test_a_repair_takes_room_for_two_asks() -> None:
    assert repairable(after(read=500, ask_tokens=200, ask_seconds=20.0), 60.0, LIMITS)
    assert not repairable(after(read=700, ask_tokens=200), 0.0, LIMITS)
    assert not repairable(after(ask_seconds=30.0), 50.0, LIMITS)
