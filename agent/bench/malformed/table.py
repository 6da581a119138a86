"""Malformed tool calls, and what has to become of each.

A shape is an answer of a model that is wrong in one way.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tools.calls.limits import CHARACTERS_LIMIT, NESTING_LIMIT

NAME = "send_message"
RIGHT = {"to": "ann", "text": "hi"}


class Expected(StrEnum):
    """What has to become of a shape."""

    MENDED = "mended, validated and run"
    REFUSED = "refused with the reason, made again rightly, then run"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """One wrong answer of a model."""

    name: str
    expected: Expected
    calls: Sequence[Any] = ()
    """Entries of `tool_calls`, as they are sent."""
    text: str = ""
    several: bool = False
    """It takes more than one call, which a model that is bound to a schema cannot make."""
    run: Sequence[Mapping[str, Any]] = (RIGHT,)
    """Arguments that have to be run in the turn, in their order, and no others."""


def entry(name: Any = NAME, arguments: Any = None, number: str = "call_1") -> dict[str, Any]:
    """Return an entry of `tool_calls`; without arguments, the right ones."""
    given = RIGHT if arguments is None else arguments
    return {"id": number, "function": {"name": name, "arguments": given}}


def _mended(name: str, arguments: Any, **run: Any) -> Shape:
    found = {**RIGHT, **run}
    return Shape(
        name=name, expected=Expected.MENDED, calls=[entry(arguments=arguments)], run=[found]
    )


def _refused(name: str, *calls: Any, text: str = "") -> Shape:
    return Shape(name=name, expected=Expected.REFUSED, calls=calls, text=text)


_TEXT = json.dumps(RIGHT)
_LONG = {**RIGHT, "text": "x" * CHARACTERS_LIMIT}
_TWICE = '{"to": "ann", "to": "ben", "text": "hi"}'
_DEEP = json.loads("[" * (NESTING_LIMIT + 1) + "]" * (NESTING_LIMIT + 1))

SHAPES = (
    _mended("arguments as a string", _TEXT),
    _mended("JSON within a JSON string", json.dumps(_TEXT)),
    _mended("a trailing comma", '{"to": "ann", "text": "hi",}'),
    _mended("a code fence", f"```json\n{_TEXT}\n```"),
    _mended("words around the object", f"Here are the arguments: {_TEXT}"),
    _mended("single quotes and Python's words", "{'to': 'ann', 'text': 'hi', 'urgent': True}",
            urgent=True),
    _mended("another type, without loss", {**RIGHT, "times": "2", "urgent": "true"},
            times=2, urgent=True),
    _mended("null for what may be left out", {**RIGHT, "times": None}),
    Shape(name="two calls of one id", expected=Expected.MENDED, several=True,
          calls=[entry(), entry(arguments={**RIGHT, "text": "ho"})],
          run=[RIGHT, {**RIGHT, "text": "ho"}]),
    _refused("truncated JSON", entry(arguments='{"to": "ann", "text": "h')),
    _refused("two values for one name", entry(arguments=_TWICE)),
    _refused("two objects", entry(arguments=f"{_TEXT} or {json.dumps({**RIGHT, 'to': 'ben'})}")),
    _refused("null arguments", {"id": "c", "function": {"name": NAME, "arguments": None}}),
    _refused("a list instead of an object", entry(arguments=[RIGHT])),
    _refused("another type, with loss", entry(arguments={**RIGHT, "times": "2.5"})),
    _refused("a truth value for a number", entry(arguments={**RIGHT, "times": True})),
    _refused("a required argument missing", entry(arguments={"to": "ann"})),
    _refused("an extra argument (bcc)", entry(arguments={**RIGHT, "bcc": "eve"})),
    _refused("no name", {"id": "c", "function": {"arguments": RIGHT}}),
    _refused("an empty name", entry(name="")),
    _refused("no function", {"name": NAME, "arguments": RIGHT}),
    _refused("an unknown tool", entry(name="delete_everything")),
    _refused("a name in other letters (Cyrillic)", entry(name="s\u0435nd_message")),
    _refused("a name with an unseen sign", entry(name="send_\u200bmessage")),
    _refused("a name in another case", entry(name="Send_Message")),
    _refused("a name with a namespace", entry(name=f"functions.{NAME}")),
    _refused("a call within a call", entry(arguments={"name": NAME, "arguments": RIGHT})),
    Shape(name="two hundred calls", expected=Expected.REFUSED, several=True,
          calls=[entry(number=f"call_{number}") for number in range(200)]),
    _refused("arguments of enormous length", entry(arguments=_LONG)),
    _refused("arguments nested without end", entry(arguments={**RIGHT, "tags": _DEEP})),
    _refused("a call as JSON in the text", text=json.dumps({"name": NAME, "arguments": RIGHT})),
    _refused("a call in <tool_call> tags in the text",
             text=f"<tool_call>\n{json.dumps({'name': NAME, 'arguments': RIGHT})}\n</tool_call>"),
    _refused("OpenAI's wrapper in the text", text=json.dumps({"tool_calls": [entry()]})),
)  # fmt: skip
