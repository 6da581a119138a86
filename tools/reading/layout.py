"""From the lines of printed pages to paragraphs and headings. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

HEADING_RATIO = 1.1
"""Size from which a line is a heading, by the size of most of the text."""

HEADING_LETTERS = 200
"""Longer than this no heading is: a whole page in large type is not one."""

PROSE_LETTERS = 40
"""A line that is as long as this belongs to a paragraph more likely than to a table."""

_BULLET = re.compile(r"^(?:[•◦▪■●‣·*–—-]|\(?(?:\d{1,3}|[a-zA-Z])[.)])\s")
_DIGITS = re.compile(r"\d+")
_COLUMN_POINTS = 48.0
"""Lines that begin within as much of each other are taken for one column."""
_EDGE = 0.09
"""Share of a page's height at its top and bottom in which running titles stand."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A printed line; measures in points from the lower left corner of the page."""

    text: str
    left: float
    right: float
    baseline: float
    size: float
    """Height of the type."""
    fixed: bool = False
    """Whether all letters are equally wide, as in code."""
    tabular: bool = False
    """Whether there is a gap in it, as between the columns of a table."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A page with its lines in reading order."""

    number: int
    """Counted from 1."""
    height: float
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A paragraph, a table row, or a heading."""

    text: str
    level: int
    """Of a heading, 1 being the largest type; else 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """What most of a document looks like."""

    size: float
    leading: float
    """Distance of two baselines in a paragraph, as a multiple of the size."""
    headings: tuple[float, ...]
    """Sizes of headings, the largest first."""

    def level(self, line: Line) -> int:
        """Return which heading a line is by its size, 0 for none."""
        for level, size in enumerate(self.headings, start=1):
            if line.size >= size - 0.25:
                return level
        return 0


def style(sheets: Iterable[Sheet]) -> Style:
    """Return the style of a document; letters vote for the size, lines for the leading."""
    sizes: Counter[float] = Counter()
    large: Counter[float] = Counter()
    leadings = []
    for sheet in sheets:
        for line in sheet.lines:
            sizes[_rounded(line.size)] += len(line.text)
        for above, below in zip(sheet.lines, sheet.lines[1:], strict=False):
            fall = above.baseline - below.baseline
            if above.size == below.size > 0 and fall > 0 and len(above.text) >= PROSE_LETTERS:
                leadings.append(fall / above.size)
    body = sizes.most_common(1)[0][0] if sizes else 0.0
    for size, letters in sizes.items():
        if body and size >= body * HEADING_RATIO:
            large[size] = letters
    return Style(
        size=body,
        # Rows of tables and items of lists stand further apart than the lines of a paragraph.
        leading=sorted(leadings)[len(leadings) // 4] if leadings else 1.2,
        headings=tuple(sorted(large, reverse=True)),
    )


def without_running_titles(sheets: Sequence[Sheet]) -> list[Sheet]:
    """Leave out what stands at the top or bottom of page after page, but for the first time."""
    pages = Counter(title for sheet in sheets for title in {_title(line) for line in _edges(sheet)})
    often = {title for title, count in pages.items() if count > max(2, len(sheets) // 3)}
    seen: set[str] = set()
    kept = []
    for sheet in sheets:
        edges = {id(line) for line in _edges(sheet)}
        lines = [
            line for line in sheet.lines if not (id(line) in edges and _title(line) in often & seen)
        ]
        seen |= {_title(line) for line in _edges(sheet)}
        kept.append(Sheet(number=sheet.number, height=sheet.height, lines=tuple(lines)))
    return kept


def _edges(sheet: Sheet) -> Iterator[Line]:
    margin = sheet.height * _EDGE
    for line in sheet.lines:
        if not margin < line.baseline < sheet.height - margin:
            yield line


def _title(line: Line) -> str:
    """Return a line with its page number made equal on all pages."""
    return _DIGITS.sub("0", line.text)


def passages(sheet: Sheet, look: Style) -> Iterator[Passage]:
    """Yield the passages of a page from the top."""
    edges = _columns(sheet.lines)
    held: list[Line] = []
    for line in sheet.lines:
        if held and not _continues(held[-1], line, look, edges[_column(held[-1])]):
            yield _passage(held, look)
            held = []
        held.append(line)
    if held:
        yield _passage(held, look)


def _column(line: Line) -> int:
    return int(line.left // _COLUMN_POINTS)


def _columns(lines: Iterable[Line]) -> dict[int, float]:
    """Return where lines usually end that begin at about the same place."""
    ends: dict[int, list[float]] = {}
    for line in lines:
        ends.setdefault(_column(line), []).append(line.right)
    return {column: sorted(rights)[len(rights) * 4 // 5] for column, rights in ends.items()}


def _continues(above: Line, line: Line, look: Style, edge: float) -> bool:
    """Return whether a line goes on with the paragraph of the one above it."""
    level = look.level(line)
    if look.level(above) != level or above.tabular or line.tabular or _BULLET.match(line.text):
        return False
    fall = above.baseline - line.baseline
    if not 0 < fall <= look.leading * max(above.size, line.size) * 1.2 + 0.5:
        return False
    # A line that ends far from the edge was ended on purpose: a row, an address, a verse.
    return above.right >= above.left + 0.72 * (edge - above.left) or level > 0 or above.fixed


def _passage(lines: list[Line], look: Style) -> Passage:
    between = "\n" if all(line.fixed for line in lines) else " "
    text = between.join(line.text for line in lines)
    level = look.level(lines[0])
    named = 1 < len(text) <= HEADING_LETTERS and any(letter.isalpha() for letter in text)
    return Passage(text=text, level=level if named else 0)


def _rounded(size: float) -> float:
    return round(size * 2) / 2
