"""A tool call as a server sent it. Pure.

One that cannot be read is a call all the same, with what is wrong with it: a lost turn is no better
than a lost call, and the model can write it again.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

from agent.executives.schemas.calls import call_id
from graphs.executive import CallPart
from tools.calls.faults import CallError
from tools.calls.reading import kind, read_object

_SHOWN = 200


def received(raw: Any, taken: Collection[str]) -> CallPart:
    """Return an entry of `tool_calls`, `{"id": …, "function": {"name": …, "arguments": …}}`.

    Its id is not among those taken. Arguments may be an object, or the text of one.
    """
    given = raw.get("id") if isinstance(raw, Mapping) else None
    number = given if isinstance(given, str) and given and given not in taken else call_id()
    function = raw.get("function") if isinstance(raw, Mapping) else None
    if not isinstance(function, Mapping):
        return _faulty(number, f"The call has no function: {_shown(raw)}.")
    name = function.get("name")
    if not isinstance(name, str) or not name.strip():
        return _faulty(number, f"The call names no tool: {_shown(raw)}.")
    try:
        arguments = _arguments(function.get("arguments"))
    except CallError as error:
        return _faulty(number, f"The arguments of {name[:80]!r} cannot be read. {error}", name)
    return CallPart(id=number, name=name, arguments=arguments)


def _arguments(given: Any) -> dict[str, Any]:
    """Return the arguments; none are as good as empty ones. Raises CallError."""
    if given is None or (isinstance(given, str) and given.strip() in ("", "null")):
        return {}
    if isinstance(given, dict):
        return given
    return read_object(given if isinstance(given, str) else json.dumps(given)).value


def _faulty(number: str, fault: str, name: str = "") -> CallPart:
    return CallPart(id=number, name=name, arguments={}, fault=fault)


def _shown(raw: Any) -> str:
    text = f"it is {kind(raw)}, {raw!r}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
