"""One question to a person, and the answers of all clients."""

import json
from typing import Any, cast

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from graphs.approvals import Action, Approve, Decision, Edit, Reject, payload, read_as_json
from graphs.state import Task
from memory.labels import USER_LABEL

ADAPTER: TypeAdapter[Approve | Edit | Reject] = TypeAdapter(Decision)
ARGS = {"to": "ann@example.org", "times": 2}
EDIT = Edit(type="edit", edited_action=Action(name="send", args=ARGS))


def task(**changes: Any) -> Task:
    plain = Task(
        id="1",
        name="send",
        arguments=ARGS,
        ruling="ask",
        reason="not part of 'answer the question'",
        round=1,
        digest="d",
        decision=None,
        note=None,
        label=USER_LABEL.to_json(),
        artifact=None,
        ok=None,
    )
    plain.update(changes)  # type: ignore[typeddict-item]  # the tests name fields of a task
    return plain


@pytest.mark.parametrize(
    ("answer", "decision"),
    [
        # Agent Chat UI
        ({"decisions": [{"type": "approve"}]}, Approve(type="approve")),
        ({"decisions": [{"type": "reject"}]}, Reject(type="reject")),
        (
            {"decisions": [{"type": "reject", "message": "Not today."}]},
            Reject(type="reject", message="Not today."),
        ),
        (
            {"decisions": [{"type": "edit", "edited_action": {"name": "send", "args": ARGS}}]},
            EDIT,
        ),
        # Agent Inbox
        ([{"type": "accept", "args": None}], Approve(type="approve")),
        (
            [{"type": "accept", "args": {"action": "send", "args": {"to": "mallory"}}}],
            Approve(type="approve"),
        ),
        ([{"type": "ignore", "args": None}], Reject(type="reject")),
        (
            [{"type": "response", "args": "Not today."}],
            Reject(type="reject", message="Not today."),
        ),
        ([{"type": "edit", "args": {"action": "send", "args": ARGS}}], EDIT),
        # bare
        ({"type": "approve"}, Approve(type="approve")),
        ({"type": "reject", "message": None}, Reject(type="reject")),
        ({"type": "edit", "edited_action": {"name": "send", "args": ARGS}}, EDIT),
        ({"type": "accept"}, Approve(type="approve")),
    ],
)
def test_the_answers_of_all_clients_are_understood(
    answer: Any, decision: Approve | Edit | Reject
) -> None:
    assert ADAPTER.validate_python(answer) == decision


WRONG: list[Any] = [
    None,
    True,
    "",
    "approve",
    "yes",
    1,
    [],
    {},
    {"type": "respond", "message": "hm"},
    {"type": "APPROVE"},
    {"type": None},
    {"approve": True},
    {"decisions": []},
    {"decisions": {}},
    {"decisions": None},
    {"decisions": [{"type": "approve"}, {"type": "approve"}]},
    {"decisions": ["approve"]},
    [{"type": "accept"}, {"type": "accept"}],
    [[{"type": "accept"}]],
    ["accept"],
    [None],
    {"type": "edit"},
    [{"type": "edit", "args": None}],
    [{"type": "edit", "args": "to ben"}],
    [{"type": "edit", "args": {"action": "send"}}],
    [{"type": "edit", "args": {"args": {}}}],
    {"type": "edit", "edited_action": {"name": "send", "args": []}},
    {"type": "edit", "edited_action": {"name": "send", "args": {}, "also": "this"}},
    [{"type": "response", "args": {"text": "no"}}],
    {"type": "reject", "message": {"text": "no"}},
]


@pytest.mark.parametrize("answer", WRONG, ids=map(repr, WRONG))
def test_what_is_no_answer_is_refused(answer: Any) -> None:
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(answer)


def test_the_question_is_readable_by_both_clients() -> None:
    shown = payload(task())
    assert json.loads(json.dumps(shown)) == shown
    (request,) = shown["action_requests"]
    assert request["name"] == "send"
    assert request["args"] == ARGS
    assert request["arguments"] == ARGS, "Agent Inbox reads `arguments`"
    (review,) = shown["review_configs"]
    assert review == {
        "action_name": "send",
        "allowed_decisions": ["approve", "edit", "reject"],
    }
    assert shown["action_request"] == {"action": "send", "args": ARGS}
    assert set(shown["config"].values()) == {True}
    assert "not part of 'answer the question'" in shown["description"]
    assert "`send`" in shown["description"]


def test_edited_fields_that_are_json_are_read_as_such() -> None:
    assert read_as_json(
        {"a": "2", "b": "[1]", "c": "null", "d": "two", "e": 3, "f": '{"g": 1}'}
    ) == {
        "a": 2,
        "b": [1],
        "c": None,
        "d": "two",
        "e": 3,
        "f": {"g": 1},
    }


class Asked(TypedDict, total=False):
    decision: dict[str, Any]


@pytest.mark.parametrize("wrong", [{"type": "sure"}, "yes", {"decisions": []}], ids=repr)
async def test_a_wrong_answer_leaves_the_question_open(wrong: Any) -> None:
    async def ask(state: Asked) -> dict[str, Any]:
        answer = interrupt(payload(task()), response_schema=cast(Any, Decision))
        return {"decision": answer.model_dump()}

    builder = StateGraph(Asked)
    builder.add_node("ask", ask)
    builder.add_edge(START, "ask")
    graph = builder.compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t", "__pregel_strict_resume": True}}
    await graph.ainvoke({}, config)
    (waiting,) = (await graph.aget_state(config)).interrupts
    with pytest.raises(ValidationError):
        await graph.ainvoke(Command(resume={waiting.id: wrong}), config)
    done = await graph.ainvoke(
        Command(resume={waiting.id: [{"type": "response", "args": "no"}]}), config
    )
    assert done["decision"] == {"type": "reject", "message": "no"}
