"""XLSX: the rows of each sheet, hidden ones too, by their stored values."""

import posixpath
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from memory.places import Place
from tools.archives import Archive
from tools.reading.base import Block, Reading
from tools.reading.cells import Sheet, strings, text
from tools.reading.drafts import LABEL, in_utc, titled, translated
from tools.reading.packaged import CONTENT_TYPES, package, parts, target
from tools.reading.rows import Rows
from tools.reading.trees import TREE_BYTES, tree

if TYPE_CHECKING:
    from openpyxl.workbook.workbook import Workbook

READER = "sheet/1"

STYLE_MARKS = 500_000
"""Of angle brackets in what becomes objects: sixty thousand styles."""

_SHEET_TYPE = "spreadsheetml.worksheet+xml"
_STRINGS_TYPE = "spreadsheetml.sharedStrings+xml"
_OBJECT_TYPES = ("main+xml", "spreadsheetml.styles+xml", "core-properties+xml")
_EMPTY_SHEET = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    b'<dimension ref="A1"/><sheetData/></worksheet>'
)
_EMPTY_STRINGS = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>'
_COMMENT = "comment"


def read(data: bytes, name: str, media_type: str) -> Reading:
    """Return the rows of a workbook with their sheets and numbers. Raises `UnreadableError`."""
    with translated(name, "a workbook"):
        archive = Archive(data)
        book = _opened(archive)
        rows = Rows()
        for title, sheet in _sheets(archive, book):
            rows.sheet(title, sheet.rows())
            rows.blocks += _comments(title, sheet)
            rows.flaws += _flaws(title, sheet)
        properties = book.properties
        return Reading(
            title=titled(properties.title, name),
            kind="sheet",
            media_type=media_type,
            blocks=tuple(rows.blocks),
            label=LABEL,
            reader=READER,
            author=properties.creator or "",
            made_at=in_utc(properties.modified or properties.created),
            flaws=tuple(rows.flaws),
        )


def _opened(archive: Archive) -> "Workbook":
    """Return a workbook that knows its sheets, styles and properties, but none of its cells."""
    from openpyxl import load_workbook

    objects = set(parts(archive, *_OBJECT_TYPES))
    instead = {
        name: b""
        for name in archive.names
        if name not in objects and name != CONTENT_TYPES and not name.endswith(".rels")
    }
    instead |= dict.fromkeys(parts(archive, _SHEET_TYPE), _EMPTY_SHEET)
    instead |= dict.fromkeys(parts(archive, _STRINGS_TYPE), _EMPTY_STRINGS)
    # Of what it leaves out; the filter stays, for another thread may be reading too.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"openpyxl\.")
    return load_workbook(
        package(archive, instead, STYLE_MARKS), read_only=True, data_only=True, keep_links=False
    )


def _sheets(archive: Archive, book: "Workbook") -> Iterator[tuple[str, Sheet]]:
    texts = [text for part in parts(archive, _STRINGS_TYPE) for text in strings(archive, part)]
    for sheet in book.worksheets:
        yield (
            sheet.title,
            Sheet(
                archive=archive,
                part=sheet._worksheet_path,
                strings=texts,
                dates=frozenset(book._date_formats),
                lengths=frozenset(book._timedelta_formats),
                epoch=book.epoch,
            ),
        )


def _flaws(title: str, sheet: Sheet) -> Iterator[str]:
    """Yield what was missing in the rows that were read."""
    if sheet.uncomputed:
        yield (
            f"sheet {title!r} has {sheet.uncomputed} formulas without a stored value; "
            "open the workbook in its program and save it, so that it holds them"
        )
    if sheet.astray:
        yield f"sheet {title!r} has {sheet.astray} cells whose text is missing in the file"


def _comments(title: str, sheet: Sheet) -> Iterator[Block]:
    """Yield what was noted beside the cells of a sheet."""
    archive = sheet.archive
    folder, file = posixpath.split(sheet.part)
    rels = f"{folder}/_rels/{file}.rels"
    if rels not in archive:
        return
    for one in tree(archive.read(rels, TREE_BYTES), rels):
        if one.get("Type", "").endswith("/comments") and (part := target(rels, one)) in archive:
            for comment in tree(archive.read(part, TREE_BYTES), part).iter("{*}comment"):
                row = "".join(filter(str.isdigit, comment.get("ref", "")))
                place = Place(heading=(title, _COMMENT), line=int(row) if row else None)
                if said := " ".join(text(comment).split()):
                    yield Block(text=said, place=place, label=LABEL)
