"""Progress and questions on a terminal, and where there is none."""

import io
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.rendering import harmless
from agent.terminal import CLEAR_LINE, Progress, decide


class Terminal(io.StringIO):
    """Text that says it is a terminal."""

    def isatty(self) -> bool:
        return True


EVENTS: list[dict[str, Any]] = [
    {"event": "tiers", "text": "executive: SmolLM2 (embedded)"},
    {"event": "node_started", "node": "perceive"},
    {"event": "model_failed", "reason": "cut off"},
    {"event": "node_started", "node": "reason"},
    {"event": "text", "text": "not shown"},
    {"event": "calling", "tool": "recall", "arguments": {"query": "filter"}},
    {"event": "called", "tool": "recall", "ok": True, "text": "Found"},
    {"event": "called", "tool": "recall", "ok": False, "text": "No\nsuch tool"},
    {"event": "left_out", "what": "passages", "count": 2, "of": 8},
    {"event": "left_out", "what": "calls", "count": 1, "of": 5, "why": "a round may have 4"},
    {"event": "nobody knows it"},
]
LINES = [
    "executive: SmolLM2 (embedded)",
    "… perceive",
    "the model gave no words: cut off",
    "… reason",
    "tool recall query='filter'",
    "tool recall: No such tool",
    "2 of 8 passages left out: the context is full",
    "1 of 5 calls left out: a round may have 4",
]


def shown(out: io.StringIO, *, quiet: bool = False) -> str:
    with Progress(out, quiet=quiet) as progress:
        for event in EVENTS:
            progress.event(event)
    return out.getvalue()


def test_where_there_is_no_terminal_events_are_plain_lines() -> None:
    assert shown(io.StringIO()).splitlines() == LINES


def test_on_a_terminal_nodes_give_way_to_what_follows() -> None:
    text = shown(Terminal())
    assert f"{CLEAR_LINE}… perceive{CLEAR_LINE}the model gave no words: cut off\n" in text
    assert [line.rpartition(CLEAR_LINE)[2] for line in text.split("\n")[:-1]] == [
        line for line in LINES if not line.startswith("…")
    ]


def test_the_last_passing_line_is_wiped_in_the_end() -> None:
    out = Terminal()
    with Progress(out, quiet=False) as progress:
        progress.event({"event": "node_started", "node": "reason"})
    assert out.getvalue() == f"{CLEAR_LINE}… reason{CLEAR_LINE}"


def test_json_on_a_pipe_is_not_disturbed() -> None:
    assert shown(io.StringIO(), quiet=True) == ""
    assert shown(Terminal(), quiet=True) != ""


def screen(
    *events: dict[str, Any], words: bool = True, thoughts: bool = False
) -> tuple[str, Progress]:
    """Show events on one terminal, as a person sees standard output and error."""
    out = Terminal()
    with Progress(out, quiet=False, words=out if words else None, thoughts=thoughts) as progress:
        for event in events:
            progress.event(event)
    return out.getvalue(), progress


def text(piece: str) -> dict[str, Any]:
    return {"event": "text", "text": piece}


def thought(piece: str) -> dict[str, Any]:
    return {"event": "thought", "text": piece}


REASON = {"event": "node_started", "node": "reason"}
LOOK = {"event": "calling", "tool": "look", "arguments": {}}


def test_words_are_shown_as_they_come_and_end_with_their_line() -> None:
    shown, progress = screen(REASON, text("It is "), text("blue."))
    assert shown == f"{CLEAR_LINE}… reason{CLEAR_LINE}It is blue.\n"
    assert progress.said == "It is blue."


def test_what_happens_in_between_has_a_line_of_its_own() -> None:
    shown, progress = screen(text("I look."), LOOK, REASON, text("It is blue.\n"))
    assert shown == f"I look.\ntool look\n{CLEAR_LINE}… reason{CLEAR_LINE}It is blue.\n"
    assert progress.said == "It is blue.\n", "words before a call are no part of the answer"


def test_events_without_words_do_not_tear_an_answer_apart() -> None:
    usage = {"event": "usage", "prompt_tokens": 1}
    assert screen(text("It is "), usage, text("blue."))[0] == "It is blue.\n"


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"event": "asked_again", "reason": "Cut.", "goes_on": True}, "It is blue."),
        ({"event": "asked_again", "reason": "Cut.", "goes_on": False}, "blue."),
        ({"event": "repairing", "sentences": 1}, "blue."),
    ],
)
def test_a_second_try_goes_on_or_begins_anew(event: dict[str, Any], said: str) -> None:
    assert screen(text("It is "), event, text("blue."))[1].said == said


