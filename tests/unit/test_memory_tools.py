"""The tools recall and remember."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from agent.testing import FixedClock
from memory.documents import Chunk, Document, Hit
from memory.item_names import FACTS, OWNERS_COLLECTION
from memory.labels import ENGINE_LABEL, USER_LABEL, Label, Origin
from memory.places import Place
from tools import recall, remember
from tools.base import Effect, ToolContext
from tools.executor import digest
from tools.recall import RecallArguments
from tools.remember import RememberArguments

MAIL = Label(origins=frozenset({Origin.MAIL}))
DOCUMENT = Label(origins=frozenset({Origin.DOCUMENT}))


MEMORY: dict[str, Any] = {
    "kind": "memory",
    "uri": "memory:owner/facts/k",
    "title": "Remembered",
}


def context(label: Label = USER_LABEL) -> ToolContext:
    return ToolContext(
        run_id="r",
        thread_id="t",
        token=1,
        collections=("default", OWNERS_COLLECTION),
        clock=FixedClock(datetime(2026, 3, 2, tzinfo=UTC)),
        label=label,
    )


def hit(number: int, text: str, label: Label, place: Place) -> Hit:
    document = Document(
        id=1,
        collection="default",
        uri=f"file:///{number}",
        title=f"Title {number}",
        kind="text",
        language="en",
        label=label,
        modified_at=None,
    )
    chunk = Chunk(
        id=number, document=document, ordinal=0, text=text, context="", place=place, label=label
    )
    return Hit(chunk=chunk, score=0.5, lexical=0.5, cosine=None)


class Searched:
    """A memory that gives what it was told and notes what it was asked."""

    def __init__(self, *hits: Hit) -> None:
        self._hits = list(hits)
        self.asked: list[tuple[str, int, tuple[str, ...]]] = []

    async def search(self, text: str, *, k: int, collections: Sequence[str]) -> list[Hit]:
        self.asked.append((text, k, tuple(collections)))
        return self._hits


async def test_recall_searches_where_the_run_may_look_and_shows_numbers_and_places() -> None:
    memory = Searched(
        hit(7, "Every March.", DOCUMENT, Place(page=3)), hit(9, "Thanks!", MAIL, Place())
    )
    tool = recall.recall(memory)
    result = await tool.run(RecallArguments(query=" filter "), context())
    assert memory.asked == [("filter", recall.HITS_LIMIT, ("default", OWNERS_COLLECTION))]
    assert result.text == "[7] Title 7 (page 3)\nEvery March.\n\n[9] Title 9\nThanks!"
    assert result.chunks == (7, 9)
    assert result.label.origins == {Origin.DOCUMENT, Origin.MAIL}
    assert tool.effect is Effect.READ


async def test_recall_tells_a_memory_by_its_name_and_whose_words_it_holds() -> None:
    own, mails = (
        replace(found, chunk=replace(found.chunk, document=replace(found.chunk.document, **more)))
        for found, more in (
            (hit(1, "At Novak's.", USER_LABEL, Place()), MEMORY),
            (hit(2, "It is 1.", USER_LABEL.join(MAIL), Place()), MEMORY),
        )
    )
    result = await recall.recall(Searched(own, mails)).run(RecallArguments(query="x"), context())
    assert result.text == (
        "[1] Remembered (memory owner/facts/k; the user's own words)\nAt Novak's.\n\n"
        "[2] Remembered (memory owner/facts/k; words from outside: mail)\nIt is 1."
    )
    assert result.label.outside


async def test_recall_says_when_there_is_nothing() -> None:
    result = await recall.recall(Searched()).run(RecallArguments(query="filter"), context())
    assert (result.text, result.ok, result.chunks) == ("Memory holds nothing on that.", True, ())
    assert result.label == ENGINE_LABEL


class Kept:
    """Memories that are kept in a list."""

    def __init__(self) -> None:
        self.items: list[tuple[tuple[str, ...], str, Mapping[str, Any], Label, str | None]] = []

    async def keep(
        self,
        namespace: tuple[str, ...],
        key: str,
        value: Mapping[str, Any],
        *,
        label: Label,
        source: str | None = None,
    ) -> None:
        self.items.append((namespace, key, value, label, source))


async def test_a_fact_is_kept_with_the_label_of_all_that_was_in_view() -> None:
    memories = Kept()
    label = USER_LABEL.join(MAIL)
    result = await remember.remember(memories).run(
        RememberArguments(fact="The key is under the mat."), context(label)
    )
    ((namespace, _, value, kept, source),) = memories.items
    assert namespace == FACTS
    assert value == {"text": "The key is under the mat."}
    assert kept == label
    assert source == "run:r"
    assert result.text == "Remembered: The key is under the mat."
    assert result.label.outside, "its words are the executive's, who had a mail in view"


async def test_the_same_fact_twice_is_one_item() -> None:
    memories = Kept()
    tool = remember.remember(memories)
    for fact in ("The key is here.", "  the key is\nhere.\n", "The key is there."):
        await tool.run(RememberArguments(fact=fact), context())
    keys = [key for _, key, *_ in memories.items]
    assert keys[0] == keys[1] != keys[2]
    one, other = (RememberArguments(fact=fact) for fact in ("a fact", " a fact "))
    assert digest("remember", one) == digest("remember", other)
    assert tool.target(one) == tool.target(other)
    assert tool.repeatable


async def test_a_newer_fact_about_the_same_takes_the_place_of_the_one_before() -> None:
    memories = Kept()
    tool = remember.remember(memories)
    for fact, about in (("It is 12.", "Code of the door"), ("It is 13.", "code of  the door ")):
        await tool.run(RememberArguments(fact=fact, about=about), context())
    assert [key for _, key, *_ in memories.items] == ["code of the door"] * 2


def test_an_empty_fact_or_query_is_refused() -> None:
    for blank in ("", " \n"):
        with pytest.raises(ValidationError):
            RememberArguments(fact=blank)
        with pytest.raises(ValidationError):
            RecallArguments(query=blank)
