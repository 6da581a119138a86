"""Which earlier turns the next one shows as they were."""

from typing import Any, cast

import pytest

from graphs.kept import above, carried
from graphs.state import TurnState

ANSWER = {"text": "So.", "found": True, "citations": [], "unsupported": []}


def ended(*, tokens: int = 1_000, **parts: Any) -> TurnState:
    """Return the state of a turn that has come to its end with two passages."""
    plain = {
        "asked": "Why?",
        "asked_id": "1:question",
        "answer": ANSWER,
        "spent": {"ask_tokens": tokens},
        "passages": [{"chunk": 7, "score": 0.9}, {"chunk": 8, "score": 0.0, "call": "recall-1"}],
        "tasks": [{"id": "recall-1"}],
    }
    return cast(TurnState, {**plain, **parts})


def carry(state: TurnState, context_tokens: int = 8_000) -> Any:
    return carried(state, context_tokens=context_tokens, answer_tokens=500)


def following(state: TurnState, new: int, **parts: Any) -> TurnState:
    """Return the state of the turn behind, with one passage of its own."""
    kept, passages = carry(state)
    return ended(
        kept=kept,
        passages=[*passages, {"chunk": new, "score": 0.5}],
        asked_id="2:question",
        **parts,
    )


def test_a_turn_stays_with_its_passages_and_calls() -> None:
    kept, passages = carry(ended())
    assert kept == [
        {
            "question": "1:question",
            "asked": "Why?",
            "passages": 2,
            "above": [],
            "tasks": [{"id": "recall-1"}],
            "tokens": 1_000,
        }
    ]
    assert [(one["chunk"], one.get("call"), one["earlier"]) for one in passages] == [
        (7, None, True),
        (8, "recall-1", True),
    ]


def test_a_second_one_follows_with_what_it_brought_itself() -> None:
    kept, passages = carry(following(ended(), 9, tokens=1_600))
    assert [(one["question"], one["passages"], one["tokens"]) for one in kept] == [
        ("1:question", 2, 1_000),
        ("2:question", 1, 1_600),
    ]
    assert [one["chunk"] for one in passages] == [7, 8, 9]


@pytest.mark.parametrize(("context_tokens", "count"), [(3_100, 2), (3_099, 0)])
def test_all_are_given_up_where_one_as_large_as_the_largest_finds_no_room(
    context_tokens: int, count: int
) -> None:
    kept, passages = carry(following(ended(), 9, tokens=1_600), context_tokens)
    assert (len(kept), len(passages)) == (count, 3 if count else 0)


@pytest.mark.parametrize(
    "parts",
    [
        {"answer": None},
        {"answer": {**ANSWER, "ended": {"budget": "time", "reason": "it ran out"}}},
        {"tokens": 0},
        {"spent": None},
        {"asked_id": None},
    ],
)
def test_a_turn_that_did_not_come_to_its_end_by_itself_does_not_stay(parts: Any) -> None:
    assert carry(ended(**parts)) == ([], [])


def test_turns_that_were_given_up_within_a_turn_take_that_one_with_them() -> None:
    assert carry({**following(ended(), 9), "kept": []}) == ([], [])


def test_a_state_without_a_turn_carries_nothing() -> None:
    assert carry(cast(TurnState, {})) == ([], [])


def test_what_the_question_found_again_is_told_by_its_numbers() -> None:
    state = following(ended(), 9)
    state["passages"][0]["again"] = 0.7
    state["passages"][1]["recalled"] = True
    assert above(state["passages"]) == [1]
    kept, passages = carry(state)
    assert kept[1]["above"] == [1]
    assert not any("again" in one or "recalled" in one for one in passages)
