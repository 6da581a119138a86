"""The rows of a sheet as blocks: a run of rows each, a row a line."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

from memory.places import Place
from tools.reading import tables
from tools.reading.base import Block
from tools.reading.drafts import LABEL
from tools.reading.tables import Cells

RUN_ROWS = 16
LETTERS = 64 * 2**20
"""Of all text in one workbook: one long text may be in a million cells and in the file once."""


@dataclass(kw_only=True, slots=True)
class Rows:
    """What is read of the sheets of a workbook, under one bound."""

    blocks: list[Block] = field(default_factory=list)
    flaws: list[str] = field(default_factory=list)
    _letters: int = 0

    def sheet(self, title: str, rows: Iterable[tuple[int, Cells]]) -> None:
        """Take the rows of a sheet that hold anything, with their numbers from 1."""
        run: list[str] = []
        start = 0
        for number, text in _lines(rows):
            self._letters += len(text)
            if self._letters > LETTERS:
                self.flaws.append(
                    f"sheet {title!r} was read up to row {number - 1}: {LETTERS} characters of a "
                    "workbook are read at most"
                )
                break
            if run and (number != start + len(run) or len(run) == RUN_ROWS):
                self._run(title, start, run)
                run = []
            start = start if run else number
            run.append(text)
        if run:
            self._run(title, start, run)

    def _run(self, title: str, start: int, run: list[str]) -> None:
        place = Place(heading=(title,), line=start, last_line=start + len(run) - 1)
        self.blocks.append(Block(text="\n".join(run), place=place, label=LABEL))


def _lines(rows: Iterable[tuple[int, Cells]]) -> Iterator[tuple[int, str]]:
    """Yield rows as lines, with the names of columns once these are known."""
    held = ((number, cells) for number, cells in rows if cells)
    sample = list(islice(held, tables.SAMPLE_ROWS))
    at, names = tables.headed([cells for _, cells in sample])
    for number, cells in sample[: at + 1]:
        yield from _line(number, cells, {})
    for number, cells in chain(sample[at + 1 :], held):
        yield from _line(number, cells, names)


def _line(number: int, cells: Cells, names: tables.Names) -> Iterator[tuple[int, str]]:
    text = tables.line(cells, names)
    if any(map(str.isalnum, text)):
        yield number, text
