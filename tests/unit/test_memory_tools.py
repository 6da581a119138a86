"""The tools recall and remember."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from agent.testing import FixedClock
from memory.documents import Chunk, Document, Hit, NewDocument
from memory.labels import ENGINE_LABEL, USER_LABEL, Label, Origin
from memory.places import Place
from tools import recall, remember
from tools.base import Effect, ToolContext
from tools.executor import digest
from tools.recall import RecallArguments
from tools.remember import REMEMBERED, RememberArguments

MAIL = Label(origins=frozenset({Origin.MAIL}))
DOCUMENT = Label(origins=frozenset({Origin.DOCUMENT}))


def context(label: Label = USER_LABEL) -> ToolContext:
    return ToolContext(
        run_id="r",
        thread_id="t",
        token=1,
        collections=("default", "remembered"),
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
    assert memory.asked == [("filter", recall.HITS_LIMIT, ("default", "remembered"))]
    assert result.text == "[7] Title 7 (page 3)\nEvery March.\n\n[9] Title 9\nThanks!"
    assert result.chunks == (7, 9)
    assert result.label.origins == {Origin.DOCUMENT, Origin.MAIL}
    assert tool.effect is Effect.READ


async def test_recall_says_when_there_is_nothing() -> None:
    result = await recall.recall(Searched()).run(RecallArguments(query="filter"), context())
    assert (result.text, result.ok, result.chunks) == ("Memory holds nothing on that.", True, ())
    assert result.label == ENGINE_LABEL


class Kept:
    """A notebook that keeps documents in a list."""

    def __init__(self) -> None:
        self.notes: list[tuple[NewDocument, str]] = []

    async def note(self, document: NewDocument, *, collection: str) -> None:
        self.notes.append((document, collection))


async def test_a_fact_is_kept_with_the_label_of_all_that_was_in_view() -> None:
    notebook = Kept()
    label = USER_LABEL.join(MAIL)
    result = await remember.remember(notebook).run(
        RememberArguments(fact="The key is under the mat."), context(label)
    )
    ((document, collection),) = notebook.notes
    assert collection == REMEMBERED
    assert document.label == label
    assert document.title == "Remembered on 2026-03-02"
    assert [(chunk.text, chunk.label) for chunk in document.chunks] == [
        ("The key is under the mat.", label)
    ]
    assert result.text == "Remembered: The key is under the mat."
    assert result.label.outside, "its words are the executive's, who had a mail in view"


async def test_the_same_fact_twice_is_one_document() -> None:
    notebook = Kept()
    tool = remember.remember(notebook)
    for fact in ("The key is here.", "  The key is here.\n", "The key is there."):
        await tool.run(RememberArguments(fact=fact), context())
    uris = [document.uri for document, _ in notebook.notes]
    assert uris[0] == uris[1] != uris[2]
    one, other = (RememberArguments(fact=fact) for fact in ("a fact", " a fact "))
    assert digest("remember", one) == digest("remember", other)
    assert tool.target(one) == tool.target(other)
    assert tool.repeatable


def test_an_empty_fact_or_query_is_refused() -> None:
    for blank in ("", " \n"):
        with pytest.raises(ValidationError):
            RememberArguments(fact=blank)
        with pytest.raises(ValidationError):
            RecallArguments(query=blank)
