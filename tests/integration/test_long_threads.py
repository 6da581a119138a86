"""A thread that outgrows the context: its beginning is condensed once and kept, nothing is lost."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import fields, replace
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel

from agent.clock import SystemClock
from agent.migrate import migrate
from agent.testing import PROFILE, ScriptedExecutive, ScriptedReply
from agent.turns import Outcome, Turns
from graphs import assistant, prompts
from graphs.context import Services
from graphs.executive import CallPart, Prompt, ReplyPart, Wish
from memory.artifact_store import ArtifactStore
from memory.artifacts import Artifact
from memory.checkpoints import FencedSaver
from memory.database import Pool
from memory.labels import Label, Origin
from tools.base import Effect, Tool, ToolContext, ToolResult
from tools.reread import reread

THREAD = "t"
TURNS = 14
WEB = Label(origins=frozenset({Origin.WEB}))
LONG = " ".join(f"Sentence {number} of the page says so." for number in range(300))


@pytest.fixture
async def dsn(dsn: str) -> str:
    """A database of the test's own, with the checkpointer's tables."""
    await migrate(dsn)
    return dsn


class Talking(ScriptedExecutive):
    """Answers each question at length, condenses in one line, and reads a page when asked to."""

    def __init__(self, context_tokens: int) -> None:
        super().__init__([], profile=replace(PROFILE, context_tokens=context_tokens))
        self.condensed: list[str] = []

    async def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        self._script.append(self._said(prompt))
        async for part in super().stream(prompt, wish):
            yield part

    def _said(self, prompt: Prompt) -> str | ScriptedReply:
        last = str(prompt.messages[-1].text)
        if prompt.system == prompts.CONDENSE:
            self.condensed.append(last)
            return f"- It was condensed {len(self.condensed)} times."
        if "reread` with reference" in last and "Part" not in last:
            reference = last.split('reference "')[1][:8]
            return called("reread", reference=reference, part=2)
        if last.endswith("Question: Read the page."):
            return called("page")
        return "NOT FOUND It is not known. " + "This was said at length before. " * 12


def called(name: str, **arguments: Any) -> ScriptedReply:
    return ScriptedReply(calls=(CallPart(id=name, name=name, arguments=arguments),))


class Nothing(BaseModel):
    """No argument."""


async def read_page(_: Nothing, __: ToolContext) -> ToolResult:
    return ToolResult(text=LONG, ok=True, label=WEB)


@pytest.fixture
def talking(pool: Pool, turns_of: Callable[..., Turns]) -> Callable[[Talking], Turns]:
    page = Tool(
        name="page", description="Read.", arguments=Nothing, effect=Effect.READ, run=read_page
    )
    tools = [page, reread(ArtifactStore(pool), part_characters=800)]
    return lambda executive: turns_of(executive, tools, answer_tokens=200)


async def asked(turns: Turns, question: str, events: list[Any]) -> Outcome:
    values = {"question": question, "files": []}
    return await turns.run("assistant", thread_id=THREAD, values=values, watch=events.append)


async def state_of(pool: Pool) -> dict[str, Any]:
    nothing: dict[str, Any] = dict.fromkeys(one.name for one in fields(Services))
    graph = assistant.build(Services(**nothing))
    compiled = graph.compile(checkpointer=FencedSaver(pool, {}))
    values: dict[str, Any] = (
        await compiled.aget_state({"configurable": {"thread_id": THREAD}})
    ).values
    return values


async def test_old_turns_are_condensed_once_and_the_summary_stands_in_later_turns(
    pool: Pool, talking: Callable[[Talking], Turns]
) -> None:
    executive = Talking(context_tokens=1_200)
    turns = talking(executive)
    events: list[Any] = []
    for number in range(TURNS):
        outcome = await asked(turns, f"What of pump {number}?", events)
        assert outcome.output["answer"] is not None

    state = await state_of(pool)
    summary = state["summary"]
    assert 2 <= len(executive.condensed) < TURNS // 2
    assert summary["text"] == f"- It was condensed {len(executive.condensed)} times."
    assert state["messages"][summary["covers"] - 1].id == summary["last"]
    later = executive.condensed[-1]
    assert f"- It was condensed {len(executive.condensed) - 1} times." in later
    first = str(executive.asked[-1][0].messages[0].text)
    assert f"the first {summary['covers']} messages condensed:)\n{summary['text']}" in first
    left = [event for event in events if event["event"] == "left_out"]
    assert left[-1]["what"] == "earlier messages"
    assert (left[-1]["count"], left[-1]["of"]) == (summary["covers"], 2 * TURNS - 2)


async def test_a_result_that_is_too_long_is_read_on_by_its_reference_with_its_label(
    pool: Pool, talking: Callable[[Talking], Turns]
) -> None:
    executive = Talking(context_tokens=1_400)
    turns = talking(executive)
    events: list[Any] = []
    outcome = await asked(turns, "Read the page.", events)

    assert [task["name"] for task in outcome.output["tasks"]] == ["page", "reread"]
    left = next(event for event in events if event["event"] == "left_out")
    assert (left["what"], left["count"], left["of"]) == ("ends of results", 1, 1)
    ids = [task["artifact"] for task in outcome.output["tasks"]]
    stored = await ArtifactStore(pool).get(ids)
    part = stored[ids[1]]
    assert part.body["text"].startswith("Part 2 of ")
    assert part.body["text"].partition("\n")[2] in LONG
    assert Origin.WEB in part.label.origins


async def test_a_reference_holds_within_its_thread_only(pool: Pool) -> None:
    store = ArtifactStore(pool)
    for thread in ("one", "two"):
        body = Artifact(id=str(uuid4()), kind="result", body={"text": thread}, label=WEB)
        await store.put(body, thread_id=thread, run_id=str(uuid4()), now=SystemClock().now())
        assert [
            one.body["text"] for one in await store.referred(body.id[:8], thread_id=thread)
        ] == [thread]
        assert await store.referred(body.id[:8], thread_id="three") == []
