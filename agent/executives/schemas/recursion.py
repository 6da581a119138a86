"""Schemas that refer to themselves, written out to a depth, so that an answer must come to an end.

A grammar that may nest for ever lets a small model do so until it is cut off. Pure.
"""

from collections.abc import Iterator, Mapping
from typing import Any

LEVELS = 5
"""How often a definition may stand within itself."""

_REF = "#/$defs/"
Schema = Mapping[str, Any]


def unrolled(schema: Schema) -> Schema:
    """Return the schema without definitions that lead back to themselves.

    One that has no finite value stays as it is.
    """
    definitions: dict[str, Any] = dict(schema.get("$defs", {}))
    circular = {name for name in definitions if name in _reached(name, definitions)}
    if not circular:
        return schema
    made: dict[str, Any] = {}
    for level in reversed(range(LEVELS)):
        for name in circular:
            made[_at(name, level)] = _lowered(definitions[name], circular, level + 1, made)
    if any(made[name] is False for name in circular):
        return schema
    rest = {
        name: _lowered(one, circular, 0, made)
        for name, one in definitions.items()
        if name not in circular
    }
    own = {key: value for key, value in schema.items() if key != "$defs"}
    kept = {name: one for name, one in made.items() if one is not False}
    return {**_lowered(own, circular, 0, made), "$defs": {**rest, **kept}}


def _at(name: str, level: int) -> str:
    return f"{name}.{level}" if level else name


def _reached(name: str, definitions: Mapping[str, Any]) -> set[str]:
    """Return the definitions that one leads to."""
    found: set[str] = set()
    pending = list(_named(definitions[name]))
    while pending:
        one = pending.pop()
        if one not in found and one in definitions:
            found.add(one)
            pending += _named(definitions[one])
    return found


def _named(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for one in schema:
            yield from _named(one)
    elif isinstance(schema, Mapping):
        if str(schema.get("$ref", "")).startswith(_REF):
            yield str(schema["$ref"]).removeprefix(_REF)
        for value in schema.values():
            yield from _named(value)


def _lowered(schema: Any, circular: set[str], level: int, made: Mapping[str, Any]) -> Any:
    """Return a schema whose references lead to a level; False where nothing is left of it."""
    if isinstance(schema, list):
        return [_lowered(one, circular, level, made) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    name = str(schema.get("$ref", "")).removeprefix(_REF)
    if name in circular:
        lower = _at(name, level)
        return {"$ref": f"{_REF}{lower}"} if made.get(lower, False) is not False else False
    kept = {
        key: {one: _lowered(inner, circular, level, made) for one, inner in value.items()}
        if key in ("properties", "patternProperties")
        else value
        if key in ("const", "enum", "required", "default", "examples")
        else _lowered(value, circular, level, made)
        for key, value in schema.items()
    }
    return _pruned(kept)


def _pruned(schema: dict[str, Any]) -> Any:
    """Return the schema without what has become impossible; False where it is so itself."""
    for key in ("anyOf", "oneOf"):
        if key in schema:
            schema[key] = [one for one in schema[key] if one is not False]
            if not schema[key]:
                return False
    if False in schema.get("prefixItems", ()) or False in schema.get("allOf", ()):
        return False
    if schema.get("items") is False and "prefixItems" not in schema:
        return False if schema.get("minItems") else {"const": []}
    fields = schema.get("properties", {})
    gone = {name for name, one in fields.items() if one is False}
    if gone & set(schema.get("required", ())):
        return False
    if gone:
        schema["properties"] = {name: one for name, one in fields.items() if name not in gone}
    return schema
