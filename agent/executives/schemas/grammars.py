"""A JSON schema as a grammar can hold it. Pure.

What people read is left out, and what no grammar can express: validation looks after that. Numbers
get an end, since a model may otherwise write digits for ever.
"""

from collections.abc import Mapping
from typing import Any

from agent.executives.schemas.patterns import FORMATS, REPEATS_LIMIT, expressible

_REF = "#/$defs/"
_WHOLE = 2**53 - 1
_LARGE, _FINE = 10**15, 0.000001
_ANYTHING = {"description": "any value"}
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems")
_KEPT = frozenset({"type", "required", *_BOUNDS, *_COUNTS})


def expressed(schema: Any, *, rich: bool, prefix: str = "") -> Any:
    """Return the schema for a grammar; references get the prefix.

    `rich`: for llguidance. Otherwise what every converter of llama.cpp takes.
    """
    writer = _Writer(schema, rich=rich, prefix=prefix)
    found = writer.node(schema)
    if isinstance(schema, Mapping) and "$defs" in schema:
        found["$defs"] = {name: writer.node(one) for name, one in schema["$defs"].items()}
    return found


class _Writer:
    def __init__(self, root: Any, *, rich: bool, prefix: str) -> None:
        self._definitions = root.get("$defs", {}) if isinstance(root, Mapping) else {}
        self._rich = rich
        self._prefix = f"{prefix}." if prefix else ""

    def node(self, schema: Any) -> Any:
        if not isinstance(schema, Mapping):
            return self.node({}) if schema is True else schema
        for key in ("const", "enum"):
            if key in schema:
                return {key: schema[key]}
        if "$ref" in schema:
            return {"$ref": self._reference(str(schema["$ref"]))}
        branches = schema.get("anyOf", schema.get("oneOf"))
        found = self._either(branches) if branches else self._plain(schema)
        # The converters of other servers take an empty schema for an object.
        return found if found or self._rich else dict(_ANYTHING)

    def _reference(self, reference: str) -> str:
        if not reference.startswith(_REF):
            return reference
        return f"{_REF}{self._prefix}{reference.removeprefix(_REF)}"

    def _either(self, branches: list[Any]) -> dict[str, Any]:
        """Leave out a branch that a grammar holds only in part, where another is there."""
        whole = [one for one in branches if self._holds(one)]
        return {"anyOf": [self.node(one) for one in whole or branches]}

    def _holds(self, schema: Any) -> bool:
        pattern = schema.get("pattern") if isinstance(schema, Mapping) else None
        return pattern is None or expressible(pattern, rich=self._rich) is not None

    def _plain(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        if len(schema.get("allOf", ())) == 1:
            rest = {key: value for key, value in schema.items() if key != "allOf"}
            return dict(self.node({**schema["allOf"][0], **rest}))
        kept = {key: schema[key] for key in schema if key in _KEPT and self._bearable(key, schema)}
        kind = schema.get("type")
        if kind in ("integer", "number"):
            kept |= self._ended(schema)
        if kind == "string" and (pattern := self._pattern(schema)):
            kept["pattern"] = pattern
        return kept | self._inner(schema)

    def _bearable(self, key: str, schema: Mapping[str, Any]) -> bool:
        return self._rich or key not in _COUNTS or schema[key] <= REPEATS_LIMIT

    def _ended(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Return bounds of a number that has none, and how fine it may be."""
        whole = schema["type"] == "integer"
        far = _WHOLE if whole else _LARGE
        found: dict[str, Any] = {}
        if not {"minimum", "exclusiveMinimum"} & set(schema):
            found["minimum"] = min(-far, int(_highest(schema)) - far)
        if not {"maximum", "exclusiveMaximum"} & set(schema):
            found["maximum"] = max(far, int(_lowest(schema)) + far)
        if self._rich and "multipleOf" in schema:
            found["multipleOf"] = schema["multipleOf"]
        elif self._rich and not whole and _wide({**schema, **found}):
            found["multipleOf"] = _FINE
        return found

    def _pattern(self, schema: Mapping[str, Any]) -> str | None:
        if "pattern" in schema:
            return expressible(schema["pattern"], rich=self._rich)
        return FORMATS.get(schema.get("format", ""))

    def _inner(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Return what stands within: fields, entries, alternatives that all hold."""
        found: dict[str, Any] = {}
        for key in ("prefixItems", "allOf"):
            if key in schema:
                found[key] = [self.node(one) for one in schema[key]]
        if "items" in schema:
            found["items"] = self.node(schema["items"])
        if "properties" in schema:
            found["properties"] = {
                name: self.node(one) for name, one in schema["properties"].items()
            }
            found["additionalProperties"] = False
        if "additionalProperties" in schema:
            found["additionalProperties"] = self.node(schema["additionalProperties"])
        return found | self._named(schema)

    def _named(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Return what says how the fields of a dictionary may be named."""
        names = schema.get("propertyNames", {})
        names = self._definitions.get(str(names.get("$ref", "")).removeprefix(_REF), names)
        if "enum" in names or "const" in names:
            inner = self.node(schema.get("additionalProperties", {}))
            listed = names.get("enum", [names.get("const")])
            return {"properties": dict.fromkeys(listed, inner), "additionalProperties": False}
        patterns = dict(schema.get("patternProperties", {}))
        if "pattern" in names:
            patterns[names["pattern"]] = schema.get("additionalProperties", {})
        written = {expressible(one, rich=True): inner for one, inner in patterns.items()}
        if not self._rich or not written or None in written:
            return {}
        fields = {name: self.node(inner) for name, inner in written.items()}
        return {"patternProperties": fields, "additionalProperties": False}


def _wide(schema: Mapping[str, Any]) -> bool:
    """Whether a range holds numbers of six digits behind the point."""
    return _highest(schema) - _lowest(schema) >= 1


def _lowest(schema: Mapping[str, Any]) -> float:
    return float(schema.get("minimum", schema.get("exclusiveMinimum", -_LARGE)))


def _highest(schema: Mapping[str, Any]) -> float:
    return float(schema.get("maximum", schema.get("exclusiveMaximum", _LARGE)))
