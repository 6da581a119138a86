"""How much one call may hold. Pure."""

import json
from typing import Any

from tools.calls.faults import CallError, Fault

CHARACTERS_LIMIT = 64_000
"""Of the arguments of one call, as JSON."""

NESTING_LIMIT = 32
"""Arrays and objects within one another."""


def refuse_long(text: str) -> None:
    """Refuse a text that is too long to be read."""
    if len(text) > CHARACTERS_LIMIT:
        raise CallError(
            Fault.TOO_LARGE,
            f"The arguments have {len(text)} characters; at most {CHARACTERS_LIMIT} are taken. "
            "Make them shorter, or divide the work into several calls.",
        )


def refuse_deep(depth: int) -> None:
    """Refuse a depth that is beyond the limit."""
    if depth > NESTING_LIMIT:
        raise CallError(
            Fault.TOO_LARGE,
            f"The arguments are nested more than {NESTING_LIMIT} deep. Make them flatter.",
        )


def refuse_large(value: Any) -> None:
    """Refuse arguments that are nested too deeply or too long."""
    pending = [(value, 0)]
    while pending:
        one, depth = pending.pop()
        refuse_deep(depth)
        if isinstance(one, dict):
            pending += [(inner, depth + 1) for inner in one.values()]
        elif isinstance(one, list):
            pending += [(inner, depth + 1) for inner in one]
    refuse_long(json.dumps(value, ensure_ascii=False))
