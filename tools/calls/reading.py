"""An object out of what a model wrote where an object was due. Pure.

JSON is taken as it is. Beyond that only what can be read in one way: a code fence, a comma before
a closing bracket, Python's words and quotes, JSON within a JSON string, words around exactly one
object. All else is refused with the reason, which goes back to the model.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from tools.calls.faults import CallError, Fault
from tools.calls.limits import refuse_large, refuse_long
from tools.calls.literals import Literals, NotLiteralError, same

_FENCE = re.compile(r"```[ \t]*[\w+-]*[ \t]*\r?\n?(?P<body>.*?)```", re.DOTALL)
_TIMES = 2
"""How often JSON may stand within a JSON string."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """An object, and what had to be mended so that it could be read."""

    value: dict[str, Any]
    mended: tuple[str, ...] = ()


def read_object(text: str) -> Read:
    """Return the one object that a text holds. Raises CallError."""
    refuse_long(text)
    value, mended = _read(text)
    for _ in range(_TIMES):
        if isinstance(value, str):
            value, needed = _read(value)
            mended += ["JSON within a JSON string", *needed]
    if not isinstance(value, dict):
        _refuse(f"it is {kind(value)}, not an object", text)
    refuse_large(value)
    return Read(value=value, mended=tuple(dict.fromkeys(mended)))


def read_value(text: str) -> Any:
    """Return the one value that a text holds. Raises CallError."""
    refuse_long(text)
    value, _ = _read(text)
    return value


def kind(value: Any) -> str:
    """Name the kind of a JSON value."""
    match value:
        case None:
            return "null"
        case bool():
            return "a truth value"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"


def _read(text: str) -> tuple[Any, list[str]]:
    """Return the value of a text and what was mended. Raises CallError."""
    try:
        return _strict(text), []
    except RecursionError:
        _refuse("it is nested too deeply", text)
    except ValueError:
        return _mended(text)


def _strict(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found and not same(found[name], value):
            raise CallError(
                Fault.UNREADABLE, f"The arguments name {name!r} twice with different values."
            )
        found[name] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise CallError(Fault.UNREADABLE, f"The arguments hold {name}, which is no number of JSON.")


def _mended(text: str) -> tuple[Any, list[str]]:
    fences = list(_FENCE.finditer(text))
    if len(fences) > 1:
        _refuse("it holds several code blocks, and which is meant is not clear", text)
    if fences:
        before, after = text[: fences[0].start()], text[fences[0].end() :]
        _refuse_brackets(f"{before}{after}", text)
        value, needed = _read(fences[0]["body"].strip())
        words = ["words around it"] if before.strip() or after.strip() else []
        return value, ["a code fence", *words, *needed]
    return _within_words(text)


def _within_words(text: str) -> tuple[Any, list[str]]:
    start = min((at for sign in "{[" if (at := text.find(sign)) >= 0), default=-1)
    if start < 0:
        _refuse("it holds no object", text)
    literals = Literals(text)
    try:
        value, end = literals.value(start)
    except NotLiteralError as error:
        _refuse(str(error), text)
    around = f"{text[:start]} {text[end:]}"
    _refuse_brackets(around, text)
    words = ["words around it"] if around.strip() else []
    return value, [*words, *sorted(literals.mended)]


def _refuse_brackets(around: str, text: str) -> None:
    """Refuse words that may hold a second object, or a piece of the one that was read."""
    if re.search(r"[{}\[\]]", around):
        _refuse("it holds more than one object, or brackets without their partner", text)


def _refuse(why: str, text: str) -> NoReturn:
    shown = text if len(text) <= 120 else f"{text[:120]}…"
    raise CallError(
        Fault.UNREADABLE,
        f"What was written is not one JSON object: {why}. It was {shown!r}. Write one JSON object "
        "and nothing else.",
    )
