"""Calls that were made before, and rounds that bring nothing new."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from graphs.repeats import fingerprint, idle_rounds, standing, unchanged_since
from graphs.state import Task


def task(name: str, round_: int, *, result: str | None = "same", **parts: Any) -> Task:
    made: dict[str, Any] = {
        "id": f"{name}-{round_}",
        "name": name,
        "arguments": {},
        "digest": name,
        "decision": None,
        "ok": None if result is None else True,
        "round": round_,
        "result": result,
    }
    return cast(Task, {**made, **parts})


def rounds(names: str, **parts: Any) -> list[Task]:
    return [task(name, number, **parts) for number, name in enumerate(names, start=1)]


def acts(one: Task) -> bool:
    return one["name"].isupper()


@pytest.mark.parametrize(
    ("calls", "idle"),
    [
        ("", 0),
        ("a", 0),
        ("ab", 0),
        ("aa", 1),
        ("aaa", 2),
        ("abab", 2),
        ("abcabc", 3),
        ("abcdabcd", 4),
        ("aab", 0),
        ("aaba", 1),
    ],
)
def test_rounds_are_idle_that_bring_no_call_and_no_result_that_was_not_there(
    calls: str, idle: int
) -> None:
    assert idle_rounds(rounds(calls)) == idle


def test_a_result_that_changed_is_something_new() -> None:
    assert idle_rounds([task("a", 1, result="one"), task("a", 2, result="two")]) == 0


def test_a_round_with_one_new_call_is_not_idle() -> None:
    assert idle_rounds([task("a", 1), task("a", 2), task("b", 2)]) == 0


def test_calls_that_are_not_valid_are_the_same_if_name_and_arguments_are() -> None:
    one, other = (dict[str, Any](digest="", arguments={"n": number}) for number in (1, 2))
    assert idle_rounds([task("a", 1, **one), task("a", 2, **other)]) == 0
    assert idle_rounds([task("a", 1, **one), task("a", 2, **one)]) == 1


def stands(tasks: Sequence[Task]) -> int | None:
    """Return the round of the result that stands for the last of these calls."""
    found = standing(tasks[-1], tasks, acts)
    return None if found is None else found["round"]


@pytest.mark.parametrize(
    ("calls", "round_"),
    [
        ("a", None),
        ("ab", None),
        ("aa", 1),
        ("aaa", 1),
        ("aXa", None),
        ("aXaa", 3),
        ("XaX", 1),
        ("XYX", 1),
    ],
)
def test_the_result_of_a_call_stands_until_something_is_done(
    calls: str, round_: int | None
) -> None:
    assert stands(rounds(calls)) == round_


def test_an_act_that_failed_or_has_not_been_done_changes_nothing() -> None:
    for ok in (False, None):
        assert stands([task("a", 1), task("X", 2, ok=ok), task("a", 3, result=None)]) == 1


def test_what_a_person_declined_and_what_is_not_valid_has_no_result_that_stands() -> None:
    assert stands([task("a", 1, decision="reject"), task("a", 2)]) is None
    assert stands([task("a", 1), task("a", 2, decision="reject")]) is None
    assert stands([task("a", 1, digest=""), task("a", 2, digest="")]) is None


def test_it_is_known_since_when_a_result_is_the_same() -> None:
    tasks = [
        task("a", 1, result="one"),
        task("a", 2, result="two"),
        task("b", 3, result="two"),
        task("a", 4, result="two"),
        task("a", 5, result=None),
    ]
    assert unchanged_since(tasks[-1], "two", tasks) == 2
    assert unchanged_since(tasks[-1], "three", tasks) is None
    assert unchanged_since(tasks[0], "one", tasks) is None


def test_a_failure_is_another_result_than_a_success_with_the_same_words() -> None:
    assert fingerprint("away", ok=True) != fingerprint("away", ok=False)
    assert fingerprint("away", ok=True) == fingerprint("away", ok=True)
