"""Calls that are not valid go back twice; then the turn goes on. Many tools are chosen from."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from pydantic import BaseModel, ConfigDict

from agent.bench.bare import Turned, turn
from agent.testing import Scripted, ScriptedExecutive, ScriptedReply
from graphs.context import Limits
from graphs.executive import CallPart, EndReason
from graphs.find_tools import find_tools
from graphs.offers import _asked_lately, offered, written_call
from graphs.tools_shown import FINDER, chosen, matching, narrowed
from memory.labels import ENGINE_LABEL
from tools.base import Effect, Tool, ToolContext, ToolResult, ToolSpec


class Words(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str


class Ran(list[tuple[str, str]]):
    """What was run, in order."""

    def tool(self, name: str, description: str = "", *, always: bool = False) -> Tool[Words]:
        async def run(wanted: Words, _: ToolContext) -> ToolResult:
            self.append((name, wanted.text))
            return ToolResult(text=f"{name} done", ok=True, label=ENGINE_LABEL)

        return Tool(
            name=name,
            description=description or name,
            arguments=Words,
            effect=Effect.READ,
            run=run,
            always_shown=always,
        )


def call(name: str, **arguments: Any) -> ScriptedReply:
    return ScriptedReply(calls=(CallPart(id="c", name=name, arguments=arguments),))


async def turned(
    ran: Ran, *script: Scripted, names: tuple[str, ...] = ("look", "note"), **limits: int
) -> tuple[Turned, ScriptedExecutive]:
    executive = ScriptedExecutive(script)
    tools = [ran.tool(name) for name in names]
    found = await turn(executive, tools, "What is it?", limits=Limits(**limits))
    assert not executive.left, "the script has to be asked for to its end"
    return found, executive


def happened(found: Turned) -> list[str]:
    wanted = ("call_refused", "call_asked_again", "call_given_up")
    return [event["event"] for event in found.events if event["event"] in wanted]


async def test_the_first_time_a_model_is_told_why_and_asked_as_before() -> None:
    ran = Ran()
    found, executive = await turned(ran, call("look"), call("look", text="a"), "So.")
    assert found.answer == "So."
    assert ran == [("look", "a")]
    assert happened(found) == ["call_refused", "call_asked_again"]
    prompt, wish = executive.asked[1]
    assert "text: Field required" in str(prompt.messages[-1].content)
    assert (len(wish.tools), wish.must_call) == (2, False)


async def test_the_second_time_the_answer_is_bound_to_the_tool_that_was_meant() -> None:
    ran = Ran()
    found, executive = await turned(
        ran, call("Look"), call("look", text=1), call("look", text="a"), "So."
    )
    assert found.answer == "So."
    assert ran == [("look", "a")]
    wish = executive.asked[2][1]
    assert wish.must_call
    assert [tool.name for tool in wish.tools] == ["look"]
    assert not executive.asked[3][1].must_call


async def test_where_it_is_not_clear_what_was_meant_the_answer_is_bound_to_any_tool() -> None:
    ran = Ran()
    _, executive = await turned(ran, call("fly"), call("swim"), call("look", text="a"), "So.")
    wish = executive.asked[2][1]
    assert wish.must_call
    assert [tool.name for tool in wish.tools] == ["look", "note"]


async def test_after_two_repairs_the_turn_goes_on_without_the_call_and_says_so() -> None:
    ran = Ran()
    wrong = [call("look"), call("look", text=1), call("look", text=[])]
    found, executive = await turned(ran, *wrong, call("note", text="b"), "So.")
    assert found.answer == "So."
    assert ran == [("note", "b")]
    assert happened(found).count("call_given_up") == 1
    assert [tool.name for tool in executive.asked[3][1].tools] == ["note"]
    assert [tool.name for tool in executive.asked[4][1].tools] == ["note"]


async def test_where_nothing_else_is_clear_the_turn_ends_in_words() -> None:
    ran = Ran()
    found, executive = await turned(ran, call("fly"), call("swim"), call("dive"), "So.")
    assert found.answer == "So."
    assert not ran
    assert executive.asked[3][1].tools == ()


async def test_repairs_are_counted_over_the_whole_turn() -> None:
    ran = Ran()
    found, executive = await turned(
        ran,
        call("look"),
        call("look", text="a"),
        call("note"),
        call("note", text="b"),
        call("look", text=3),
        "So.",
        rounds=9,
    )
    assert ran == [("look", "a"), ("note", "b")]
    assert [wish.must_call for _, wish in executive.asked] == [False] * 3 + [True] + [False] * 2
    assert happened(found)[-1] == "call_given_up"


async def test_a_bound_call_that_was_cut_off_is_given_up_too() -> None:
    ran = Ran()
    cut = ScriptedReply(text="", reason=EndReason.LENGTH)
    found, _ = await turned(ran, call("fly"), call("swim"), cut, cut, "So.")
    assert found.answer == "So."
    assert happened(found)[-1] == "call_given_up"
    assert "cut off" in found.tasks[-1]["reason"]


async def test_valid_calls_beside_a_faulty_one_are_made() -> None:
    ran = Ran()
    both = ScriptedReply(
        calls=(
            CallPart(id="a", name="look", arguments={"text": "a"}),
            CallPart(id="b", name="look", arguments={}),
        )
    )
    await turned(ran, both, call("look", text="b"), "So.")
    assert ran == [("look", "a"), ("look", "b")]


async def test_words_that_are_a_call_are_not_run_and_not_the_answer() -> None:
    ran = Ran()
    words = '<tool_call>{"name": "look", "arguments": {"text": "a"}}</tool_call>'
    found, _ = await turned(ran, words, "So.")
    assert not ran
    assert found.answer == "So."
    assert happened(found) == ["call_refused", "call_asked_again"]


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "look", "arguments": {}}',
        '```json\n{"name": "look", "parameters": {}}\n```',
        '[{"name": "look", "arguments": {}}]',
        '{"function": {"name": "look", "arguments": "{}"}}',
        '{"tool_calls": [{"function": {"name": "look", "arguments": {}}}]}',
        '{"tool": "look", "args": {}}',
        '{"name": "look", "arguments": {"text": "cut sho',
        " <tool_call> whatever",
    ],
)
def test_a_call_written_as_words_is_known(text: str) -> None:
    assert written_call(text, ["look"])


@pytest.mark.parametrize(
    "text",
    [
        "I would call look with a text.",
        'The call is {"name": "look", "arguments": {}}, as you asked.',
        '{"name": "Ann", "arguments": {}}',
        '{"name": "look"}',
        "[1] The pump is cleaned [2].",
        '{"a": 1}',
        "",
    ],
)
def test_an_answer_about_calls_is_an_answer(text: str) -> None:
    assert not written_call(text, ["look"])


def spec(name: str, description: str = "", *, always: bool = False, **fields: str) -> ToolSpec:
    properties = {key: {"type": "string", "description": text} for key, text in fields.items()}
    return ToolSpec(
        name=name,
        description=description,
        parameters={"type": "object", "properties": properties},
        effect=Effect.READ,
        always_shown=always,
    )


MANY = [
    spec("recall", "Search documents.", always=True),
    spec("set_timer", "Start a countdown.", minutes="how long"),
    spec("add_event", "Put an appointment into the calendar.", day="when it is"),
    spec("convert_units", "Convert a quantity.", unit="kilometres, miles, pounds"),
    spec("send_mail", "Write to somebody."),
    spec("play_music", "Play a song."),
    spec(FINDER, "Find tools.", always=True),
]


def test_with_few_tools_all_are_shown_and_nothing_finds_more() -> None:
    assert chosen(MANY, "anything", limit=6) == tuple(one.name for one in MANY[:6])


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("Set a timer for the eggs", "set_timer"),
        ("an appointment on Monday", "add_event"),
        ("How many miles are 5 kilometres?", "convert_units"),
        ("play songs", "play_music"),
    ],
)
def test_with_many_those_that_match_name_description_or_arguments_are_shown(
    question: str, name: str
) -> None:
    shown = chosen(MANY, question, limit=2)
    assert shown == tuple(one.name for one in MANY if one.name in ("recall", name, FINDER))


def test_a_model_without_judgement_is_shown_only_what_matches_nearly_best() -> None:
    assert narrowed(MANY, "play a song") == ("play_music",)
    assert narrowed(MANY, "xyzzy") == tuple(one.name for one in MANY)
    same = [spec(f"mail_{number}", "Write mail.") for number in range(5)]
    assert len(narrowed(same, "write a mail")) == 3


def test_what_was_called_stays_and_the_order_is_that_of_registration() -> None:
    shown = chosen(MANY, "play music", limit=3, called=["send_mail"])
    assert shown == ("recall", "send_mail", "play_music", FINDER)


def test_a_tool_is_found_by_what_it_does() -> None:
    assert [one.name for one in matching(MANY, "calendar", limit=3)] == ["add_event"]
    assert matching(MANY, "zebra", limit=3) == []


def test_a_question_that_goes_on_from_the_last_one_is_shown_its_tool() -> None:
    state: Any = {
        "asked": "And tomorrow?",
        "messages": [
            HumanMessage("Set a timer"),
            AIMessage("Done."),
            HumanMessage("And tomorrow?"),
        ],
    }
    assert "set_timer" in chosen(MANY, _asked_lately(state), limit=2)


async def test_a_turn_with_many_tools_shows_some_and_finds_the_others_on_demand() -> None:
    ran = Ran()
    tools = [ran.tool(f"tool_{number}", f"Does the {number}th thing.") for number in range(20)]
    tools.append(ran.tool("weather", "Tell how the weather will be."))
    tools.append(find_tools([tool.spec for tool in tools]))  # type: ignore[arg-type]  # another tool's arguments
    executive = ScriptedExecutive(
        [call(FINDER, query="weather forecast"), call("weather", text="Bern"), "Sunny."]
    )
    found = await turn(executive, tools, "Shall I take a coat?", limits=Limits(tools_shown=4))
    offers = [[tool.name for tool in wish.tools] for _, wish in executive.asked]
    assert "weather" not in offers[0]
    assert len(offers[0]) == 5
    assert offers[0][-1] == FINDER
    assert offers[1] == [*offers[0], "weather"] == offers[2]
    assert ran == [("weather", "Bern")]
    left = [event for event in found.events if event.get("what") == "tools"]
    assert [(event["count"], event["of"]) for event in left] == [(17, 21)]
    assert "weather" in left[0]["names"]


def step_with(tools: Sequence[ToolSpec], events: list[Any]) -> Any:
    toolbox = SimpleNamespace(specs=lambda names=None: _named(tools, names))
    services = SimpleNamespace(
        executor=SimpleNamespace(toolbox=toolbox),
        executive=ScriptedExecutive([]),
        limits=Limits(tools_shown=2),
    )
    return SimpleNamespace(services=services, emit=events.append)


def _named(tools: Sequence[ToolSpec], names: Sequence[str] | None) -> tuple[ToolSpec, ...]:
    known = {one.name: one for one in tools}
    return tuple(tools) if names is None else tuple(known[name] for name in names)


@pytest.mark.parametrize(
    ("known", "shown"),
    [
        ([], ["recall", "play_music", FINDER]),
        (["recall", "play_music", FINDER], ["recall", "play_music", FINDER]),
        (["recall", FINDER, "set_timer"], ["recall", FINDER, "set_timer", "play_music"]),
        (["recall", "set_timer", "gone", FINDER], ["recall", "set_timer", FINDER, "play_music"]),
        (["recall", "set_timer", "send_mail", FINDER], ["recall", "play_music", FINDER]),
    ],
)
def test_tools_of_kept_turns_stay_where_they_are_and_new_ones_come_behind(
    known: list[str], shown: list[str]
) -> None:
    state: Any = {"asked": "play music", "messages": [], "tasks": [], "rounds": 0}
    step = step_with(MANY, [])
    state["tools_shown"] = known
    offer = offered(state, step)
    assert list(offer.shown) == shown
    state |= {"rounds": 1, "tools_shown": list(offer.shown)}
    assert offered(state, step).shown == offer.shown
