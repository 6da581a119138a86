"""The command line at its edges: wrong use, an interrupt, an output that nobody takes."""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

import pytest

from agent import doctor
from agent.cli import edge


@pytest.fixture(autouse=True)
def logging_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands configure the log of the whole process."""
    monkeypatch.setattr("agent.logs.configure", lambda _: None)


def test_an_interrupt_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def interrupted(_: Any) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(doctor, "examine", interrupted)
    assert edge.run(["doctor"], debug=False) == 130
    assert capsys.readouterr().err == "Stopped. What was finished is kept.\n"


def told_into(output: TextIO, monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    """Run a command whose output goes there; return its exit code."""
    monkeypatch.setattr(sys, "argv", ["cortical", *words])
    monkeypatch.setattr(sys, "stdout", output)
    with pytest.raises(SystemExit) as ended:
        edge.main()
    assert sys.stdout is not output, "Python would write the rest at exit"
    sys.stdout.close()
    monkeypatch.undo()
    with suppress(OSError):  # of what is left in it
        output.close()
    return ended.value.code


@pytest.mark.parametrize("kept_bytes", [1, 100, 4096, 1 << 20])
@pytest.mark.parametrize("words", [("config", "show", "--json"), ("aks", "--json")])
def test_an_output_on_a_full_disk_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    kept_bytes: int,
) -> None:
    """Whether it is seen by what prints, or only by what writes the rest at the end."""
    full = Path("/dev/full").open("w", buffering=kept_bytes)  # noqa: SIM115 - see above
    assert told_into(full, monkeypatch, *words) == 1
    said = capsys.readouterr().err
    assert said.endswith("cortical: The output is not complete: No space left on device.\n")
    assert "Traceback" not in said


@pytest.mark.parametrize("kept_bytes", [1, 1 << 20])
def test_a_reader_that_has_gone_is_no_reason_to_complain(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kept_bytes: int
) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    pipe = os.fdopen(writes, "w", buffering=kept_bytes)
    assert told_into(pipe, monkeypatch, "config", "show", "--json") == 1
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["search", " "], "There is nothing to look for. Give a word or a question."),
        (["hear", "."], "'.' is a folder. Name one file in it."),
        (["see", "."], "'.' is a folder. Name one file in it."),
        (["say", "hello", "-o", "."], "'.' is a folder. Name a file for the recording."),
        (["ask", "hello", "--speak", "."], "'.' is a folder. Name a file for --speak."),
        (["aks"], "No such command 'aks'. Did you mean 'ask'? See `cortical --help`."),
    ],
)
def test_wrong_use_is_told_before_anything_is_done(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert edge.run(arguments, debug=False) == 2
    assert capsys.readouterr().err == f"cortical: {said}\n"


def test_help_tells_of_debug(capsys: pytest.CaptureFixture[str]) -> None:
    assert edge.run(["--help"], debug=False) == 0
    assert "--debug" in capsys.readouterr().out
