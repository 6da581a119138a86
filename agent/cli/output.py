"""What the command line writes; the only module that prints."""

import json
import sys
from collections.abc import Iterable
from typing import Any


def note(text: str) -> None:
    """Write a line on standard error."""
    from agent.rendering import harmless

    print(harmless(text), file=sys.stderr, flush=True)  # noqa: T201 - the only module that prints


def print_lines(lines: Iterable[str]) -> None:
    """Write lines for a person."""
    from agent.rendering import harmless

    for line in lines:
        print(harmless(line))  # noqa: T201 - the only module that prints


def print_json(value: Any) -> None:
    """Write one JSON value."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))  # noqa: T201 - see above


def print_event(event: Any) -> None:
    """Write one JSON value on a line of its own, at once."""
    line = json.dumps(event, ensure_ascii=False, default=str)
    print(line, flush=True)  # noqa: T201 - see above
