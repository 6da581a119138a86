"""The model that is made to write a script: its prompts, its cache and its answers are real."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from agent.bench.prefix import script, triage
from agent.bench.prefix.bound import least
from agent.bench.prefix.mails import OWN, load
from agent.bench.prefix.requests import Replay, Request
from agent.bench.prefix.steered import SteeredExecutive
from graphs.executive import CallPart, Prompt, TextPart, Wish
from tools.base import Effect, ToolSpec

QUERY = {"query": 'the "Müller" filter'}
RECALL = ToolSpec(
    name="recall",
    description="Search memory.",
    parameters={
        "type": "object",
        "properties": {"query": {"type": "string"}},
        "required": ["query"],
    },
    effect=Effect.READ,
)


@pytest.fixture(scope="module")
def replay() -> Iterator[Replay]:
    made = Replay(context_tokens=1_024)
    made.executive.warm()
    yield made
    asyncio.run(made.aclose())


def prompt(*messages: AnyMessage) -> Prompt:
    return Prompt(system="You answer questions on a house.", messages=messages)


async def said(executive: SteeredExecutive, asked: Prompt, wish: Wish) -> list[object]:
    async with aclosing(executive.stream(asked, wish)) as parts:
        return [part async for part in parts]


async def test_a_call_is_written_and_read_as_any_other() -> None:
    executive = SteeredExecutive(
        context_tokens=1_024, script=lambda *_: script.call("recall", QUERY)
    )
    async with aclosing(executive):
        parts = await said(executive, prompt(HumanMessage("Which filter?")), Wish(tools=(RECALL,)))
    (call,) = [part for part in parts if isinstance(part, CallPart)]
    assert (call.name, call.arguments) == ("recall", QUERY)


async def test_an_answer_beside_tools_is_written_and_shown() -> None:
    wish = Wish(tools=(RECALL,))
    executive = SteeredExecutive(
        context_tokens=1_024, script=lambda *_: script.answer("Every six weeks [1].", wish)
    )
    async with aclosing(executive):
        parts = await said(executive, prompt(HumanMessage("How often?")), wish)
    assert "".join(part.text for part in parts if isinstance(part, TextPart)) == (
        "Every six weeks [1]."
    )


async def test_what_the_model_wrote_is_not_evaluated_again(replay: Replay) -> None:
    written = "The filter is cleaned every six weeks, says the handbook."
    question = HumanMessage("How often is the filter cleaned?")
    further = (question, AIMessage(written), HumanMessage("By whom?"))
    first, second = await replay.ask(
        [
            Request(prompt=prompt(question), wish=Wish(), reply=written),
            Request(prompt=prompt(*further), wish=Wish(), reply="By the tenant."),
        ]
    )
    known = first.prompt_tokens + len(replay.executive.tokenised(written))
    assert second.cached_tokens >= known - 1
    assert 0 < second.first_token_s < second.seconds


async def test_a_call_in_the_history_stands_as_it_was_written(replay: Replay) -> None:
    question = HumanMessage("Which filter does the house have?")
    wish = Wish(tools=(RECALL,))
    history = AIMessage("", tool_calls=[{"id": "1", "name": "recall", "args": QUERY}])
    written = script.call("recall", QUERY)
    first, second = await replay.ask(
        [
            Request(prompt=prompt(question), wish=wish, reply=written),
            Request(
                prompt=prompt(question, history, HumanMessage("And?")), wish=wish, reply=written
            ),
        ]
    )
    known = first.prompt_tokens + len(replay.executive.tokenised(written))
    assert second.cached_tokens >= known - 1


async def test_a_prompt_that_is_too_long_is_told_as_refused(replay: Replay) -> None:
    long = Request(prompt=prompt(HumanMessage("water " * 2_000)), wish=Wish(), reply="No.")
    (took,) = await replay.ask([long])
    assert took.refused
    assert took.prompt_tokens > 1_024


async def test_mails_are_sorted_with_next_to_nothing_evaluated_again(replay: Replay) -> None:
    batch = load(OWN, 3)
    took = await replay.ask(triage.requests(batch))
    needs = triage.needs(batch, replay.executive.tokenised)
    spared = least(needs, replay.executive.template())
    evaluated = [one.evaluated_tokens for one in took]
    assert sum(spared) <= sum(evaluated) <= 1.1 * sum(spared)
    assert all(one <= 1.05 * bound for one, bound in zip(evaluated[1:], spared[1:], strict=True))
