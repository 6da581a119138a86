"""The doubles of the agent do what they are told, and no more."""

from datetime import timedelta

import pytest
from langchain_core.messages import HumanMessage

from agent.testing import FixedClock, ScriptedExecutive, ScriptedReply
from graphs.errors import EmptyAnswerError
from graphs.executive import (
    CallPart,
    EndPart,
    EndReason,
    Executive,
    Prompt,
    ReplyPart,
    TextPart,
    Wish,
)
from tools.base import Clock

PROMPT = Prompt(system="s", messages=(HumanMessage("Hello"),))


async def parts_of(executive: Executive) -> list[ReplyPart]:
    return [part async for part in executive.stream(PROMPT, Wish())]


async def test_a_scripted_executive_says_its_replies_in_order_and_records_what_it_was_asked() -> (
    None
):
    call = CallPart(id="1", name="recall", arguments={})
    executive = ScriptedExecutive(
        ["Hello there.", ScriptedReply(calls=(call,)), lambda prompt, _: prompt.system]
    )
    first, second, third = [await parts_of(executive) for _ in range(3)]

    assert [part.text for part in first if isinstance(part, TextPart)] == ["Hello ", "there."]
    assert second[0] == call
    assert isinstance(second[-1], EndPart)
    assert second[-1].reason is EndReason.CALLS
    assert third[0] == TextPart(text="s")
    assert executive.asked == [(PROMPT, Wish())] * 3
    assert executive.left == 0


async def test_a_script_that_has_run_out_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="ran out at request 1"):
        await parts_of(ScriptedExecutive([]))


async def test_an_error_of_the_script_is_raised() -> None:
    with pytest.raises(EmptyAnswerError):
        await parts_of(ScriptedExecutive([EmptyAnswerError("nothing")]))


async def test_the_count_of_a_scripted_executive_grows_with_the_text() -> None:
    longer = Prompt(system="s" * 400, messages=())
    executive = ScriptedExecutive([])

    few = (await executive.count(PROMPT, Wish())).tokens
    assert (await executive.count(longer, Wish())).tokens > few + 90


def test_a_fixed_clock_stands_until_it_is_moved() -> None:
    clock = FixedClock()
    told: Clock = clock
    before = told.now()
    clock.advance(timedelta(hours=2))

    assert before.tzinfo is not None
    assert told.now() - before == timedelta(hours=2)
