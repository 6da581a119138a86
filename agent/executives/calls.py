"""Tool calls by JSON schema, for models whose template has none of its own. Pure."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from graphs.executive import JsonSchema
from tools.base import ToolSpec

_REF = "#/$defs/"
_DROPPED = frozenset({"title", "default", "examples"})


def union(tools: Sequence[ToolSpec], *, must_call: bool) -> JsonSchema:
    """Return the schema of one call of one of the tools; else also of an answer in words.

    Properties are written in the order of the schema: the tool is named before its arguments.
    """
    definitions: dict[str, Any] = {}
    branches: list[dict[str, Any]] = []
    for tool in tools:
        definitions |= {
            f"{tool.name}.{name}": constrained(schema, prefix=tool.name)
            for name, schema in tool.parameters.get("$defs", {}).items()
        }
        arguments = {key: value for key, value in tool.parameters.items() if key != "$defs"}
        branches.append(
            _record(tool={"const": tool.name}, arguments=constrained(arguments, prefix=tool.name))
        )
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


def constrained(schema: Any, *, prefix: str = "") -> Any:
    """Return a schema as a grammar needs it.

    What only people read is left out, references get the prefix, and an object has no properties
    but those that are named.
    """
    if isinstance(schema, list):
        return [constrained(one, prefix=prefix) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "$ref" and prefix and str(value).startswith(_REF):
            kept[key] = f"{_REF}{prefix}.{str(value).removeprefix(_REF)}"
        elif key in ("properties", "$defs"):
            kept[key] = {name: constrained(one, prefix=prefix) for name, one in value.items()}
        elif key in ("const", "enum", "required"):
            kept[key] = value
        elif key not in _DROPPED:
            kept[key] = constrained(value, prefix=prefix)
    if "properties" in kept:
        kept.setdefault("additionalProperties", False)
    return kept


def instructions(tools: Sequence[ToolSpec], *, must_call: bool) -> str:
    """Return what the system text says of the tools; the same tools give the same words."""
    listed = "\n".join(
        f"- {tool.name}({', '.join(_arguments(tool))}): {' '.join(tool.description.split())}"
        for tool in tools
    )
    call = '{"tool": NAME, "arguments": {…}}'
    how = (
        f"Reply with one JSON object {call} that calls the tool which the request needs."
        if must_call
        else f'Reply with one JSON object: {call} to call a tool, or {{"answer": TEXT}} to answer.'
    )
    return f"Tools:\n{listed}\n\n{how}"


def _arguments(tool: ToolSpec) -> list[str]:
    required = tool.parameters.get("required", ())
    return [
        name if name in required else f"{name}?" for name in tool.parameters.get("properties", {})
    ]


def call_id() -> str:
    """Return an id that no other call of the thread has."""
    return f"call_{uuid.uuid4().hex[:12]}"
