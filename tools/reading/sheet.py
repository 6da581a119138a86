"""XLSX: the rows of each sheet, hidden ones too, by their stored values."""

import io
import posixpath
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from memory.places import Place
from tools.archives import Archive, ArchiveError
from tools.reading.base import Block, Reading
from tools.reading.drafts import LABEL, in_utc, titled, translated
from tools.reading.packaged import target
from tools.reading.rows import Rows
from tools.reading.tables import Cells
from tools.reading.trees import tree

if TYPE_CHECKING:
    from lxml.etree import _Element
    from openpyxl.workbook.workbook import Workbook

READER = "sheet/1"

MARKS = 24_000_000
"""Of angle brackets in one workbook: about five million cells."""

SMALL_MARKS = 500_000
"""In parts that become objects: sixty thousand styles."""

_STREAMED = ("xl/worksheets/", "xl/sharedStrings")
_UNREAD = (
    "xl/media/",
    "xl/pivotCache/",
    "xl/externalLinks/",
    "xl/printerSettings/",
    "xl/embeddings/",
)
_COMMENT = "comment"


def read(data: bytes, name: str, media_type: str) -> Reading:
    """Return the rows of a workbook with their sheets and numbers. Raises `UnreadableError`."""
    with translated(name, "a workbook"):
        archive = Archive(data)
        _refuse_oversize(archive)
        book = _opened(data)
        rows = Rows()
        for sheet in book.worksheets:
            rows.sheet(sheet.title, _rows(sheet, rows.flaws))
            rows.blocks += _comments(archive, sheet)
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


def _refuse_oversize(archive: Archive) -> None:
    """Unpack all that the library will unpack, once, and count it. Raises `ArchiveError`."""
    marks = 0
    for name in archive.names:
        if name.startswith(_UNREAD):
            continue
        own = archive.count(name, b"<")
        marks += own
        limit = MARKS if name.startswith(_STREAMED) else SMALL_MARKS
        if own > limit or marks > MARKS:
            raise ArchiveError(
                f"{name!r} in it has {own} marks, and {limit} are read at most. "
                "Split the workbook, or save its sheets as CSV."
            )


def _opened(data: bytes) -> "Workbook":
    from openpyxl import load_workbook

    # Of what it leaves out; the filter stays, for another thread may be reading too.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"openpyxl\.")
    return load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)


def _rows(sheet: Any, flaws: list[str]) -> Iterator[tuple[int, Cells]]:
    """Yield the cells that are in a sheet.

    The library's own rows are as many and as wide as the sheet claims: 16 thousand million cells
    in a file of a few bytes. The parser beneath them gives what is there.
    """
    from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

    class Parser(WorkSheetParser):  # type: ignore[misc]  # the library has no types
        uncomputed = 0

        def parse_cell(self, element: "_Element") -> dict[str, Any]:
            cell: dict[str, Any] = super().parse_cell(element)
            if cell["value"] is None and element.find(FORMULA_TAG) is not None:
                self.uncomputed += 1
            return cell

    book = sheet.parent
    with book._archive.open(sheet._worksheet_path) as source:
        parser = Parser(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for number, cells in parser.parse():
            # It keeps the format of every row, for writing.
            parser.row_dimensions.clear()
            yield number, {cell["column"]: cell["value"] for cell in cells if _is_there(cell)}
    if parser.uncomputed:
        flaws.append(
            f"sheet {sheet.title!r} has {parser.uncomputed} formulas without a stored value; "
            "open the workbook in its program and save it, so that it holds them"
        )


def _is_there(cell: dict[str, Any]) -> bool:
    return cell["value"] is not None and cell["data_type"] != "e"


def _comments(archive: Archive, sheet: Any) -> Iterator[Block]:
    """Yield what was noted beside the cells of a sheet."""
    folder, file = posixpath.split(sheet._worksheet_path)
    rels = f"{folder}/_rels/{file}.rels"
    if rels not in archive:
        return
    for one in tree(archive.read(rels), rels):
        if one.get("Type", "").endswith("/comments") and (part := target(rels, one)) in archive:
            for comment in tree(archive.read(part), part).iter("{*}comment"):
                row = "".join(filter(str.isdigit, comment.get("ref", "")))
                text = "".join(piece.text or "" for piece in comment.iter("{*}t")).strip()
                place = Place(heading=(sheet.title, _COMMENT), line=int(row) if row else None)
                if text:
                    yield Block(text=" ".join(text.split()), place=place, label=LABEL)
