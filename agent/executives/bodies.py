"""What requests to servers of models have in common. Pure."""

import json
from typing import Any

from agent.executives.schemas import calls
from graphs.executive import JsonSchema, Wish
from tools.base import ToolSpec


def asked_schema(wish: Wish, *, by_schema: bool, must_call: bool) -> JsonSchema | None:
    """Return the schema that an answer is bound to; None: it is not.

    Where tools are shown and none may be called, what is left of their union is an answer.
    """
    if by_schema:
        callable_tools = wish.tools if wish.may_call else ()
        return calls.union(callable_tools, must_call=must_call and wish.may_call)
    if wish.schema is None or wish.tools:
        return None
    constrained: JsonSchema = calls.constrained(wish.schema)
    return constrained


def described(tool: ToolSpec) -> dict[str, Any]:
    """Return a tool as servers are told of it."""
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        },
    }


def read_texts(body: dict[str, Any]) -> list[str]:
    """Return all that the model has to read of a request, one text for each tool and message.

    Tools come first, as in most templates: what a later prompt adds stands behind all of it.
    """
    messages, tools = split_texts(body)
    return [*tools, *messages]


def split_texts(body: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return what the model has to read of the messages, and of the tools."""
    found = []
    for message in body["messages"]:
        called = message.get("tool_calls")
        text = message["content"]
        found.append(f"{text}\n{json.dumps(called, ensure_ascii=False)}" if called else text)
    return found, [json.dumps(tool, ensure_ascii=False) for tool in body.get("tools", ())]
