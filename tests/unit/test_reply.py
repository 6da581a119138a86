"""A fault of a stream is mended once, and no more than once."""

from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from agent.testing import ScriptedExecutive, ScriptedReply
from graphs.errors import (
    BrokenStreamError,
    EmptyAnswerError,
    ExecutiveError,
    ExecutiveUnreachableError,
    PromptTooLongError,
)
from graphs.executive import CallPart, EndReason, Profile, Prompt, Wish
from graphs.reply import Reply, ask
from tools.base import Effect, ToolSpec

ASKED = Prompt(system="You answer.", messages=(HumanMessage("How long is the warranty?"),))
RECALL = ToolSpec(name="recall", description="Search.", parameters={}, effect=Effect.READ)
CALL = CallPart(id="c1", name="recall", arguments={"query": "warranty"})
CUT = BrokenStreamError("The answer broke off.")
SCHEMA = Wish(schema={"type": "object"}, max_tokens=40)


def cut(text: str = "", **more: Any) -> ScriptedReply:
    return ScriptedReply(text=text, error=CUT, **more)


def long(text: str, **more: Any) -> ScriptedReply:
    return ScriptedReply(text=text, reason=EndReason.LENGTH, **more)


async def asked(
    *script: Any, wish: Wish | None = None, prompt: Prompt = ASKED, judgement: bool = True
) -> tuple[Reply, ScriptedExecutive, list[dict[str, Any]]]:
    profile = Profile(
        name="m", tier="full", context_tokens=4_096, native_tools=True, judgement=judgement
    )
    executive = ScriptedExecutive(script, profile=profile)
    events: list[dict[str, Any]] = []
    reply = await ask(executive, prompt, wish or Wish(), events.append)
    assert executive.left == 0
    return reply, executive, events


def shown(events: list[dict[str, Any]]) -> str:
    return "".join(event["text"] for event in events if event["event"] == "text")


def again(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == "asked_again"]


async def test_a_sound_answer_is_asked_for_once() -> None:
    reply, executive, events = await asked("Two years.")

    assert (reply.text, reply.end.reason) == ("Two years.", EndReason.STOP)
    assert len(executive.asked) == 1
    assert again(events) == []


@pytest.mark.parametrize("first", [cut("Two years"), long("Two years")], ids=["cut", "length"])
async def test_an_answer_in_words_goes_on_from_where_it_stood(first: ScriptedReply) -> None:
    reply, executive, events = await asked(first, " from purchase.")

    assert reply.text == shown(events) == "Two years from purchase."
    assert reply.end.reason is EndReason.STOP
    assert executive.asked[1][0].begun == "Two years"
    assert [event["goes_on"] for event in again(events)] == [True]


async def test_a_blank_at_the_end_of_what_stands_is_not_sent_and_not_doubled() -> None:
    reply, executive, _ = await asked(cut("Two years "), " from purchase.")

    assert executive.asked[1][0].begun == "Two years"
    assert reply.text == "Two years from purchase."


async def test_a_server_that_begins_anew_repeats_nothing() -> None:
    reply, _, events = await asked(
        cut("The warranty is two years"), "The warranty is two years from purchase."
    )

    assert reply.text == shown(events) == "The warranty is two years from purchase."


async def test_what_a_caller_has_begun_stays_the_beginning_of_both_tries() -> None:
    prompt = Prompt(system="", messages=ASKED.messages, begun="It is ")
    reply, executive, _ = await asked(cut("two"), " years.", prompt=prompt)

    assert [prompt.begun for prompt, _ in executive.asked] == ["It is", "It is two"]
    assert reply.text == "two years."


async def test_a_stream_cut_before_its_first_word_is_asked_for_whole() -> None:
    reply, executive, events = await asked(CUT, "Two years.")

    assert reply.text == "Two years."
    assert executive.asked[0] == executive.asked[1]
    assert again(events)[0]["reason"] == str(CUT)


async def test_calls_before_a_cut_are_not_calls() -> None:
    reply, executive, _ = await asked(
        cut("I look.", calls=(CALL,)), ScriptedReply(calls=(CALL,)), wish=Wish(tools=[RECALL])
    )

    assert reply.calls == (CALL,)
    assert reply.text == "I look."
    assert executive.asked[1][0].begun == "I look."


async def test_calls_of_an_answer_that_stays_cut_are_not_calls() -> None:
    reply, _, _ = await asked(
        long("I", calls=(CALL,)), long("I", calls=(CALL,)), wish=Wish(tools=[RECALL])
    )

    assert reply.calls == ()
    assert reply.end.reason is EndReason.LENGTH


