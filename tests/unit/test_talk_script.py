"""Which sentences of an answer are said, and how much of them was heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.talking.mouth import Span, heard
from agent.talking.script import CORRECTION, Script

ANSWER = "Clean it every six weeks [1]. Dr. Novak has the key [2]. Ask her."


def said(script: Script, text: str, size: int = 3) -> list[str]:
    return [one for at in range(0, len(text), size) for one in script.add(text[at : at + size])]


@pytest.mark.parametrize("size", [1, 3, 1_000])
def test_sentences_are_said_as_soon_as_the_next_one_begins(size: int) -> None:
    script = Script()
    first = said(script, ANSWER, size)
    assert first == ["Clean it every six weeks.", "Dr. Novak has the key."]
    assert script.end(ANSWER) == ["Ask her."]


def test_an_answer_that_was_not_streamed_is_said_whole() -> None:
    assert Script().end(ANSWER)[0] == "Clean it every six weeks."
    assert Script().end("") == []


def test_what_is_said_before_a_tool_is_called_is_no_part_of_the_answer() -> None:
    script = Script()
    assert said(script, "Let me look. One moment") == ["Let me look."]
    assert script.aside() == ["One moment"]
    assert said(script, "It is blue. So it is") == ["It is blue."]
    assert script.end("It is blue. So it is.") == ["So it is."]


def test_an_answer_that_is_written_anew_is_corrected_where_it_differs() -> None:
    script = Script()
    assert said(script, "It is blue. It is big. And")
    script.anew()
    assert said(script, "It is blue. It is red. And so on. More") == []
    assert script.end("It is blue. It is small.") == [CORRECTION, "It is small."]


def test_the_answer_of_a_turn_that_is_gone_on_with_first_is_no_part_of_the_next() -> None:
    script = Script()
    events = [
        {"event": "text", "text": "It was blue."},
        {"event": "node_started", "node": "begin"},
        {"event": "text", "text": "It is red. And"},
        {"event": "usage"},
    ]
    assert [script.follow(event) for event in events] == [[], ["It was blue."], ["It is red."], []]
    assert script.end("It is red. And so on.") == ["And so on."]
    script.follow({"event": "repairing"})
    assert script.end("It is green.") == [CORRECTION, "It is green."]


def test_an_answer_that_only_gains_marks_is_not_said_again() -> None:
    script = Script()
    said(script, "It is blue. It is big. Yes.")
    script.anew()
    assert script.end("It is blue [1]. It is big [2]. Yes.") == ["Yes."]


@given(st.lists(st.sampled_from(["It is so.", "Why not?", "Nr. 5 it is [3].", "Ja!"]), max_size=8))
def test_all_of_an_answer_is_said_once_however_it_comes(sentences: list[str]) -> None:
    whole = " ".join(sentences)
    streamed = Script()
    assert [*said(streamed, whole), *streamed.end(whole)] == Script().end(whole)


SPANS = [
    Span(text="One two three four.", start=100, end=500, aside=False),
    Span(text="May I?", start=500, end=700, aside=True),
    Span(text="Five six.", start=800, end=1_000, aside=False),
]


@pytest.mark.parametrize(
    ("played", "expected"),
    [
        (100, None),
        (150, ""),
        (320, "One two …"),
        (500, "One two three four."),
        (750, "One two three four."),
        (900, "One two three four. Five …"),
        (2_000, "One two three four. Five six."),
    ],
)
def test_what_was_heard_is_told_by_how_much_was_played(played: int, expected: str | None) -> None:
    assert heard(SPANS, played) == expected
