import json

import pytest

from agent.testing import PROFILE, ScriptedExecutive
from graphs.errors import ExecutiveUnreachableError
from graphs.executive import Profile
from graphs.rerank import LETTERS, ordered, reranked
from memory.documents import Chunk, Document, Hit
from memory.places import Place
from memory.testing import DOCUMENT_LABEL

TEXTS = ("The pump is old.", "The pump has two years of warranty.", "Valves leak.")


def hit(number: int, text: str) -> Hit:
    document = Document(
        id=1, collection="c", uri="u", title="t", kind="text", language="en",
        label=DOCUMENT_LABEL, modified_at=None,
    )  # fmt: skip
    chunk = Chunk(
        id=number, document=document, ordinal=number, text=text, context="Handbook",
        place=Place(), label=DOCUMENT_LABEL,
    )  # fmt: skip
    return Hit(chunk=chunk, score=1 / number, lexical=0.1, cosine=0.5)


HITS = [hit(number, text) for number, text in enumerate(TEXTS, start=1)]


def ids(hits: list[Hit]) -> list[int]:
    return [one.chunk.id for one in hits]


async def test_the_order_is_that_of_the_executive() -> None:
    executive = ScriptedExecutive([json.dumps({"order": [2, 3, 1]})])
    assert ids(await reranked(executive, "warranty?", HITS)) == [2, 3, 1]
    [(prompt, wish)] = executive.asked
    assert wish.schema is not None
    asked = prompt.messages[0].text
    assert [f"[{number}] Handbook\n{text}" in asked for number, text in enumerate(TEXTS, 1)] == [
        True
    ] * 3
    assert asked.endswith("Question: warranty?")


@pytest.mark.parametrize(
    ("answer", "order"),
    [
        ('{"order": [3]}', [3, 1, 2]),
        ('{"order": [3, 3, 1, 3]}', [3, 1, 2]),
        ('{"order": [0, -1, 4, 99, 2]}', [2, 1, 3]),
        ('{"order": [true, "2", 2.5, null, 2]}', [2, 1, 3]),
        ('{"order": "2, 1"}', [1, 2, 3]),
        ("the second", [1, 2, 3]),
        ("[2]", [1, 2, 3]),
        ("{}", [1, 2, 3]),
    ],
)
async def test_whatever_it_answers_nothing_is_lost_and_nothing_added(
    answer: str, order: list[int]
) -> None:
    assert ids(await reranked(ScriptedExecutive([answer]), "?", HITS)) == order


async def test_an_executive_that_fails_leaves_the_order_of_search() -> None:
    executive = ScriptedExecutive([ExecutiveUnreachableError("gone")])
    assert ids(await reranked(executive, "?", HITS)) == [1, 2, 3]


async def test_passages_are_shortened_to_what_the_context_holds_and_that_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "graphs.rerank")
    small = Profile(
        name="small", tier="full", context_tokens=400, native_tools=True, judgement=True
    )
    executive = ScriptedExecutive(['{"order": [2]}'], profile=small)
    long = [hit(number, "word " * 1_000) for number in (1, 2)] + [hit(3, "Brief.")]
    assert ids(await reranked(executive, "?", long)) == [2, 1, 3]
    [(prompt, _)] = executive.asked
    shown = prompt.messages[0].text
    assert len(shown) < 2 * LETTERS
    letters = LETTERS // 2
    size = len("Handbook\n") + 5_000
    assert shown.count(f"\n[the first {letters} of {size} characters]\n\n[") == 2
    assert "[3] Handbook\nBrief.\n\nQuestion" in shown
    (event,) = caplog.records
    assert event.message == "rerank_shortened"
    facts = event.__dict__
    assert (facts["passages"], facts["of"], facts["characters"]) == (2, 3, letters)


async def test_what_cannot_be_made_to_fit_is_not_asked() -> None:
    tiny = Profile(name="tiny", tier="full", context_tokens=60, native_tools=True, judgement=True)
    executive = ScriptedExecutive([], profile=tiny)
    assert ids(await reranked(executive, "?", HITS)) == [1, 2, 3]


async def test_a_single_passage_needs_no_order() -> None:
    executive = ScriptedExecutive([], profile=PROFILE)
    assert ids(await reranked(executive, "?", HITS[:1])) == [1]


def test_numbers_that_were_not_shown_count_for_nothing() -> None:
    assert ids(ordered(HITS, [7, 2])) == [2, 1, 3]
