"""XLSX and ODS to blocks: rows as lines under their sheet, with the names of their columns."""

import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from odfdo import Document as Open
from odfdo import Table
from openpyxl import Workbook
from openpyxl.comments import Comment

from memory.places import Place
from tools.reading import opendocument, sheet, tables
from tools.reading.base import Reading
from tools.reading.rows import RUN_ROWS
from tools.reading.testing import perception, quoted, said

STOCK: tuple[tuple[Any, ...], ...] = (
    ("Teil", "Menge", "Seit"),
    ("Filter", 12, date(2026, 3, 1)),
    ("Dichtung", 0.1 + 0.2, datetime(2026, 3, 1, 10, 30)),  # noqa: DTZ001  # a sheet has no zones
    ("Rohr", None, None),
)


def workbook(rows: Iterable[Sequence[Any]], title: str = "Lager") -> Workbook:
    book = Workbook()
    page = book.worksheets[0]
    page.title = title
    for row in rows:
        page.append(row)
    return book


def read(book: Workbook) -> Reading:
    file = io.BytesIO()
    book.save(file)
    return sheet.read(file.getvalue(), "stock.xlsx", "x/xlsx")


LINES = (
    "Teil | Menge | Seit\n"
    "Teil: Filter; Menge: 12; Seit: 2026-03-01\n"
    "Teil: Dichtung; Menge: 0.3; Seit: 2026-03-01 10:30:00\n"
    "Teil: Rohr"
)


def test_a_row_is_a_line_under_its_sheet_with_the_names_of_its_columns() -> None:
    reading = read(workbook(STOCK))
    assert said(reading) == [(LINES, 'lines 1-4, "Lager"')]
    assert (reading.kind, reading.title) == ("sheet", "stock.xlsx")


def test_a_quotation_from_a_workbook_opens_at_its_row() -> None:
    rows = [("Teil", "Menge"), *((f"Teil{n}", n) for n in range(2, 300))]
    reading = read(workbook(rows))
    assert quoted(reading, "Teil: Teil217;") == Place(heading=("Lager",), line=217, last_line=217)
    assert len(reading.blocks) == -(-len(rows) // RUN_ROWS)


def test_rows_that_are_empty_are_left_out_and_counted() -> None:
    book = workbook(STOCK)
    page = book.worksheets[0]
    page["A7"], page["B1048576"] = "Später", 3
    assert said(read(book))[1:] == [
        ("Teil: Später", 'line 7, "Lager"'),
        ("Menge: 3", 'line 1048576, "Lager"'),
    ]


def test_hidden_sheets_are_read_and_comments_stand_by_their_row() -> None:
    book = workbook(STOCK)
    book.worksheets[0]["A2"].comment = Comment("nachbestellen", "Anna")
    hidden = book.create_sheet("Geheim")
    hidden.sheet_state = "veryHidden"
    hidden["B2"] = "unter der Matte"
    assert said(read(book))[1:] == [
        ("nachbestellen", 'line 2, "Lager > comment"'),
        ("unter der Matte", 'line 2, "Geheim"'),
    ]


STRINGS = (
    b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    b"<si><t>Wort</t></si></sst>"
)

STRINGS_TYPE = (
    b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.'
    b'openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>'
)


def stored(cells: str) -> Reading:
    """Read a workbook whose only row is written by hand."""
    file, whole = io.BytesIO(), io.BytesIO()
    workbook([["Wort", 1, True]]).save(file)
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(whole, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                head, tail = data.split(b"<sheetData>")[0], data.split(b"</sheetData>")[1]
                data = head + f"<sheetData><row>{cells}</row></sheetData>".encode() + tail
            elif name == "[Content_Types].xml":
                data = data.replace(b"</Types>", STRINGS_TYPE + b"</Types>")
            new.writestr(name, data)
        new.writestr("xl/sharedStrings.xml", STRINGS)
    return sheet.read(whole.getvalue(), "x.xlsx", "x/xlsx")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c t="s"><v>0</v></c>', "Wort"),
        ("<c><f>6*7</f><v>42</v></c>", "42"),
        ('<c t="str"><f>A1</f><v>ein Satz</v></c>', "ein Satz"),
        ('<c t="b"><v>1</v></c>', "TRUE"),
        ('<c t="d"><v>2026-03-01T00:00:00</v></c>', "2026-03-01T00:00:00"),
        ('<c t="inlineStr"><is><r><t>halb </t></r><r><t>fett</t></r></is></c>', "halb fett"),
        ('<c t="inlineStr"><is><t>漢字</t><rPh><t>かんじ</t></rPh></is></c>', "漢字"),
        ("<c><v>1E3</v></c>", "1000"),
        ("<c><v>kaputt</v></c>", "kaputt"),
        ('<c t="e"><v>#REF!</v></c><c><v>1</v></c>', "1"),
    ],
)
def test_the_stored_value_of_a_cell_is_read(cell: str, text: str) -> None:
    assert [block.text for block in stored(cell).blocks] == [text]


