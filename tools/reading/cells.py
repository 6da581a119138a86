"""The cells of a sheet in SpreadsheetML, as many as there are.

The library's own rows are as many and as wide as a sheet claims, 16 thousand million cells in a
file of a few bytes, and cost two and a half times the time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.archives import Archive
from tools.reading.streams import elements
from tools.reading.tables import Value

if TYPE_CHECKING:
    from lxml.etree import _Element

_LETTERS = 26


@dataclass(kw_only=True, slots=True)
class Sheet:
    """What is needed to read the cells of a sheet."""

    archive: Archive
    part: str
    """Its name in the archive."""
    strings: Sequence[str]
    """Texts that cells refer to by their number."""
    dates: frozenset[int]
    """Styles that show a number as a date or a time."""
    lengths: frozenset[int]
    """Those of them that show a length of time."""
    epoch: Any
    """Day from which the dates of the workbook count."""
    uncomputed: int = 0
    """Formulas without a stored value, of the rows that were read."""
    astray: int = 0
    """Cells that refer to a text that is not there."""

    def rows(self) -> Iterator[tuple[int, dict[int, Value]]]:
        """Yield the rows with their numbers, and the values in each by column, from 1."""
        number = 0
        for _, row in elements(self.archive, self.part, ["{*}row"]):
            given = row.get("r", "")
            number = int(given) if given.isdigit() else number + 1
            yield number, self._row(row)

    def _row(self, row: "_Element") -> dict[int, Value]:
        cells: dict[int, Value] = {}
        column = 0
        for cell in row:
            column = _column(cell.get("r", "")) or column + 1
            value = self._value(cell)
            if value is not None:
                cells[column] = value
        return cells

    def _value(self, cell: "_Element") -> Value:
        """Return what a cell holds, None for nothing and for an error."""
        kind: str = cell.get("t", "n")
        if kind == "inlineStr":
            return text(cell)
        held: str | None = cell.findtext("{*}v")
        if held is None:
            self.uncomputed += cell.find("{*}f") is not None
            return None
        match kind:
            case "n":
                return self._number(held, cell.get("s", "0"))
            case "s":
                return self._string(held)
            case "b":
                return held.strip() == "1"
            case "e":
                return None
            case _:
                return held

    def _string(self, held: str) -> Value:
        try:
            return self.strings[int(held)]
        except (ValueError, IndexError):
            self.astray += 1
            return None

    def _number(self, held: str, style: str) -> Value:
        from openpyxl.utils.datetime import from_excel

        try:
            number = float(held) if set(held) & set(".eE") else int(held)
            if int(style) not in self.dates:
                return number
            moment: Value = from_excel(number, self.epoch, timedelta=int(style) in self.lengths)
        except (ValueError, OverflowError):
            return held
        return moment


def strings(archive: Archive, part: str) -> list[str]:
    """Return the texts that the cells of a workbook share. Raises `ArchiveError`."""
    return [text(one) for _, one in elements(archive, part, ["{*}si"])]


def text(element: "_Element") -> str:
    """Return a text, also one of several fonts, without how it is pronounced."""
    return "".join(
        one.text or "" for one in element.iter("{*}t") if not one.getparent().tag.endswith("}rPh")
    )


def _column(reference: str) -> int:
    """Return the number of the column in a reference such as `BC12`; 0 where there is none."""
    number = 0
    for letter in reference:
        if not "A" <= letter <= "Z":
            break
        number = number * _LETTERS + ord(letter) - ord("A") + 1
    return number
