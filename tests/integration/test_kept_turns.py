"""Turns of a thread stay in view with their passages as long as there is room."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from agent.migrate import migrate
from agent.testing import PROFILE, ScriptedExecutive, ScriptedReply
from agent.turns import Outcome, Turns
from graphs.executive import CallPart, Prompt, ReplyPart, Wish
from memory.database import Pool
from memory.documents import NewDocument
from memory.recollection import Recollection
from memory.search import Searcher
from memory.store import DocumentStore
from memory.testing import HashingEmbedder, text_document
from tools.base import Tool
from tools.recall import recall

THREAD = "t"
PUMPS = [f"The pump number {number} was made in the year {1950 + number}." for number in range(12)]


@pytest.fixture
async def dsn(dsn: str) -> str:
    """A database of the test's own, with the checkpointer's tables."""
    await migrate(dsn)
    return dsn


class Citing(ScriptedExecutive):
    """Looks for the year, then answers with the passage that the question names."""

    def __init__(self, *, context_tokens: int = 100_000, judgement: bool = True) -> None:
        profile = replace(PROFILE, context_tokens=context_tokens, judgement=judgement)
        super().__init__([], profile=profile)

    async def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        self._script.append(self._said(prompt, wish))
        async for part in super().stream(prompt, wish):
            yield part

    def _said(self, prompt: Prompt, wish: Wish) -> str | ScriptedReply:
        shown = "\n".join(str(message.text) for message in prompt.messages)
        asked = shown.rpartition("Question: ")[2].split()[0]
        if wish.tools and prompt.messages[-1].type == "human":
            call = CallPart(id="recall-1", name="recall", arguments={"query": f"year {asked}"})
            return ScriptedReply(calls=(call,))
        line = next(line for line in shown.splitlines() if f"number {asked} was made" in line)
        number = shown.partition(f"\n{line}")[0].rpartition("\n")[2][1:].partition("]")[0]
        return f"{line.rstrip('.')} [{number}]."


async def shelved(store: DocumentStore, *documents: NewDocument) -> None:
    source = await store.source("default", "/")
    for document in documents:
        await store.put(source, document)


@pytest.fixture
def recalling(pool: Pool) -> Tool[Any]:
    return recall(Recollection(Searcher(pool, HashingEmbedder()), DocumentStore(pool)))


async def ask(turns: Turns, number: int, events: list[Any] | None = None) -> Outcome:
    values = {"question": f"{number} is the pump of which year?", "files": []}
    watch = (events if events is not None else []).append
    return await turns.run("assistant", thread_id=THREAD, values=values, watch=watch)


async def test_a_later_turn_begins_with_all_that_stood_before_it(
    store: DocumentStore, turns_of: Callable[..., Turns], recalling: Tool[Any]
) -> None:
    await shelved(store, text_document("pumps", *PUMPS))
    executive = Citing()
    turns = turns_of(executive, [recalling], answer_tokens=200)
    for number in (3, 7, 5):
        outcome = await ask(turns, number)
        (citation,) = outcome.output["answer"]["citations"]
        assert citation["quote"] == PUMPS[number].rstrip(".") + "."
    prompts = [prompt.messages for prompt, _ in executive.asked]
    assert len(prompts) == 6
    for before, after in pairwise(prompts):
        assert after[: len(before)] == before
    shown = "\n".join(str(message.text) for message in prompts[-1])
    counts = [shown.count(f"\n{line}") for line in PUMPS]
    assert max(counts) == 1, "no passage stands there twice"
    assert "Found the passages" in shown


async def test_a_document_that_changes_between_turns_takes_no_number(
    store: DocumentStore, turns_of: Callable[..., Turns]
) -> None:
    await shelved(store, text_document("pumps", *PUMPS))
    executive = Citing()
    turns = turns_of(executive, answer_tokens=200)
    await ask(turns, 3)
    changed = [line.replace("was made", "was made and sold") for line in PUMPS]
    changed[4] = PUMPS[4]
    await shelved(store, text_document("pumps", *changed))
    outcome = await ask(turns, 4)
    (citation,) = outcome.output["answer"]["citations"]
    assert citation["quote"] == PUMPS[4]
    shown = "\n".join(str(message.text) for message in executive.asked[-1][0].messages)
    assert "(this passage is no longer stored)" in shown


async def test_where_there_is_no_room_a_turn_begins_with_the_bare_history(
    store: DocumentStore, turns_of: Callable[..., Turns]
) -> None:
    await shelved(store, text_document("pumps", *PUMPS))
    executive = Citing(context_tokens=700)
    turns = turns_of(executive, answer_tokens=200)
    for number in (3, 7, 5):
        outcome = await ask(turns, number)
        assert len(outcome.output["answer"]["citations"]) == 1
    first = [str(message.text) for message in executive.asked[-1][0].messages[:2]]
    assert first == ["3 is the pump of which year?", PUMPS[3]]


async def test_an_executive_without_judgement_is_shown_no_earlier_turns(
    store: DocumentStore, turns_of: Callable[..., Turns]
) -> None:
    await shelved(store, text_document("pumps", *PUMPS))
    turns = turns_of(Citing(judgement=False), answer_tokens=200)
    for number in (3, 7):
        outcome = await ask(turns, number)
        (citation,) = outcome.output["answer"]["citations"]
        assert citation["quote"] == PUMPS[number]
        assert citation["number"] == 1