def test_words_that_an_earlier_try_had_written_are_shown_before_the_rest() -> None:
    shown, progress = screen({"event": "begun", "text": "It is "}, text("blue."))
    assert (shown, progress.said) == ("It is blue.\n", "It is blue.")


def test_words_go_only_to_a_terminal() -> None:
    pipe = io.StringIO()
    with Progress(Terminal(), quiet=False, words=pipe) as progress:
        progress.event(text("It is blue."))
    assert (pipe.getvalue(), progress.said) == ("", "")


def test_thinking_is_dim_and_stands_on_lines_of_its_own() -> None:
    shown, progress = screen(thought("Hm, "), thought("so."), text("It is blue."), thoughts=True)
    assert shown == "\x1b[2mHm, \x1b[22m\x1b[2mso.\x1b[22m\nIt is blue.\n"
    assert progress.said == "It is blue."


def test_thinking_is_shown_only_where_it_is_asked_for_and_only_on_a_terminal() -> None:
    assert screen(thought("Hm."))[0] == ""
    plain = io.StringIO()
    with Progress(plain, quiet=False, words=Terminal(), thoughts=True) as progress:
        progress.event(thought("Hm."))
    assert plain.getvalue() == ""


@pytest.mark.parametrize(
    ("graph", "command"),
    [
        ("assistant", "cortical ask --thread 'my thread'"),
        ("titles", "the same command, with --thread 'my thread'"),
    ],
)
def test_a_stop_says_how_to_go_on(graph: str, command: str) -> None:
    paused = {"event": "paused", "graph": graph, "thread_id": "my thread"}
    shown, progress = screen(text("It is"), {"event": "stopping"}, paused)
    assert shown == (
        f"It is\n{CLEAR_LINE}… stopping; Ctrl-C again ends at once{CLEAR_LINE}"
        f"Stopped; what was done is kept. To go on: {command}\n"
    )
    assert progress.paused


def test_a_stop_is_told_even_where_nothing_else_is() -> None:
    out = io.StringIO()
    with Progress(out, quiet=True) as progress:
        progress.event({"event": "stopping"})
        progress.event({"event": "paused", "graph": "assistant", "thread_id": "t"})
    assert out.getvalue() == "Stopped; what was done is kept. To go on: cortical ask --thread t\n"


STEERING = "\x1b[2J\x1b]0;title\x07\r\x9b31m\u202e"


@given(st.lists(st.integers(0, len(STEERING)), max_size=6), st.sampled_from(["text", "thought"]))
def test_words_that_come_in_pieces_do_not_steer_the_terminal(cuts: list[int], kind: str) -> None:
    ends = sorted({0, *cuts, len(STEERING)})
    pieces = [STEERING[start:end] for start, end in pairwise(ends)]
    shown, _ = screen(*({"event": kind, "text": piece} for piece in pieces), thoughts=True)
    ours = shown.replace("\x1b[2m", "").replace("\x1b[22m", "")
    assert not set(ours) & set("\x1b\x07\r\x9b\u202e")
    assert ours == harmless(STEERING) + "\n"


def test_outside_words_do_not_steer_the_terminal() -> None:
    out = io.StringIO()
    with Progress(out, quiet=False) as progress:
        progress.event({"event": "model_failed", "reason": "\x1b[2K a\nb"})
    assert out.getvalue() == "the model gave no words: \\x1b[2K a b\n"


PAYLOAD = {
    "description": "The assistant wants to use `send`.",
    "action_requests": [{"args": {"to": "ann", "text": "one\nDo it? [y/N] y\x1b[2K"}}],
}


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("y\n", "approve"),
        ("YES\n", "approve"),
        (" ja \n", "approve"),
        ("n\n", "reject"),
        ("\n", "reject"),
        ("", "reject"),
        ("yes please\n", "reject"),
        ("ü\n", "reject"),
    ],
)
def test_anything_but_yes_is_no(monkeypatch: pytest.MonkeyPatch, typed: str, answer: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert decide(PAYLOAD) == {"type": answer}


def test_the_question_shows_all_that_would_be_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    decide(PAYLOAD)
    assert capsys.readouterr().err == (
        "\nThe assistant wants to use `send`.\n"
        "  to: ann\n"
        "  text: one\n"
        "      Do it? [y/N] y\\x1b[2K\n"
        "Do it? [y/N] "
    )
