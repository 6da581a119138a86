"""ODS: the rows of each sheet, hidden ones too, by their stored values."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from memory.places import Place
from tools.reading import opentext
from tools.reading.drafts import Draft
from tools.reading.opentext import COMMENT, OFFICE, TABLE, P
from tools.reading.rows import Rows
from tools.reading.streams import elements
from tools.reading.tables import Cells, Value

if TYPE_CHECKING:
    from lxml.etree import _Element

_TABLE, _ROW = TABLE + "table", TABLE + "table-row"
_CELL, _COVERED = TABLE + "table-cell", TABLE + "covered-table-cell"
_NUMBERS = frozenset({"float", "percentage", "currency"})

REPEATED = 100
"""Times that a value is taken which a cell says to repeat: a line of marks may fill a row."""

_LAST = 2**20


def tell(draft: Draft) -> None:
    """Take a workbook into a draft. Raises `ArchiveError`."""
    rows = Rows()
    for title, sheet in _sheets(draft):
        rows.sheet(title, sheet)
    draft.outline.blocks += rows.blocks
    draft.flaws += rows.flaws


def _sheets(draft: Draft) -> "Iterator[tuple[str, Iterator[tuple[int, Cells]]]]":
    """Yield each sheet, to be gone through before the next."""
    events = elements(draft.archive, "content.xml", [_TABLE, _ROW], events=("start", "end"))
    for event, element in events:
        if event == "start" and element.tag == _TABLE:
            title = element.get(TABLE + "name", "")
            yield title, _rows(draft, title, events)


def _rows(draft: Draft, title: str, events: "Iterator[tuple[str, _Element]]") -> Iterator[Any]:
    number = 1
    for event, element in events:
        if event == "start":
            continue
        if element.tag == _TABLE:
            return
        cells = _cells(element)
        if cells and number <= _LAST:
            yield number, cells
        for comment in element.iter(COMMENT):
            place = Place(heading=(title,), line=number)
            draft.aside("comment", " ".join(opentext.paragraphs(comment).split()), place)
        number += _repeats(element, "rows")


def _cells(row: "_Element") -> dict[int, Value]:
    cells: dict[int, Value] = {}
    column = 1
    for cell in row.iter(_CELL, _COVERED):
        times = _repeats(cell, "columns")
        value = _value(cell) if len(cell) or len(cell.attrib) else None
        if value not in {None, ""}:
            cells.update(dict.fromkeys(range(column, column + min(times, REPEATED)), value))
        column += times
    return cells


def _repeats(element: "_Element", what: str) -> int:
    times = element.get(f"{TABLE}number-{what}-repeated", "1")
    return max(int(times), 1) if times.isdigit() and len(times) < 8 else 1


def _value(cell: "_Element") -> Value:
    """Return what a cell holds; of dates and numbers the exact one, not as it is shown."""
    kind = cell.get(OFFICE + "value-type", "")
    if kind in _NUMBERS and (number := cell.get(OFFICE + "value")) is not None:
        return _number(number)
    if kind == "date" and (moment := cell.get(OFFICE + "date-value")) is not None:
        try:
            return datetime.fromisoformat(moment)
        except ValueError:
            return str(moment)
    return _text(cell)


def _text(cell: "_Element") -> str:
    # Most cells hold one plain paragraph, and a workbook has millions of them.
    plain = len(cell) == 1 and cell[0].tag == P and not len(cell[0])
    text = cell[0].text or "" if plain else opentext.paragraphs(cell)
    return " ".join(text.split())


def _number(text: str) -> Value:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() and abs(number) < 1e15 else number
