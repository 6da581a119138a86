"""Where a command begins and ends: errors become one line and an exit code."""

import sys
import traceback

import typer

from agent.cli.commands import app
from agent.cli.options import FAILED, INTERRUPTED
from agent.cli.output import OutputError, flush, note, print_json


def main() -> None:
    """Run a command; errors become one line and an exit code, with `--debug` a traceback too."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        code = run(arguments, debug=debug)
        flush()
    except OutputError as error:
        code = _cut_off(error.__cause__)
    sys.exit(code)


def _cut_off(cause: BaseException | None) -> int:
    """Say that the output ends early, unless whoever read it has gone, as `head` does."""
    # Python writes what is left of it at exit, and would tell of that with a traceback.
    sys.stdout = open("/dev/null", "w")  # noqa: SIM115, PTH123 - lives as long as the process
    if isinstance(cause, OSError) and not isinstance(cause, BrokenPipeError):
        note(f"cortical: The output is not complete: {cause.strerror or cause}.")
    return FAILED


def run(arguments: list[str], *, debug: bool) -> int:
    """Run a command and return its exit code. Raises OutputError where that is cut off."""
    try:
        code = app(arguments, prog_name="cortical", standalone_mode=False)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except OutputError:
        raise
    except typer.Exit as exit_asked:
        return exit_asked.exit_code
    except Exception as error:  # noqa: BLE001 - the edge: every error ends as a line for a person
        return _failed(error, as_json="--json" in arguments, debug=debug)
    if code == INTERRUPTED:  # typer turns the interrupt into this code
        note("Stopped. What was finished is kept.")
    return code if isinstance(code, int) else 0


def _failed(error: Exception, *, as_json: bool, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    code, message = _explained(error)
    if as_json:
        print_json({"error": {"kind": type(error).__name__, "message": message}})
    note(message if message.startswith("Usage:") else f"cortical: {message}")
    return code


def _explained(error: Exception) -> tuple[int, str]:
    """Return the exit code and the words for a person."""
    from agent import faults

    return faults.explained(error)
