"""One event of a server's stream, read from its JSON. Pure."""

import json
from collections.abc import Callable
from typing import Any

from graphs.errors import BrokenStreamError

SHOWN = 200
"""Characters of a strange value that are told."""

Strange = Callable[[str, Any], BrokenStreamError]
"""Makes the error from what is wrong and the value."""


def decoded(text: str, what: str, strange: Strange) -> dict[str, Any]:
    """Return the object of an event, which `what` names. Raises BrokenStreamError."""
    try:
        event = json.loads(text)
    except ValueError as error:
        raise strange(f"{what} that is no JSON", text) from error
    if not isinstance(event, dict):
        raise strange(f"{what} that is no object", text)
    return event


def excerpt(value: Any) -> str:
    """Return a value as an error tells it."""
    shown = repr(value)
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"


def number(facts: Any, key: str) -> int:
    """Return a count that a server told; 0 where it told none."""
    value = facts.get(key) if isinstance(facts, dict) else None
    return value if isinstance(value, int) else 0
