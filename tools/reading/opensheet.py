"""ODS: the rows of each sheet, hidden ones too, by their stored values."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from memory.places import Place
from tools.archives import ArchiveError
from tools.reading import opentext
from tools.reading.drafts import Draft
from tools.reading.opentext import COMMENT, OFFICE, TABLE
from tools.reading.rows import Rows
from tools.reading.sheet import MARKS
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
    events = _events(draft)
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
        _forget(element)


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
    return " ".join(opentext.paragraphs(cell).split())


def _number(text: str) -> Value:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


def _events(draft: Draft) -> "Iterator[tuple[str, _Element]]":
    """Yield the beginning and the end of sheets and rows as the text is unpacked."""
    from lxml import etree

    parser = etree.XMLPullParser(
        events=("start", "end"),
        tag=[_TABLE, _ROW],
        resolve_entities=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
    )
    marks = 0
    try:
        for piece in draft.archive.pieces("content.xml"):
            marks += piece.count(b"<")
            if marks > MARKS:
                raise ArchiveError(
                    f"'content.xml' in it has more than {MARKS} marks, which are read at most. "
                    "Split the workbook, or save its sheets as CSV."
                )
            parser.feed(piece)
            yield from parser.read_events()
        parser.close()
    except etree.XMLSyntaxError as error:
        raise ArchiveError(f"'content.xml' in it is broken ({error}). Copy it anew.") from error


def _forget(row: "_Element") -> None:
    """Let go of a row that was read, and of those before it."""
    row.clear()
    while row.getprevious() is not None:
        del row.getparent()[0]