def test_formulas_without_a_stored_value_are_a_flaw() -> None:
    reading = stored("<c><f>6*7</f></c><c><f>1+1</f><v>2</v></c>")
    assert [block.text for block in reading.blocks] == ["2"]
    assert "'Lager' has 1 formulas without a stored value" in reading.flaws[0]


def test_a_cell_whose_text_is_missing_costs_itself() -> None:
    reading = stored('<c t="s"><v>0</v></c><c t="s"><v>7</v></c><c t="s"><v>x</v></c>')
    assert [block.text for block in reading.blocks] == ["Wort"]
    assert reading.flaws == ("sheet 'Lager' has 2 cells whose text is missing in the file",)


def test_a_workbook_says_its_title_its_author_and_when_it_was_changed() -> None:
    book = workbook(STOCK)
    book.properties.title, book.properties.creator = "Bestände", "Zoë"
    reading = read(book)
    assert (reading.title, reading.author) == ("Bestände", "Zoë")
    assert reading.made_at is not None
    assert abs(reading.made_at - datetime.now(UTC)) < timedelta(minutes=5)


@pytest.mark.parametrize(
    ("sample", "named"),
    [
        ([{1: "Teil", 2: "Menge"}, {1: "Filter", 2: 12}], {1: "Teil", 2: "Menge"}),
        ([{1: "Bestand"}, {1: "Teil", 2: "Menge"}, {1: "F", 2: 1}], {1: "Teil", 2: "Menge"}),
        ([{1: "Montag", 2: "zu"}, {1: "Dienstag", 2: "9-18"}], {}),
        ([{1: "Teil", 2: "Teil"}, {1: "Filter", 2: 12}], {}),
        ([{1: "Teil", 2: 7}, {1: "Filter", 2: 12}], {}),
        ([{1: "Name", 2: "Ort", 3: "Rolle"}] + [{1: "A", 2: "B", 3: "C"}] * 3, None),
        ([{1: "A", 2: "B", 3: "C"}] * 4, {}),
        ([{1: "x" * 100, 2: "Menge"}, {1: "Filter", 2: 12}], {}),
        ([{1: "Teil", 2: "Menge"}], {}),
        ([], {}),
    ],
)
def test_a_first_row_of_names_is_told_from_a_row_like_the_others(
    sample: list[dict[int, tables.Value]], named: dict[int, str] | None
) -> None:
    assert tables.headed(sample)[1] == (sample[0] if named is None else named)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("zwei\nZeilen ", "zwei Zeilen"),
        (True, "TRUE"),
        (12.0, "12"),
        (1e-7, "1e-07"),
        (0.1 + 0.2, "0.3"),
        (time(9, 30), "09:30:00"),
        (timedelta(hours=26), "1 day, 2:00:00"),
    ],
)
def test_a_value_is_said_in_one_line(value: tables.Value, text: str) -> None:
    assert tables.said(value) == text


async def test_an_open_workbook_is_read_like_any_other() -> None:
    document = Open("spreadsheet")
    document.body.clear()
    table = Table("Lager")
    for y, row in enumerate(STOCK):
        for x, value in enumerate(row):
            if value is not None:
                table.set_value((x, y), value)
    table.set_value("A9", "Später")
    document.body.append(table)
    file = io.BytesIO()
    document.save(file)
    reading = await opendocument.read(
        file.getvalue(), "stock.ods", "x/ods", perception(), kind="sheet"
    )
    assert said(reading) == [
        (LINES, 'lines 1-4, "Lager"'),
        ("Teil: Später", 'line 9, "Lager"'),
    ]
    assert (reading.kind, reading.title) == ("sheet", "stock.ods")
    assert quoted(reading, "Dichtung") == Place(heading=("Lager",), line=3, last_line=3)
