"""The main job on real input: each question is answered from the right place, or told not to be."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pytest

from agent import assembly
from agent.asking import turn
from agent.settings import load

DEMO = Path(__file__).parents[2] / "deploy" / "demo"
EXPECTED = json.loads((DEMO / "expected.json").read_text())
QUESTIONS = [*EXPECTED["spoken"], *EXPECTED["typed"]]


@pytest.fixture(scope="module")
def results(reader: Any) -> dict[str, Any]:
    """What one engine on the memory of the reader answers to each question."""

    def values(question: dict[str, Any]) -> dict[str, Any]:
        recording = DEMO / question["recording"] if "recording" in question else None
        return {
            "question": "" if recording else question["text"],
            "files": [{"path": str(recording), "name": recording.name}] if recording else [],
            "collection": "default",
            "speak_to": None,
        }

    async def answered() -> dict[str, Any]:
        async with assembly.engine(load()) as engine:
            return {
                one["id"]: await turn(
                    engine, values(one), thread_id=one["id"], watch=lambda _: None, decide=None
                )
                for one in QUESTIONS
            }

    with reader.here():
        return asyncio.run(answered())


@pytest.mark.parametrize("question", QUESTIONS, ids=[one["id"] for one in QUESTIONS])
def test_a_question_is_answered_from_the_right_place(
    results: dict[str, Any], question: dict[str, Any]
) -> None:
    result = results[question["id"]]
    expected = question["answer"]
    if expected is None:
        assert not result["found"]
        assert not result["citations"]
        assert "nothing" in result["answer"]
        return
    assert result["found"], result["answer"]
    if expected["source"] is None:
        assert re.search(expected["text"], result["answer"])
        return
    first = result["citations"][0]
    assert unquote(urlparse(first["source"]).path).endswith(expected["source"])
    assert re.search(expected["quote"], first["quote"])
    _assert_place(first["place"], expected)


def _assert_place(place: dict[str, Any], expected: dict[str, Any]) -> None:
    if "page" in expected:
        assert place["page"] == expected["page"]
    if "line" in expected:
        assert place["line"] <= expected["line"] <= place["last_line"]
    if "part" in expected:
        assert place["part"] == expected["part"]
    if "seconds" in expected:
        start_s, end_s = expected["seconds"]
        assert place["start_s"] < end_s
        assert place["end_s"] > start_s
    if "box" in expected:
        left, top, right, bottom = expected["box"]
        box = place["box"]
        assert box["left"] < right
        assert box["right"] > left
        assert box["top"] < bottom
        assert box["bottom"] > top


def test_a_turn_tells_the_way_it_took_and_what_served_it(reader: Any) -> None:
    recording = DEMO / "questions" / "water-filter.wav"
    result = reader.json("ask", "--file", recording)

    nodes = [step["node"] for step in result["route"]]
    assert nodes == ["begin", "perceive", "recall", "reason", "act", "reason"]
    assert all(step["seconds"] >= 0 for step in result["route"])
    assert {one["name"] for one in result["tiers"]} >= {
        "executive",
        "embeddings",
        "hearing",
        "sight",
        "speech",
        "database",
    }
    assert result["heard"] == "how often must the water filter be cleaned"
    assert [call["tool"] for call in result["calls"]] == ["recall"]
    assert result["tokens"]["written"] > 0
    assert {"source", "place", "quote"} <= result["citations"][0].keys()


def test_every_quotation_stands_in_the_stored_text_letter_for_letter(
    reader: Any, results: dict[str, Any]
) -> None:
    citations = results["water-pressure"]["citations"]
    assert citations
    for citation in citations:
        hits = reader.json("search", citation["quote"], "-k", "5")["hits"]
        assert any(citation["quote"] in hit["text"] for hit in hits)


def test_the_answer_is_written_as_speech(reader: Any, tmp_path: Path) -> None:
    spoken = tmp_path / "answer.wav"
    result = reader.json("ask", "Where does the red lever stand?", "--speak", spoken)
    assert result["spoken"] == str(spoken)
    assert result["route"][-1]["node"] == "speak"
    heard = reader.json("hear", spoken)
    assert heard["duration_s"] > 1


def test_a_file_that_is_handed_over_is_cited_like_memory(reader: Any, tmp_path: Path) -> None:
    note = tmp_path / "note.md"
    note.write_text("# Garden\n\nThe rain barrel holds 210 litres.\n\nIt stands by the shed.\n")
    result = reader.json("ask", "How many litres does the rain barrel hold?", "--file", note)
    first = result["citations"][0]
    assert first["source"] == note.as_uri()
    assert first["quote"] == "The rain barrel holds 210 litres."
    assert first["place"]["line"] == 3


def test_a_fact_that_is_to_be_remembered_is_found_in_another_thread(reader: Any) -> None:
    told = reader.json("ask", "Remember that the ladder was lent to Mrs. Novak.")
    assert told["calls"][0]["tool"] == "remember"
    again = reader.json("ask", "To whom was the ladder lent?")
    assert again["citations"][0]["quote"] == "the ladder was lent to Mrs. Novak."
