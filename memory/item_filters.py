"""Filters of the store's search: from LangGraph's mappings to conditions of Postgres.

A key leads into the value; a mapping without operators goes one level down, a list is compared
element by element. What is not there counts as null. Numbers compare with numbers and texts with
texts, by code point; a value of another kind does not match.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from psycopg import sql

from memory.characters import storable, storable_json
from memory.queries import query

_SIGNS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_EQUALITIES = {"$eq": "value_equals", "$ne": "value_differs"}


def condition(wanted: Mapping[str, Any] | None) -> tuple[sql.Composable, dict[str, Any]]:
    """Return the condition that a value `m.value` has to hold to, and the values in it by name.

    ValueError: an operator is not known, or is given what cannot be compared.
    """
    if not wanted:
        return sql.SQL("true"), {}
    compiler = _Compiler()
    parts = [*compiler.members(sql.SQL("m.value"), wanted)]
    return sql.SQL(" AND ").join(parts), compiler.values


class _Compiler:
    """Writes conditions, and keeps the values that they refer to."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def members(self, place: sql.Composable, wanted: Mapping[str, Any]) -> Iterator[sql.Composable]:
        for key, value in wanted.items():
            name = self._named(storable(str(key)))
            yield from self._of(sql.SQL("({} -> {}::text)").format(place, name), value)

    def _of(self, place: sql.Composable, wanted: Any) -> Iterator[sql.Composable]:
        if isinstance(wanted, Mapping):
            if any(str(key).startswith("$") for key in wanted):
                for operator, operand in wanted.items():
                    yield self._operation(place, operator, operand)
            else:
                yield _formatted("value_is_object", place=place)
                yield from self.members(place, wanted)
        elif isinstance(wanted, list | tuple):
            yield _formatted("value_has_length", place=place, length=self._named(len(wanted)))
            for position, value in enumerate(wanted):
                element = sql.SQL("({} -> {})").format(place, sql.Literal(position))
                yield from self._of(element, value)
        else:
            yield _formatted("value_equals", place=place, wanted=self._json(wanted))

    def _operation(self, place: sql.Composable, operator: str, operand: Any) -> sql.Composable:
        if operator in _EQUALITIES:
            return _formatted(_EQUALITIES[operator], place=place, wanted=self._json(operand))
        if operator not in _SIGNS:
            known = ", ".join((*_EQUALITIES, *_SIGNS))
            raise ValueError(f"Unsupported operator {operator!r} in a filter. There are: {known}.")
        sign = sql.SQL(_SIGNS[operator])
        if isinstance(operand, str):
            text = self._named(storable(operand))
            return _formatted("text_compares", place=place, sign=sign, wanted=text)
        if _is_number(operand):
            number = self._named(str(operand))
            return _formatted("number_compares", place=place, sign=sign, wanted=number)
        raise ValueError(f"{operator} in a filter compares numbers or texts, not {operand!r}.")

    def _json(self, value: Any) -> sql.Composable:
        try:
            return self._named(json.dumps(storable_json(value), allow_nan=False))
        except (TypeError, ValueError) as error:
            raise ValueError(f"A filter compares with what JSON can hold: {error}.") from error

    def _named(self, value: Any) -> sql.Composable:
        name = f"wanted_{len(self.values)}"
        self.values[name] = value
        return sql.Placeholder(name)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _formatted(name: str, **parts: sql.Composable) -> sql.Composable:
    return sql.SQL(query(name)).format(**parts)
