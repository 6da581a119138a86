"""Errors in words, with an exit code."""

import errno

import pytest
import typer

from agent.cli import app
from agent.errors import AgentError, SettingsError, UsageError
from agent.faults import explained
from graphs.errors import ExecutiveError, ModelMissingError
from memory.errors import DatabaseUnreachableError, MemoryStoreError
from tools.base import ToolError
from tools.reading.base import UnreadableError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("There is no file 'x'."), 2),
        (SettingsError("There is no setting `x`."), 2),
        (AgentError("It is paused."), 1),
        (ExecutiveError("No answer."), 1),
        (ModelMissingError("The server has no model x."), 1),
        (MemoryStoreError("The tables are not known."), 1),
        (DatabaseUnreachableError("No database answers."), 1),
        (UnreadableError("'x' is empty."), 1),
        (ToolError("No."), 1),
    ],
)
def test_our_own_words_are_said_as_they_are(error: Exception, code: int) -> None:
    assert explained(error) == (code, str(error))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--nope"], "No such option: --nope. See `cortical --help`."),
        (["search", "x", "-k", "0"], "See `cortical search --help`."),
        (["nope"], "No such command 'nope'. See `cortical --help`."),
        (["say", "hello"], "Missing option '--out' / '-o'. See `cortical say --help`."),
    ],
)
def test_a_command_that_is_called_wrongly_is_told_where_its_help_is(
    arguments: list[str], said: str
) -> None:
    with pytest.raises(typer.TyperException) as caught:
        app(arguments, prog_name="cortical", standalone_mode=False)
    code, text = explained(caught.value)
    assert code == 2
    assert text.endswith(said)


def test_a_full_disk_is_named_with_what_to_do() -> None:
    code, text = explained(OSError(errno.ENOSPC, "No space left on device", "/data/x"))
    assert code == 1
    assert text == "The disk is full /data/x. What was stored before is whole. Free some space."


def test_a_fault_of_the_system_names_the_file() -> None:
    error = PermissionError(errno.EACCES, "Permission denied", "/data/x")
    assert explained(error) == (1, "Permission denied /data/x.")
    assert explained(OSError("something else")) == (1, "something else.")


def test_what_nobody_foresaw_says_where_to_look() -> None:
    code, text = explained(LookupError("ours"))
    assert code == 1
    assert text == ("An error that nobody foresaw: LookupError: ours. Add --debug to see where.")
