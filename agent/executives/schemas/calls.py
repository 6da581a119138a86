"""Tool calls by JSON schema, for models whose template has none of its own. Pure."""

import uuid
from collections.abc import Sequence
from typing import Any

from agent.executives.schemas.grammars import expressed
from agent.executives.schemas.recursion import unrolled
from agent.executives.schemas.telling import told
from graphs.executive import JsonSchema
from tools.base import ToolSpec


def union(tools: Sequence[ToolSpec], *, must_call: bool, rich: bool = False) -> JsonSchema:
    """Return the schema of one call of one of the tools; else also of an answer in words.

    Properties are written in the order of the schema: the tool is named before its arguments.
    `rich`: as in `constrained`.
    """
    definitions: dict[str, Any] = {}
    branches: list[dict[str, Any]] = []
    for tool in tools:
        arguments = constrained(tool.parameters, prefix=tool.name, rich=rich)
        definitions |= {
            f"{tool.name}.{name}": schema for name, schema in arguments.pop("$defs", {}).items()
        }
        branches.append(_record(tool={"const": tool.name}, arguments=arguments))
    if not must_call:
        branches.append(_record(answer={"type": "string"}))
    schema: dict[str, Any] = {"anyOf": branches}
    return {**schema, "$defs": definitions} if definitions else schema


def _record(**properties: JsonSchema) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def constrained(schema: JsonSchema, *, prefix: str = "", rich: bool = False) -> dict[str, Any]:
    """Return a schema as a grammar needs it.

    What only people read is left out, and what a grammar cannot hold; references get the prefix, an
    object has no properties but those that are named, and what refers to itself comes to an end.
    `rich`: for llama.cpp in process, which can hold more than the converters of other servers.
    """
    found: dict[str, Any] = expressed(unrolled(schema), rich=rich, prefix=prefix)
    return found


def instructions(tools: Sequence[ToolSpec], *, must_call: bool) -> str:
    """Return what the system text says of the tools; the same tools give the same words."""
    listed = "\n".join(
        f"- {tool.name}({told(tool.parameters)}): {' '.join(tool.description.split())}"
        for tool in tools
    )
    call = '{"tool": NAME, "arguments": {…}}'
    how = (
        f"Reply with one JSON object {call} that calls the tool which the request needs."
        if must_call
        else f'Reply with one JSON object: {call} to call a tool, or {{"answer": TEXT}} to answer.'
    )
    return f"Tools:\n{listed}\n\n{how}"


def call_id() -> str:
    """Return an id that no other call of the thread has."""
    return f"call_{uuid.uuid4().hex[:12]}"
