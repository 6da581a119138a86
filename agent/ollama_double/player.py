"""A model that does what it is told as far as that needs no understanding. Pure.

It fills in a schema, calls the tool whose name or description shares most words with the request,
and otherwise answers with the sentence of the prompt that shares most words with the question: over
and over where something long is asked for.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agent.ollama_double.script import Asked, Say, call

_LONG = 40
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def play(asked: Asked) -> Say:
    """Answer a request to `/api/chat`."""
    body = asked.body
    messages: Sequence[Mapping[str, Any]] = body["messages"]
    request = str(messages[-1]["content"])
    schema, tools = body.get("format"), body.get("tools")
    thinking = "Let me see." if body.get("think") else ""
    if schema is not None:
        return Say(text=json.dumps(_value(schema, schema, request)))
    if tools and messages[-1]["role"] == "user":
        return Say(calls=[_called(tools, request)], thinking=thinking)
    return Say(text=_answer(messages, request), thinking=thinking)


def _called(tools: Sequence[Mapping[str, Any]], request: str) -> dict[str, Any]:
    functions = [tool["function"] for tool in tools]
    best = max(
        functions, key=lambda one: _shared(f"{one['name']} {one.get('description')}", request)
    )
    schema = best["parameters"]
    return call(best["name"], **_value(schema, schema, request))


def _answer(messages: Sequence[Mapping[str, Any]], request: str) -> str:
    question = _sentences(request.rpartition("\n\n")[2] or request)
    told = [
        sentence
        for message in messages
        for sentence in _sentences(str(message["content"]))
        if sentence not in question
    ]
    best = max(told, key=lambda one: _shared(one, " ".join(question)), default="Yes.")
    return f"{best} " * _LONG if "long" in request.casefold().split() else best


def _sentences(text: str) -> list[str]:
    return [part.strip() for part in _SENTENCE.split(text) if part.strip()]


def _shared(one: str, other: str) -> int:
    return len(set(_words(one)) & set(_words(other)))


def _words(text: str) -> Iterable[str]:
    return re.findall(r"\w{4,}", text.casefold().replace("_", " "))


def _value(schema: Mapping[str, Any], root: Mapping[str, Any], request: str) -> Any:
    """Return a value that a schema accepts."""
    match schema:
        case {"$ref": str(reference)}:
            return _value(root["$defs"][reference.rpartition("/")[2]], root, request)
        case {"anyOf": [*branches]}:
            return _value(_branch(branches, request), root, request)
        case {"const": value}:
            return value
        case {"enum": [first, *_]}:
            return first
        case {"type": "object"}:
            properties = schema.get("properties", {})
            return {name: _value(inner, root, request) for name, inner in properties.items()}
        case {"type": "array"}:
            return [_value(schema["items"], root, request)] if "items" in schema else []
        case {"type": "integer" | "number"}:
            return schema.get("minimum", 1)
        case {"type": "boolean"}:
            return True
        case {"type": "null"}:
            return None
        case _:
            return "word"


def _branch(branches: Sequence[Mapping[str, Any]], request: str) -> Mapping[str, Any]:
    """Return the branch whose tool has the name that the request is nearest to, else the first."""
    return max(branches, key=lambda one: _shared(json.dumps(one), request))
