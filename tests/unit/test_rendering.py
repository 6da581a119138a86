"""Results in words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import rendering
from agent.cli import output
from agent.rendering import harmless


def turn(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "heard": None,
        "problem": None,
        "answer": "Every six weeks [1].",
        "waiting": [],
        "thread_id": "t",
        "citations": [
            {
                "number": 1,
                "source": "file:///handbook.pdf",
                "title": "Handbook",
                "where": "page 6",
                "quote": "Clean it every\n  six weeks.",
            }
        ],
        "unsupported": [],
        "failed": [],
        "flaws": [],
        "ended_by": None,
        "spoken": None,
        "route": [
            {"node": "begin", "seconds": 0.001, "error": None},
            {"node": "reason", "seconds": 1.239, "error": None},
        ],
    }
    return {**plain, **changes}


def test_a_turn_is_told_with_its_citations_and_its_way() -> None:
    assert list(rendering.answer(turn())) == [
        "Every six weeks [1].",
        "  [1] Handbook, page 6  (file:///handbook.pdf)",
        "      “Clean it every six weeks.”",
        "  way: begin 0.00 s → reason 1.24 s  (in all 1.24 s)",
    ]


def test_words_that_stand_there_already_are_not_written_twice() -> None:
    assert next(rendering.answer(turn(), said="Every six weeks [1]. ")).startswith("  [1]")


@pytest.mark.parametrize(
    ("said", "answer", "numbers"),
    [
        ("It is blue [8]. It is old [3].", "It is blue [1]. It is old [2].", {1: 8, 2: 3}),
        ("It is blue [8]. It is old [8].", "It is blue [1]. It is old [2].", {1: 8, 2: 8}),
        ("It is\nblue [8].", "It is blue [1].", {1: 8}),
        ("It is blue [8]. It is old [3].", "It is blue [1]. It is old.", None),
        ("It is blue [8]. It is old [3].", "It is blue [1]. It is old [1].", None),
        ("It is blue [8].", "It is red [1].", None),
        ("NOT FOUND: nothing on it.", "nothing on it.", None),
    ],
)
def test_words_stand_with_their_marks_if_only_numbers_were_changed(
    said: str, answer: str, numbers: dict[int, int] | None
) -> None:
    shown = rendering.Shown.of(said, answer)
    assert (shown.numbers, shown.rest) == (
        (numbers, ()) if numbers is not None else ({}, (rendering._CHECKED, answer))
    )


def test_citations_have_the_numbers_of_the_marks_that_stand_above_them() -> None:
    told = list(rendering.answer(turn(), said="Every six weeks [7]."))
    assert told[0] == "  [7] Handbook, page 6  (file:///handbook.pdf)"


def test_what_stands_behind_the_words_that_were_shown_is_added() -> None:
    cut = turn(answer="Every six weeks [cut off after 3 tokens]")
    assert next(rendering.answer(cut, said="Every six weeks")) == "[cut off after 3 tokens]"


def test_an_answer_that_the_check_has_changed_is_written_and_said_to_be_another() -> None:
    told = list(rendering.answer(turn(), said="Every six weeks [1]. It is blue [1]."))
    assert told[0] == "— The words above were checked against their sources. The answer is:"
    assert told[1] == "Every six weeks [1]."


def test_the_budget_that_ended_a_turn_is_told() -> None:
    ended = {"budget": "steps", "reason": "six are enough (limits.rounds)"}
    told = list(rendering.answer(turn(ended_by=ended)))
    assert told[-2] == "  ended early by its budget of steps: six are enough (limits.rounds)"


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        (
            {"first_token_s": 0.4, "tokens_per_s": 38.21},
            ", the first after 0.40 s, 38.2 a second",
        ),
        ({"first_token_s": None, "tokens_per_s": None}, ""),
    ],
)
def test_what_a_turn_took_is_told_when_it_is_asked_for(
    measured: dict[str, Any], words: str
) -> None:
    used = {"read": 1024, "cached": 896, "written": 120, **measured}
    told = list(rendering.answer(turn(usage=used), verbose=True))
    expected = "  1024 tokens read (896 of them found in the cache), 120 written"
    assert told[-2] == expected + words


def test_what_went_wrong_in_a_turn_is_told() -> None:
    told = list(
        rendering.answer(
            turn(
                heard="how often",
                problem="Nothing was asked.",
                answer=None,
                citations=[],
                unsupported=["It is blue."],
                failed=[{"name": "x.wav", "reason": "x.wav is empty."}],
                flaws=[{"name": "y.pdf", "flaw": "page 2 is damaged"}],
                spoken="/out.wav",
                waiting=[{"description": "It waits."}],
                route=[],
            )
        )
    )
    assert told == [
        "heard: how often",
        "Nothing was asked.",
        "It waits. Ask again on this thread in a terminal to decide: cortical ask --thread t",
        "  not backed by a source: It is blue.",
        "  could not be read: x.wav is empty.",
        "  note: y.pdf: page 2 is damaged",
        "  spoken to /out.wav",
        "  way: no node ran",
    ]


def test_capabilities_stand_in_columns_with_advice_below() -> None:
    told = rendering.doctor(
        [
            {"name": "executive", "tier": "embedded", "server": "SmolLM2", "advice": "Get one."},
            {"name": "sight", "tier": "missing", "server": "nothing", "advice": ""},
        ]
    )
    assert list(told) == [
        "✓ executive  embedded  SmolLM2",
        "             Get one.",
        "✗ sight      missing   nothing",
    ]


def test_runs_stand_in_columns() -> None:
    run = {
        "run_id": "0123456789",
        "created_at": "2026-03-02T09:30:00+00:00",
        "status": "done",
        "graph": "assistant",
        "thread_id": "t" * 40,
        "input": {"question": "Where\nis " + "the key " * 20, "files": []},
    }
    (line,) = rendering.runs([run])
    assert line.startswith("01234567  2026-03-02T09:30:00  done       assistant   tttt")
    assert line.endswith("…")
    assert "\n" not in line
    spoken = {**run, "input": {"question": "", "files": [{"name": "q.wav"}]}}
    assert next(rendering.runs([spoken])).endswith("  q.wav")
    other = {**run, "graph": "mine", "input": {"topic": "x"}}
    assert "mine" in next(rendering.runs([other]))
    assert list(rendering.runs([])) == ["No runs yet. `cortical ask QUESTION` makes one."]


def test_no_hit_is_told_with_what_to_do() -> None:
    (line,) = rendering.hits([], collection="work")
    assert "cortical ingest" in line
    (line,) = rendering.hits([], collection="work", narrowed=True)
    assert "'work'" in line
    assert "cortical ingest" not in line


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("file:///home/a%20b/gr%C3%BCn.txt", "/home/a b/grün.txt"),
        ("file:///post.mbox#a%40b", "/post.mbox#a@b"),
        ("file:///a%0A%20%20not%20read:%20b", "file:///a%0A%20%20not%20read:%20b"),
        ("run:%41", "run:%41"),
    ],
)
def test_a_file_is_named_by_its_path_unless_that_could_deceive(uri: str, shown: str) -> None:
    assert rendering.shown(uri) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, ü, 中文, 👍\n\tset in", "plain text, ü, 中文, 👍\n\tset in"),
        ("\x1b[2K\rAll is well", "\\x1b[2K\\rAll is well"),
        ("\x9b31m", "\\x9b31m"),
        ("a\x08b\x00\x7f", "a\\x08b\\x00\\x7f"),
        ("exe.\u202etxt", "exe.\\u202etxt"),
    ],
)
def test_what_would_steer_the_terminal_is_made_visible(text: str, shown: str) -> None:
    assert harmless(text) == shown


@given(st.text())
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    once = harmless(text)
    assert harmless(once) == once
    assert "\x1b" not in once


def test_all_that_is_printed_is_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_lines(["\x1b[31mred"])
    output.note("\x1b[31mred")
    assert capsys.readouterr() == ("\\x1b[31mred\n", "\\x1b[31mred\n")
