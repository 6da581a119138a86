"""Calls of the executive: judged, decided on, run, each once."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from pydantic import BaseModel, ConfigDict

from graphs.act import _decided as decided
from graphs.act import act, waiting, wished
from graphs.approvals import Action, Approve, Edit, Reject
from graphs.context import Limits, Step
from graphs.executive import CallPart
from graphs.fitting.parts import RESULT_CHARACTERS
from graphs.state import Task, TurnState
from graphs.view import worked
from memory.labels import ENGINE_LABEL, USER_LABEL, Label, Origin
from tools.base import Effect, Tool, ToolContext, ToolResult
from tools.executor import RESULT_CHARACTERS_LIMIT
from tools.reread import parts_of

NewStep = Callable[..., Step]
MAIL = Label(origins=frozenset({Origin.MAIL}))


class Words(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str
    times: int = 1
    tags: tuple[str, ...] = ()


def tool(
    name: str, effect: Effect, called: list[Any], *, chunks: Sequence[int] = (), together: int = 0
) -> Tool[Words]:
    """Return a tool that notes its calls; `together` of them wait for each other."""
    barrier = asyncio.Barrier(together) if together else None

    async def run(wanted: Words, context: ToolContext) -> ToolResult:
        if barrier is not None:
            await barrier.wait()
        called.append((name, wanted.text, context.label, context.collections, context.token))
        return ToolResult(
            text=f"{name} {wanted.text}", ok=True, label=ENGINE_LABEL, chunks=tuple(chunks)
        )

    return Tool(name=name, description="", arguments=Words, effect=effect, run=run)


def call(name: str, text: str = "hi", number: str = "1", **more: Any) -> CallPart:
    return CallPart(id=number, name=name, arguments={"text": text, **more})


def state(tasks: Sequence[Task] = (), **parts: Any) -> TurnState:
    """Return what a node needs of the state."""
    plain = {"tasks": list(tasks), "rounds": 0, "passages": [], "collection": ""}
    return cast(TurnState, {**plain, **parts})


@pytest.fixture
def called() -> list[Any]:
    return []


@pytest.fixture
def tools(called: list[Any]) -> list[Tool[Words]]:
    return [
        tool("look", Effect.READ, called),
        tool("note", Effect.LOCAL, called),
        tool("send", Effect.OUTWARD, called),
    ]


def test_a_call_is_judged_when_it_is_wished_for(
    new_step: NewStep, tools: list[Tool[Words]]
) -> None:
    calls = [call(name, number=name) for name in ("look", "note", "send", "Send")]
    rulings = [task["ruling"] for task in wished(calls, state(), new_step(tools=tools), USER_LABEL)]
    assert rulings == ["allow", "allow", "ask", "refuse"]
    tasks = wished(calls, state(rounds=2), new_step(tools=tools), USER_LABEL.join(MAIL))
    assert [task["ruling"] for task in tasks] == ["allow", "ask", "ask", "refuse"]
    assert [task["round"] for task in tasks] == [3] * 4
    assert all(Label.from_json(task["label"]) == USER_LABEL.join(MAIL) for task in tasks)
    assert "There is no tool 'Send'" in tasks[3]["reason"]
    assert all(type(task["ruling"]) is str for task in tasks), "state is plain JSON"


def test_calls_beyond_a_rounds_limit_are_said_to_be_left_out(
    new_step: NewStep, tools: list[Tool[Words]]
) -> None:
    events: list[Any] = []
    step = new_step(tools=tools, events=events, limits=Limits(calls_per_round=2))
    calls = [call("look", text=str(number), number=str(number)) for number in range(5)]
    tasks = wished(calls, state(), step, USER_LABEL)
    assert [task["ruling"] for task in tasks] == ["allow", "allow", "refuse"]
    assert "This call and 2 after it were not made" in tasks[2]["reason"]
    (event,) = events
    assert (event["event"], event["what"], event["count"], event["of"]) == (
        "left_out",
        "calls",
        3,
        5,
    )


def test_an_answer_with_two_hundred_calls_is_refused_as_a_whole(
    new_step: NewStep, tools: list[Tool[Words]]
) -> None:
    events: list[Any] = []
    calls = [call("look", text=str(number), number=str(number)) for number in range(200)]
    (task,) = wished(calls, state(), new_step(tools=tools, events=events), USER_LABEL)
    assert (task["ruling"], task["fault"]) == ("refuse", "too_many")
    assert "200 calls, so none of them was made" in task["reason"]
    assert [(event["event"], event.get("count")) for event in events] == [
        ("left_out", 200),
        ("call_refused", None),
    ]


def test_what_is_approved_and_shown_again_has_the_types_of_the_tool(
    new_step: NewStep, tools: list[Tool[Words]]
) -> None:
    calls = [call("send", times="2", number="a"), call("send", times=2.0, number="b")]
    tasks = wished(calls, state(), new_step(tools=tools), USER_LABEL)
    assert [task["arguments"] for task in tasks] == [{"text": "hi", "times": 2}] * 2
    assert len({task["digest"] for task in tasks}) == 1


@pytest.mark.parametrize(
    ("made", "fault", "meant"),
    [
        (CallPart(id="1", name="", arguments={}, fault="It names no tool."), "unreadable", None),
        (CallPart(id="1", name="Look", arguments={"text": "x"}), "unknown_tool", "look"),
        (CallPart(id="1", name="l\u043eok", arguments={}), "unknown_tool", "look"),
        (CallPart(id="1", name="fly", arguments={}), "unknown_tool", None),
        (CallPart(id="1", name="look", arguments={"text": 5}), "arguments", "look"),
        (CallPart(id="1", name="look", arguments={"text": "x" * 100_000}), "too_large", None),
    ],
)  # fmt: skip
async def test_a_call_that_is_not_valid_is_never_run_and_says_why(
    new_step: NewStep,
    tools: list[Tool[Words]],
    called: list[Any],
    made: CallPart,
    fault: str,
    meant: str | None,
) -> None:
    step = new_step(tools=tools)
    (task,) = wished([made], state(), step, USER_LABEL)
    assert (task["ruling"], task["fault"], task["meant"]) == ("refuse", fault, meant)
    assert task["name"].isascii()
    assert task["name"]
    assert len(str(task["arguments"])) < 100
    (done,) = (await act(state([task]), step))["tasks"]
    assert not called
    stored = await step.services.artifacts.get([done["artifact"] or ""])
    assert stored[done["artifact"] or ""].body["text"] == task["reason"]


async def test_tools_that_a_tool_finds_are_shown_from_then_on(new_step: NewStep) -> None:
    async def run(_: Words, __: ToolContext) -> ToolResult:
        return ToolResult(text="these", ok=True, label=ENGINE_LABEL, tools=("note", "look"))

    finder = Tool(name="find", description="", arguments=Words, effect=Effect.READ, run=run)
    step = new_step(tools=[finder])
    tasks = wished([call("find")], state(), step, USER_LABEL)
    update = await act(state(tasks, tools_shown=["look", "find"]), step)
    assert update["tools_shown"] == ["look", "find", "note"]


def test_every_task_of_a_turn_has_an_id_of_its_own(
    new_step: NewStep, tools: list[Tool[Words]]
) -> None:
    step = new_step(tools=tools)
    calls = [call("look", text) for text in "ab"]
    first = wished(calls, state(), step, USER_LABEL)
    second = wished(calls, state(first, rounds=1), step, USER_LABEL)
    assert len({task["id"] for task in [*first, *second]}) == 4


async def test_results_of_calls_under_the_same_id_are_kept_apart(
    new_step: NewStep, tools: list[Tool[Words]]
) -> None:
    step = new_step(tools=tools)
    tasks = wished([call("look", "a"), call("look", "b")], state(), step, USER_LABEL)
    done = (await act(state(tasks), step))["tasks"]
    more = wished([call("look", "c")], state(done, rounds=1), step, USER_LABEL)
    last = (await act(state([*done, *more], rounds=1), step))["tasks"]
    stored = await step.services.artifacts.get([task["artifact"] or "" for task in last])
    assert [stored[task["artifact"] or ""].body["text"] for task in last] == [
        "look a",
        "look b",
        "look c",
    ]


async def test_calls_of_one_round_run_at_the_same_time(
    new_step: NewStep, called: list[Any]
) -> None:
    step = new_step(tools=[tool("look", Effect.READ, called, together=3)])
    calls = [call("look", text, text) for text in "abc"]
    async with asyncio.timeout(5):
        await act(state(wished(calls, state(), step, USER_LABEL)), step)
    assert len(called) == 3


async def test_a_tool_knows_where_it_may_look_and_what_was_in_view(
    new_step: NewStep, tools: list[Tool[Words]], called: list[Any]
) -> None:
    step = new_step(tools=tools)
    tasks = wished([call("look")], state(), step, MAIL)
    await act(state(tasks, collection="manuals"), step)
    assert called == [("look", "hi", MAIL, ("manuals", "memory:owner", "thread:t"), 7)]


async def test_the_same_call_again_is_not_made_in_this_round_nor_the_next(
    new_step: NewStep, tools: list[Tool[Words]], called: list[Any]
) -> None:
    step = new_step(tools=tools)
    tasks = wished([call("note"), call("note", times=1)], state(), step, USER_LABEL)
    done = (await act(state(tasks), step))["tasks"]
    again = wished([call("note")], state(done, rounds=1), step, USER_LABEL)
    last = (await act(state([*done, *again]), step))["tasks"]
    assert len(called) == 1
    assert [task["ok"] for task in last] == [True, False, False]


def test_the_first_task_that_a_person_must_decide_on_waits(
    new_step: NewStep, tools: list[Tool[Words]]
) -> None:
    step = new_step(tools=tools)
    tasks = wished([call("look"), call("send", "a"), call("send", "b")], state(), step, USER_LABEL)
    assert waiting([]) is None
    assert waiting(tasks[:1]) is None
    assert waiting(tasks) is tasks[1]
    tasks[1]["decision"] = "reject"
    assert waiting(tasks) is tasks[2]
    tasks[2]["decision"] = "approve"
    assert waiting(tasks) is None


async def test_what_was_approved_runs_and_what_was_declined_does_not(
    new_step: NewStep, tools: list[Tool[Words]], called: list[Any]
) -> None:
    step = new_step(tools=tools)
    one, other = wished([call("send", "a"), call("send", "b")], state(), step, USER_LABEL)
    tasks = [
        decided(one, Approve(type="approve"), step),
        decided(other, Reject(type="reject", message="Not to Ben."), step),
    ]
    done = (await act(state(tasks), step))["tasks"]
    assert [text for _, text, *_ in called] == ["a"]
    assert [task["ok"] for task in done] == [True, False]
    stored = await step.services.artifacts.get([task["artifact"] or "" for task in done])
    assert stored[done[1]["artifact"] or ""].body["text"] == "The user declined this: Not to Ben."


async def test_an_act_that_nobody_decided_on_does_not_run(
    new_step: NewStep, tools: list[Tool[Words]], called: list[Any]
) -> None:
    step = new_step(tools=tools)
    done = await act(state(wished([call("send")], state(), step, USER_LABEL)), step)
    assert not called
    assert done["tasks"][0]["ok"] is False


def test_a_person_is_not_asked_again_about_what_was_declined(
    new_step: NewStep, tools: list[Tool[Words]]
) -> None:
    step = new_step(tools=tools)
    (task,) = wished([call("send")], state(), step, USER_LABEL)
    declined = decided(task, Reject(type="reject", message="No."), step)
    same, other = wished(
        [call("send"), call("send", "else")], state([declined], rounds=1), step, USER_LABEL
    )
    assert (same["decision"], same["note"]) == ("reject", "No.")
    assert other["decision"] is None


def edit(step: Step, args: dict[str, Any], name: str = "send") -> Task:
    (task,) = wished([call("send")], state(), step, USER_LABEL)
    return decided(task, Edit(type="edit", edited_action=Action(name=name, args=args)), step)


async def test_an_edited_call_is_judged_anew_and_approved_as_it_was_edited(
    new_step: NewStep, tools: list[Tool[Words]], called: list[Any]
) -> None:
    step = new_step(tools=tools)
    (plain,) = wished([call("send")], state(), step, USER_LABEL)
    edited = edit(step, {"text": "ho"})
    assert edited["digest"] not in ("", plain["digest"])
    assert edited["decision"] == "approve"
    await act(state([edited]), step)
    assert [text for _, text, *_ in called] == ["ho"]


async def test_edited_fields_that_arrive_as_text_are_read(
    new_step: NewStep, tools: list[Tool[Words]]
) -> None:
    step = new_step(tools=tools)
    assert edit(step, {"text": "5", "times": "2"})["arguments"] == {"text": "5", "times": 2}
    listed = edit(step, {"text": "ho", "times": "2", "tags": '["a", "b"]'})
    assert listed["arguments"] == {"text": "ho", "times": 2, "tags": ["a", "b"]}
    assert listed["digest"]


async def test_an_edit_that_is_not_valid_does_not_run(
    new_step: NewStep, tools: list[Tool[Words]], called: list[Any]
) -> None:
    step = new_step(tools=tools)
    done = await act(state([edit(step, {"text": "ho", "times": "many"})]), step)
    assert not called
    assert done["tasks"][0]["ok"] is False


def test_an_edit_cannot_name_another_tool(new_step: NewStep, tools: list[Tool[Words]]) -> None:
    edited = edit(new_step(tools=tools), {"text": "hi"}, name="note")
    assert edited["decision"] == "reject"
    assert "'note'" in str(edited["note"])


async def test_of_a_huge_result_the_head_is_shown_and_all_that_is_kept_can_be_read_again(
    new_step: NewStep,
) -> None:
    size = RESULT_CHARACTERS_LIMIT + 7
    whole = " ".join(f"{number:06}" for number in range(size // 7 + 1))[:size]

    async def talks(_: Words, __: ToolContext) -> ToolResult:
        return ToolResult(text=whole, ok=True, label=MAIL)

    long = Tool(name="long", description="", arguments=Words, effect=Effect.READ, run=talks)
    events: list[Any] = []
    step = new_step(tools=[long], events=events)
    update = await act(state(wished([call("long")], state(), step, USER_LABEL)), step)
    (task,) = update["tasks"]
    bodies = await step.services.artifacts.get([task["artifact"]])
    text = bodies[task["artifact"]].body["text"]
    assert text == (
        f"[the last 7 of {size} characters of this result are not kept]\n"
        + whole[:RESULT_CHARACTERS_LIMIT]
    )
    assert {"event": "left_out", "what": "characters of the result of long", "count": 7} | {
        "of": size,
        "why": "a result has a bound",
    } in events
    ((result,),) = worked([task], bodies, {})
    assert result.text == text[:RESULT_CHARACTERS]
    assert result.characters == len(text)
    assert "".join(parts_of(text, 2_000)).endswith(whole[:RESULT_CHARACTERS_LIMIT])


async def test_passages_that_a_tool_finds_come_into_view_under_their_numbers(
    new_step: NewStep, called: list[Any]
) -> None:
    step = new_step(tools=[tool("look", Effect.READ, called, chunks=[7, 9])])
    tasks = wished([call("look")], state(), step, USER_LABEL)
    update = await act(state(tasks, passages=[{"chunk": 9, "score": 0.5}]), step)
    assert [passage["chunk"] for passage in update["passages"]] == [9, 7]
    (task,) = update["tasks"]
    stored = await step.services.artifacts.get([task["artifact"]])
    assert stored[task["artifact"]].body["text"] == "Found the passages [1] [2]."


async def test_new_passages_are_named_by_the_first_and_the_last(
    new_step: NewStep, called: list[Any]
) -> None:
    step = new_step(tools=[tool("look", Effect.READ, called, chunks=[7, 9, 5, 3])])
    tasks = wished([call("look")], state(), step, USER_LABEL)
    update = await act(state(tasks, passages=[{"chunk": 9, "score": 0.5}]), step)
    assert [passage["chunk"] for passage in update["passages"]] == [9, 7, 5, 3]
    stored = await step.services.artifacts.get([update["tasks"][0]["artifact"]])
    (artifact,) = stored.values()
    assert artifact.body["text"] == "Found the passages [1] [2] to [4]."


async def test_a_node_that_runs_again_stores_nothing_twice(
    new_step: NewStep, tools: list[Tool[Words]], called: list[Any]
) -> None:
    step = new_step(tools=tools)
    before = state(wished([call("note")], state(), step, USER_LABEL))
    first = await act(before, step)
    again = await act(before, step)
    assert [task["artifact"] for task in first["tasks"]] == [
        task["artifact"] for task in again["tasks"]
    ]
    assert len(called) == 1
