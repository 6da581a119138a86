"""Rows of tables as lines of text, the name of its column before a value where it is known."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

Value = str | bool | int | float | date | time | timedelta | None
"""What stands in a cell; a `datetime` is a `date`."""

Cells = Mapping[int, Value]
"""Of a row, by column."""

Names = Mapping[int, str]
"""Of columns."""

SAMPLE_ROWS = 20
"""By which it is decided whether the first row names the columns."""

NAME_LETTERS = 60
_NAMES = 3
"""So many names that are nothing but words make a row of names, also above words."""


def line(cells: Cells, names: Names | None = None) -> str:
    """Return a row in one line, empty where it holds nothing; only values that are there."""
    texts = ((at, said(value)) for at, value in cells.items())
    if not names:
        return " | ".join(text for _, text in texts if text)
    return "; ".join(f"{names[at]}: {text}" if at in names else text for at, text in texts if text)


def said(value: Value) -> str:
    """Return a value in one line: dates as ISO 8601, numbers without what binary adds to them."""
    match value:
        case None:
            return ""
        case str():
            return " ".join(value.split())
        case bool():
            return str(value).upper()
        case float():
            return f"{value:.15g}"
        case datetime():
            midnight = value.time() == time(0)
            return value.date().isoformat() if midnight else value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)


def names(cells: Cells) -> Names:
    """Return the names of columns that a row is said to hold; none if it cannot be one of names."""
    texts = {at: said(value) for at, value in cells.items()}
    held = {at: text for at, text in texts.items() if text}
    fits = len(held) > 1 and len(set(held.values())) == len(held)
    return held if fits and max(map(len, held.values())) <= NAME_LETTERS else {}


def headed(sample: Sequence[Cells]) -> tuple[int, Names]:
    """Return which of the first rows of a sheet names the columns, and the names; else 0 and none.

    Lines above it, such as a title, have one cell.
    """
    for at, row in enumerate(sample):
        if len(row) > 1:
            found = _guessed(row, sample[at + 1 :])
            return (at, found) if found else (0, {})
    return 0, {}


def _guessed(first: Cells, below: Sequence[Cells]) -> Names:
    if not below or not all(_is_word(value) for value in first.values()):
        return {}
    found = names(first)
    columns = [[row[at] for row in below if at in row] for at in found]
    if any(_is_measured(column) for column in columns):
        return found
    alike = any(
        name in map(said, column) for name, column in zip(found.values(), columns, strict=True)
    )
    filled = sum(bool(column) for column in columns)
    return found if filled >= _NAMES and len(below) > 2 and not alike else {}


def _is_word(value: Value) -> bool:
    return isinstance(value, str) and any(map(str.isalpha, value))


def _is_measured(column: Sequence[Value]) -> bool:
    """Return whether a column holds mostly numbers and dates."""
    return sum(not isinstance(value, str) for value in column) * 2 > len(column) > 0
