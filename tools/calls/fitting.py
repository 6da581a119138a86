"""Arguments brought to the types of their schema where nothing is lost by it. Pure.

`"5"` becomes 5 where a whole number is due, a JSON text a list where a list is due, null is left
out where a field may be left out. Nothing is rounded, cut, wrapped or guessed: what has two
readings stays as it is, and validation says what is wrong with it.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from tools.calls.faults import CallError, Fault
from tools.calls.literals import same
from tools.calls.reading import read_value

Schema = Mapping[str, Any]

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,3})?\Z")
_TRUTHS = {"true": True, "false": False, "True": True, "False": False}
_VISITS_LIMIT = 20_000
_REF = "#/"
_NULL = {"type": "null"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Stranger:
    """A field that the schema does not know."""

    path: tuple[str | int, ...]
    value: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """A value as its schema wants it, as far as that goes without loss."""

    value: Any
    changes: int = 0
    """How many values were brought to another type."""
    misfits: int = 0
    """How many values still have the wrong type."""
    strangers: tuple[Stranger, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether everything has the type that the schema wants."""
        return not self.misfits and not self.strangers


def fitted(value: Any, schema: Schema) -> Fit:
    """Fit a value to a schema. Raises CallError where that would take too long."""
    return _Fitting(schema).fit(value, schema, ())


@dataclass(slots=True)
class _Fitting:
    """One value on its way through one schema."""

    root: Schema
    visits: int = field(default=0)

    def fit(self, value: Any, schema: Any, path: tuple[str | int, ...]) -> Fit:
        self.visits += 1
        if self.visits > _VISITS_LIMIT:
            raise CallError(
                Fault.TOO_LARGE, "The arguments are too involved to be checked. Make them simpler."
            )
        schema = self._resolved(schema)
        if schema is True or not schema:
            return Fit(value=value)
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return self._either(value, schema[key], path)
        if "const" in schema or "enum" in schema:
            return _listed(value, schema.get("enum", [schema.get("const")]))
        kind = schema.get("type")
        if isinstance(kind, list):
            return self._either(value, [{**schema, "type": one} for one in kind], path)
        return self._typed(value, kind, schema, path)

    def _resolved(self, schema: Any) -> Any:
        """Follow references; a definition that only names another ends somewhere."""
        for _ in range(len(self.root.get("$defs", ())) + 1):
            if not isinstance(schema, Mapping):
                break
            rest = {key: one for key, one in schema.items() if key not in ("$ref", "allOf")}
            if str(schema.get("$ref", "")).startswith(_REF):
                schema = {**self._at(schema["$ref"]), **rest}
            elif len(schema.get("allOf", ())) == 1:
                schema = {**schema["allOf"][0], **rest}
            else:
                break
        return schema

    def _at(self, reference: str) -> Any:
        found: Any = self.root
        for step in reference.removeprefix(_REF).split("/"):
            found = found[step.replace("~1", "/").replace("~0", "~")]
        return found

    def _either(self, value: Any, branches: list[Any], path: tuple[str | int, ...]) -> Fit:
        """Take the value as it is if a branch does; else the one way in which it fits."""
        fits = [self.fit(value, branch, path) for branch in branches]
        whole = [one for one in fits if one.whole]
        for one in whole:
            if not one.changes:
                return one
        if whole and all(same(one.value, whole[0].value) for one in whole):
            return whole[0]
        if whole or not fits:
            return Fit(value=value, misfits=1)
        best = min(fits, key=lambda one: one.misfits + len(one.strangers))
        meant = [one for one in branches if self._resolved(one) != _NULL]
        # Without a second branch there is no second reading of what does fit in it.
        return best if len(meant) == 1 else replace(best, value=value)

    def _typed(self, value: Any, kind: Any, schema: Schema, path: tuple[str | int, ...]) -> Fit:
        match kind:
            case "integer":
                return _fit_or_not(value, _integer(value))
            case "number":
                return _fit_or_not(value, _number(value))
            case "boolean":
                return _fit_or_not(value, _boolean(value))
            case "array":
                return self._array(value, schema, path)
            case "object":
                return self._object(value, schema, path)
            case "null":
                return Fit(value=value, misfits=int(value is not None))
            case "string":
                return Fit(value=value, misfits=int(not isinstance(value, str)))
            case _:
                return Fit(value=value)

    def _array(self, value: Any, schema: Schema, path: tuple[str | int, ...]) -> Fit:
        listed = _unpacked(value, list)
        if not isinstance(listed, list):
            return Fit(value=value, misfits=1)
        first = schema.get("prefixItems", [])
        kinds = [*first, *[schema.get("items", True)] * max(0, len(listed) - len(first))]
        pairs = zip(listed, kinds, strict=False)
        fits = [self.fit(one, inner, (*path, at)) for at, (one, inner) in enumerate(pairs)]
        return _joined([one.value for one in fits], fits, changes=int(listed is not value))

    def _object(self, value: Any, schema: Schema, path: tuple[str | int, ...]) -> Fit:
        fields = _unpacked(value, dict)
        if not isinstance(fields, dict):
            return Fit(value=value, misfits=1)
        known: Schema = schema.get("properties", {})
        required = schema.get("required", ())
        kept: dict[str, Any] = {}
        fits: list[Fit] = []
        left_out = 0
        for name, one in fields.items():
            inner = known.get(name, self._other(name, schema))
            fit = (
                Fit(value=one, strangers=(Stranger(path=(*path, name), value=one),))
                if inner is False
                else self.fit(one, inner, (*path, name))
            )
            if one is None and not fit.whole and name in known and name not in required:
                left_out += 1
                continue
            kept[name] = fit.value
            fits.append(fit)
        missing = sum(1 for name in required if name not in kept)
        return _joined(kept, fits, changes=int(fields is not value) + left_out, misfits=missing)

    @staticmethod
    def _other(name: str, schema: Schema) -> Any:
        """Return the schema of a field that is not named; False where there may be none."""
        for pattern, inner in schema.get("patternProperties", {}).items():
            if _matches(pattern, name):
                return inner
        return schema.get("additionalProperties", "properties" not in schema)


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:  # pydantic's patterns are of another language than Python's
        return True