@pytest.mark.parametrize(
    ("wish", "judgement"),
    [
        (SCHEMA, True),
        (Wish(tools=[RECALL], must_call=True, max_tokens=40), True),
        (Wish(tools=[RECALL], max_tokens=40), False),
    ],
    ids=["schema", "must call", "tools without judgement"],
)
async def test_an_answer_with_a_shape_is_asked_for_whole_with_more_room(
    wish: Wish, judgement: bool
) -> None:
    _, executive, _ = await asked(long('{"a'), '{"a": 1}', wish=wish, judgement=judgement)
    assert [wish.max_tokens for _, wish in executive.asked] == [40, 80]
    assert executive.asked[1][0].begun == ""

    reply, executive, _ = await asked(cut('{"a'), '{"a": 1}', wish=wish, judgement=judgement)
    assert [wish.max_tokens for _, wish in executive.asked] == [40, 40]
    assert reply.text == '{"a": 1}'


async def test_an_empty_answer_is_asked_for_without_thinking() -> None:
    reply, executive, _ = await asked(EmptyAnswerError("Nothing."), "Two.", wish=Wish(think=True))

    assert reply.text == "Two."
    assert [wish.think for _, wish in executive.asked] == [True, False]


async def test_an_empty_answer_without_thoughts_is_asked_for_in_other_words() -> None:
    _, executive, _ = await asked(EmptyAnswerError("Nothing."), "Two.")

    first, second = (wish for _, wish in executive.asked)
    assert (first.temperature, second.temperature > 0) == (0.0, True)
    assert first.seed != second.seed


async def test_thoughts_that_took_all_tokens_are_left_out_of_the_second_try() -> None:
    first = ScriptedReply(thought="Hm, hm.", reason=EndReason.LENGTH)
    reply, executive, _ = await asked(first, "Two.", wish=Wish(think=True, max_tokens=10))

    assert reply.text == "Two."
    assert (executive.asked[1][1].think, executive.asked[1][1].max_tokens) == (False, 20)


@pytest.mark.parametrize("must_call", [False, True])
async def test_an_answer_that_may_be_cut_is_not_asked_for_again(must_call: bool) -> None:
    wish = Wish(tools=[RECALL], must_call=must_call, may_be_cut=True)
    reply, executive, _ = await asked(long("Two years"), wish=wish)

    assert reply.end.reason is EndReason.LENGTH
    assert len(executive.asked) == 1


async def test_an_answer_cut_twice_is_returned_as_cut() -> None:
    reply, executive, _ = await asked(long("Two years"), long(" from the"))

    assert (reply.text, reply.end.reason) == ("Two years from the", EndReason.LENGTH)
    assert len(executive.asked) == 2


@pytest.mark.parametrize("second", [PromptTooLongError("full"), cut(" from")], ids=["full", "cut"])
async def test_an_answer_whose_rest_fails_is_returned_as_cut(second: Any) -> None:
    reply, _, events = await asked(long("Two years"), second)

    assert reply.text == shown(events)
    assert reply.text.startswith("Two years")
    assert reply.end.reason is EndReason.LENGTH


@pytest.mark.parametrize(
    ("second", "raised"),
    [
        (cut(" from"), BrokenStreamError),
        (ExecutiveUnreachableError("gone"), ExecutiveUnreachableError),
        (PromptTooLongError("full"), BrokenStreamError),
    ],
    ids=["cut", "gone", "full"],
)
async def test_a_stream_that_breaks_twice_is_an_error(
    second: Any, raised: type[ExecutiveError]
) -> None:
    with pytest.raises(raised):
        await asked(cut("Two years"), second)


@pytest.mark.parametrize(
    "error", [PromptTooLongError("a"), ExecutiveUnreachableError("b"), ExecutiveError("c")]
)
async def test_another_error_is_not_asked_again(error: ExecutiveError) -> None:
    with pytest.raises(type(error)):
        await asked(error)


async def test_the_tokens_of_both_tries_are_counted() -> None:
    reply, _, events = await asked(long("one two three"), " four five")

    usage = [event for event in events if event["event"] == "usage"]
    assert len(usage) == 2
    assert reply.end.answer_tokens == sum(event["answer_tokens"] for event in usage)
    assert reply.end.prompt_tokens == sum(event["prompt_tokens"] for event in usage)


async def test_a_try_that_broke_off_is_counted_as_far_as_it_was_seen() -> None:
    _, _, events = await asked(cut("one two three"), " four")

    first, second = (event for event in events if event["event"] == "usage")
    assert first["estimated"] is True
    assert (first["answer_tokens"], first["prompt_tokens"] > 0) == (3, True)
    assert "estimated" not in second
