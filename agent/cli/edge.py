"""Where a command begins and ends: errors become one line and an exit code."""

import sys
import traceback

import typer

from agent.cli.commands import app
from agent.cli.options import FAILED, INTERRUPTED
from agent.cli.output import note, print_json


def main() -> None:
    """Run a command; errors become one line and an exit code, with `--debug` a traceback too."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    code = run(arguments, debug=debug)
    sys.exit(_flushed(code))


def _flushed(code: int) -> int:
    """Write what is left of the output; Python would tell of a full disk with a traceback."""
    try:
        sys.stdout.flush()
    except OSError as error:
        sys.stdout = open("/dev/null", "w")  # noqa: SIM115, PTH123 - lives as long as the process
        if not isinstance(error, BrokenPipeError):
            note(f"cortical: The output is not complete: {error.strerror or error}.")
        return FAILED
    return code


def run(arguments: list[str], *, debug: bool) -> int:
    """Run a command and return its exit code."""
    try:
        code = app(arguments, prog_name="cortical", standalone_mode=False)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does; Python would complain at exit.
        sys.stdout = open("/dev/null", "w")  # noqa: SIM115, PTH123 - lives as long as the process
        return FAILED
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
