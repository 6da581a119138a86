"""Text in DrawingML: of shapes, tables, charts and diagrams, as slides hold it."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tools.reading import tables

if TYPE_CHECKING:
    from lxml.etree import _Element

A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"

Lines = Callable[["_Element"], Iterator[str]]
"""What is said by an element."""

_TEXTS = (A + "t", _M + "t", A + "br")
_TRUE = frozenset({"1", "true"})


def text(element: "_Element") -> str:
    """Return the paragraphs in an element, one below the other."""
    lines = (_line(paragraph) for paragraph in element.iter(A + "p"))
    return "\n".join(line for line in lines if line.strip())


def _line(paragraph: "_Element") -> str:
    pieces = (one.text or "" if one.tag != A + "br" else "\n" for one in paragraph.iter(*_TEXTS))
    return "".join(pieces).strip()


def rows(table: "_Element") -> Iterator[str]:
    """Yield the rows of a table, each in one line."""
    properties = table.find(A + "tblPr")
    headed = properties is not None and properties.get("firstRow") in _TRUE
    names: tables.Names = {}
    for number, row in enumerate(table.iter(A + "tr")):
        cells = {at: text(cell) for at, cell in enumerate(row.iter(A + "tc"))}
        yield tables.line(cells, names)
        if headed and number == 0:
            names = tables.names(cells)


def chart(element: "_Element") -> Iterator[str]:
    """Yield what a chart is called, and a line for each of its series."""
    for title in element.iter(_C + "title"):
        yield text(title)
    for series in element.iter(_C + "ser"):
        named, kinds, values = (_points(series, name) for name in ("tx", "cat", "val"))
        said = (f"{kinds[at]}: {value}" if at in kinds else value for at, value in values.items())
        yield f"{' '.join(named.values())}: {'; '.join(said)}" if values else ""


def _points(series: "_Element", name: str) -> dict[int, str]:
    """Return the points of one side of a series, by their number."""
    side = series.find(_C + name)
    if side is None:
        return {}
    points: dict[int, str] = {}
    for at, value in enumerate(side.iter(_C + "v")):
        number = (value.getparent().get("idx") or "") if value.getparent() is not None else ""
        points[int(number) if number.isdigit() else at] = value.text or ""
    return points
