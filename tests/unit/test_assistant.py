"""The assistant's wiring: routers and the drawing."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.types import Send

from agent.testing import ScriptedExecutive
from graphs.assistant import begin, build, route_calls, route_files, route_question
from graphs.context import Step
from graphs.state import TurnInput, TurnState, collected

DRAWING = """\
---
config:
  flowchart:
    curve: linear
---
graph TD;
    __start__([<p>__start__</p>]):::first
    begin(begin)
    perceive(perceive)
    recall(recall)
    reason(reason)
    approve(approve)
    act(act)
    speak(speak)
    __end__([<p>__end__</p>]):::last
    __start__ --> begin;
    act --> reason;
    approve -.-> act;
    begin -.-> perceive;
    begin -.-> recall;
    perceive --> recall;
    reason -.-> __end__;
    reason -.-> act;
    reason -.-> approve;
    reason -.-> speak;
    recall -.-> __end__;
    recall -.-> reason;
    speak --> __end__;
    approve -.-> approve;
    classDef default fill:#f2f0ff,line-height:1.2
    classDef first fill-opacity:0
    classDef last fill:#bfb6fc
"""


def state(**parts: Any) -> TurnState:
    return cast(TurnState, parts)


def test_each_file_is_perceived_in_a_task_of_its_own() -> None:
    files = [{"path": "/a", "name": "a"}, {"path": "/b", "name": "b"}]
    sent = route_files(state(handed=files, asked=" what? "))
    assert [(one.node, one.arg) for one in cast(list[Send], sent)] == [
        ("perceive", {"file": file, "role": "material"}) for file in files
    ]


@pytest.mark.parametrize("asked", ["", "  \n"])
def test_without_a_typed_question_the_files_ask(asked: str) -> None:
    sent = route_files(state(handed=[{"path": "/a", "name": "a"}], asked=asked))
    assert [one.arg["role"] for one in cast(list[Send], sent)] == ["question"]


def test_without_files_there_is_nothing_to_perceive() -> None:
    assert route_files(state(handed=[], asked="what?")) == "recall"


def test_where_nothing_was_asked_nothing_is_reasoned() -> None:
    assert route_question(state(problem="Nothing was asked.")) == "__end__"
    assert route_question(state(problem=None)) == "reason"


@pytest.mark.parametrize(
    ("answer", "voice", "rulings", "node"),
    [
        ({"text": "So."}, None, [], "__end__"),
        ({"text": "So."}, "/out.wav", [], "speak"),
        ({"text": "So."}, "/out.wav", ["ask"], "speak"),
        (None, None, ["allow"], "act"),
        (None, None, ["refuse"], "act"),
        (None, None, ["allow", "ask"], "approve"),
    ],
)
def test_calls_are_asked_for_then_run_then_answered(
    answer: Any, voice: str | None, rulings: list[str], node: str
) -> None:
    tasks = [{"ruling": ruling, "decision": None} for ruling in rulings]
    assert route_calls(state(answer=answer, voice=voice, tasks=tasks)) == node


def test_once_a_person_has_decided_on_all_the_calls_run() -> None:
    tasks = [{"ruling": "ask", "decision": "reject"}, {"ruling": "ask", "decision": "approve"}]
    assert route_calls(state(answer=None, voice=None, tasks=tasks)) == "act"


async def test_a_turn_begins_without_what_the_last_one_left(new_step: Callable[..., Step]) -> None:
    update = await begin(
        state(question="new?", files=[{"path": "/a", "name": "a"}], speak_to="/x.wav", messages=[]),
        new_step(executive=ScriptedExecutive([])),
    )
    assert update["asked"] == "new?"
    assert update["handed"] == [{"path": "/a", "name": "a"}]
    assert update["voice"] == "/x.wav"
    inbox: dict[str, Any] = {"question": "", "files": [], "speak_to": None}
    assert {key: update[key] for key in inbox} == inbox
    cleared = set(TurnState.__annotations__) - {"collection", "messages", "asked_by", "summary"}
    assert cleared <= set(update)
    assert collected([1], update["percepts"]) == []
    assert json.loads(json.dumps(update)) == update, "state holds references, not bodies"


@pytest.mark.parametrize(
    ("messages", "asked"),
    [
        ([HumanMessage("from chat?")], "from chat?"),
        ([HumanMessage("old"), AIMessage("So.")], ""),
        ([], ""),
    ],
)
async def test_a_chat_clients_last_message_is_the_question(
    new_step: Callable[..., Step], messages: list[Any], asked: str
) -> None:
    new_step = partial(new_step, executive=ScriptedExecutive([]))
    update = await begin(state(messages=messages), new_step())
    assert update["asked"] == asked
    typed = await begin(state(messages=messages, question="typed?"), new_step())
    assert typed["asked"] == "typed?"


def test_percepts_are_collected_in_a_turn() -> None:
    assert collected([1], [2, 3]) == [1, 2, 3]
    assert collected([1], []) == [1]
    assert collected([1], None) == []


def test_the_graph_is_drawn(new_step: Callable[..., Step]) -> None:
    drawn = build(new_step().services).compile().get_graph().draw_mermaid()
    assert drawn.replace("\t", "    ") == DRAWING
    assert len(drawn.splitlines()) <= 40


def test_the_input_tells_a_client_what_it_may_hand_over(new_step: Callable[..., Step]) -> None:
    schema = build(new_step().services).compile().get_input_jsonschema()
    assert set(schema["properties"]) == set(TurnInput.__annotations__)
    assert "required" not in schema
