"""What a model is told of a tool's arguments, in few words. Pure."""

import json
from collections.abc import Mapping
from typing import Any

_REF = "#/$defs/"
_DEPTH = 3
_OPTIONS = 12
_KINDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "array": "list",
    "object": "object",
    "null": "null",
}
_FORMATS = {"date": "YYYY-MM-DD", "time": "HH:MM", "date-time": "YYYY-MM-DDTHH:MM"}

Schema = Mapping[str, Any]


def told(parameters: Schema) -> str:
    """Return the arguments of a tool: their names, kinds and meaning.

    One that may be left out has a question mark.
    """
    return _fields(parameters, parameters.get("$defs", {}), _DEPTH)


def _fields(schema: Schema, definitions: Schema, depth: int) -> str:
    required = schema.get("required", ())
    return ", ".join(
        f"{name}{'' if name in required else '?'}: {_described(one, definitions, depth)}"
        for name, one in schema.get("properties", {}).items()
    )


def _described(schema: Any, definitions: Schema, depth: int) -> str:
    kind = _kind(schema, definitions, depth)
    meaning = " ".join(str(schema.get("description", "")).split()) if depth == _DEPTH else ""
    return f"{kind} ({meaning})" if meaning else kind


def _kind(schema: Any, definitions: Schema, depth: int) -> str:
    schema = _resolved(schema, definitions)
    if not schema or not depth:
        return _KINDS.get(str(schema.get("type")), "any value")
    if "const" in schema or "enum" in schema:
        options = schema.get("enum", [schema.get("const")])
        more = " | …" if len(options) > _OPTIONS else ""
        return " | ".join(json.dumps(one, ensure_ascii=False) for one in options[:_OPTIONS]) + more
    branches = schema.get("anyOf", schema.get("oneOf"))
    if branches:
        kinds = [_kind(one, definitions, depth) for one in branches]
        return " or ".join(dict.fromkeys(kind for kind in kinds if kind != "null")) or "null"
    if "properties" in schema:
        return f"{{{_fields(schema, definitions, depth - 1)}}}"
    if "items" in schema:
        return f"list of {_kind(schema['items'], definitions, depth - 1)}"
    return _FORMATS.get(schema.get("format", ""), _KINDS.get(str(schema.get("type")), "any value"))


def _resolved(schema: Any, definitions: Schema) -> Schema:
    if not isinstance(schema, Mapping):
        return {}
    if len(schema.get("allOf", ())) == 1:
        schema = {**schema, **schema["allOf"][0]}
    name = str(schema.get("$ref", ""))
    found: Schema = definitions.get(name.removeprefix(_REF), {}) if name else schema
    return found