def _joined(value: Any, fits: list[Fit], *, changes: int, misfits: int = 0) -> Fit:
    return Fit(
        value=value,
        changes=changes + sum(one.changes for one in fits),
        misfits=misfits + sum(one.misfits for one in fits),
        strangers=tuple(stranger for one in fits for stranger in one.strangers),
    )


def _fit_or_not(value: Any, found: Any) -> Fit:
    """Return what was found for a value; None: it cannot be had without loss."""
    if found is None:
        return Fit(value=value, misfits=1)
    return Fit(value=found, changes=int(type(found) is not type(value)))


def _integer(value: Any) -> int | None:
    number = _number(value)
    if isinstance(number, float) and number.is_integer() and abs(number) < 2**53:
        return int(number)
    return number if isinstance(number, int) else None


def _number(value: Any) -> int | float | None:
    match value:
        case bool():
            return None
        case int():
            return value
        case float():
            return value if math.isfinite(value) else None
        case str() if len(value) <= 400 and _NUMBER.match(value):
            return _told(value)
        case _:
            return None


def _told(text: str) -> int | float | None:
    """Return the number of a text, unless digits would be lost."""
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    found = float(text)
    exact = math.isfinite(found) and Decimal(text) == Decimal(repr(found))
    return found if exact else None


def _boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return _TRUTHS.get(value) if isinstance(value, str) else None


def _listed(value: Any, options: list[Any]) -> Fit:
    """Take one of the options as it is, or the one that a text spells out."""
    if any(same(value, one) for one in options):
        return Fit(value=value)
    found = [
        one
        for one in options
        if isinstance(value, str) and isinstance(one, int | float) and value == json.dumps(one)
    ]
    return Fit(value=found[0], changes=1) if len(found) == 1 else Fit(value=value, misfits=1)


def _unpacked(value: Any, kind: type) -> Any:
    """Return a JSON text as the list or object that it holds; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        found = read_value(value)
    except CallError:
        return value
    return found if isinstance(found, kind) else value
