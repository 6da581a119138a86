"""What a person reads of a conversation."""

from typing import Any

import pytest

from agent.talking import telling

CITED = {"number": 1, "title": "handbook.pdf", "where": "page 6"}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"event": "heard", "text": "how often"}, ["you: how often"]),
        ({"event": "heard", "text": " "}, []),
        ({"event": "said", "text": "Weekly."}, ["cortical: Weekly."]),
        ({"event": "interrupted", "heard": "Week …"}, ["(interrupted)"]),
        ({"event": "interrupted", "heard": None}, []),
        ({"event": "voice"}, []),
        (
            {"event": "answer", "text": "Weekly [1].", "problem": None, "citations": [CITED]},
            ["  [1] handbook.pdf, page 6"],
        ),
        ({"event": "answer", "text": None, "error": "No disk."}, ["note: no answer: No disk."]),
        (
            {"event": "answer", "text": None, "problem": "No words were heard.", "waiting": []},
            ["note: No words were heard."],
        ),
        (
            {"event": "answer", "text": "It waits.", "waiting": [{}], "thread_id": "a b"},
            ["note: decide with: cortical ask --thread 'a b'"],
        ),
    ],
)
def test_an_event_is_told_in_a_line_or_not_at_all(
    event: dict[str, Any], expected: list[str]
) -> None:
    assert list(telling.lines(event)) == expected


def test_the_key_is_told_where_one_is_pressed_and_what_is_wrong_with_a_recording() -> None:
    event = {
        "event": "listening",
        "microphone": "in.wav",
        "loudspeaker": "out.wav",
        "flaws": ["cut short: 1.0 s of 2.0 s are there"],
    }
    first, note = telling.lines({**event, "push_to_talk": True})
    assert "space bar" in first
    assert note == "note: in.wav: cut short: 1.0 s of 2.0 s are there"
    assert "space bar" not in next(telling.lines({**event, "push_to_talk": False}))
