"""The command line at its edges: wrong use, an interrupt, an output that nobody takes."""

import signal
import sys
from pathlib import Path
from typing import Any

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


def test_an_output_on_a_full_disk_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["cortical", "config", "show", "--json"])
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(SystemExit) as ended:
            edge.main()
        sys.stdout.close()
        monkeypatch.undo()
        with pytest.raises(OSError, match="No space"):
            full.close()
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert said == "cortical: The output is not complete: No space left on device.\n"


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
