"""What the command line writes; the only module that prints."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any


class OutputError(Exception):
    """Not all of the output could be written; its cause says why."""


def note(text: str) -> None:
    """Write a line on standard error."""
    from agent.rendering import harmless

    print(harmless(text), file=sys.stderr, flush=True)  # noqa: T201 - the only module that prints


def print_lines(lines: Iterable[str]) -> None:
    """Write lines for a person."""
    from agent.rendering import harmless

    for line in lines:
        _write(harmless(line))


def print_json(value: Any) -> None:
    """Write one JSON value."""
    _write(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_event(event: Any) -> None:
    """Write one JSON value on a line of its own, at once."""
    _write(json.dumps(event, ensure_ascii=False, default=str))
    flush()


def flush() -> None:
    """Write what is left of the output."""
    with _whole():
        sys.stdout.flush()


def _write(line: str) -> None:
    with _whole():
        print(line)  # noqa: T201 - see above


@contextmanager
def _whole() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError from error
