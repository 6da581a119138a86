"""Progress and questions on a terminal, and where there is none."""

import io
from typing import Any

import pytest

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
