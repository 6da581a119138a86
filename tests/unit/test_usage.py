"""What a turn has taken, from the events of its run."""

from typing import Any

from agent.usage import Usage


def told(*events: dict[str, Any]) -> dict[str, Any]:
    usage = Usage()
    seen: list[Any] = []
    watch = usage.watching(seen.append)
    for event in events:
        watch(event)
    assert seen == list(events), "every event is handed on"
    return usage.told()


def ask(**parts: Any) -> dict[str, Any]:
    plain = {"prompt_tokens": 100, "cached_tokens": 0, "answer_tokens": 20}
    return {"event": "usage", **plain, **parts}


def test_asks_are_added_up_and_the_first_token_is_that_of_the_answer() -> None:
    events = (
        ask(seconds=3.0, first_s=1.0),
        {"event": "text", "text": "It"},
        ask(cached_tokens=80, answer_tokens=40, seconds=4.5, first_s=0.5),
    )
    assert told(*events) == {
        "asks": 2,
        "read": 200,
        "cached": 80,
        "written": 60,
        "estimated": False,
        "first_token_s": 0.5,
        "tokens_per_s": 10.0,
    }


def test_a_try_that_broke_off_counts_and_has_no_speed() -> None:
    used = told(ask(estimated=True))
    assert (used["read"], used["written"], used["estimated"]) == (100, 20, True)
    assert (used["first_token_s"], used["tokens_per_s"]) == (None, None)


def test_a_turn_that_asked_nobody_has_taken_nothing() -> None:
    used = told()
    assert (used["asks"], used["read"], used["tokens_per_s"]) == (0, 0, None)
