"""ODT: paragraphs and table rows under their headings, with notes, comments, boxes, pictures."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memory.places import Place
from tools.reading import opentext, tables
from tools.reading.drafts import Draft
from tools.reading.opentext import (
    BOX,
    COMMENT,
    DRAW,
    HREF,
    IMAGE,
    NOTE,
    OFFICE,
    PARAGRAPHS,
    STYLE,
    TABLE,
    TEXT,
    H,
)
from tools.reading.trees import TREE_BYTES, tree

if TYPE_CHECKING:
    from lxml.etree import _Element

_ROW, _CELL = TABLE + "table-row", TABLE + "table-cell"
_ROWS = frozenset(TABLE + name for name in ("table-rows", "table-row-group"))
_HEADER_ROWS = TABLE + "table-header-rows"
_CELLS = frozenset({_CELL, TABLE + "covered-table-cell"})
_NOTHING = frozenset(TEXT + name for name in ("tracked-changes", "table-of-content"))
"""What was taken out, and what says again what stands elsewhere."""

_REPLACED = "ObjectReplacements/"

_LAID_OUT_PARAGRAPHS = 5
"""A cell with more than these is a part of a page that a table lays out, not a value."""


def tell(draft: Draft) -> None:
    """Take a document into a draft. Raises `ArchiveError`."""
    root = tree(draft.archive.read("content.xml", TREE_BYTES), "content.xml")
    story = Story(draft)
    for body in root.iter(OFFICE + "text"):
        story.walk(body)
    if "styles.xml" in draft.archive:
        _around(draft, tree(draft.archive.read("styles.xml", TREE_BYTES), "styles.xml"))


def _around(draft: Draft, styles: "_Element") -> None:
    """Take what stands at the head and at the foot of pages."""
    for around in ("header", "footer"):
        draft.outline.enter(0, around)
        texts = (opentext.paragraphs(one) for one in styles.iter(STYLE + around))
        for text in dict.fromkeys(texts):
            draft.outline.body(text, Place())


@dataclass(slots=True)
class Story:
    """The text of a document as it is gone through."""

    draft: Draft
    paragraph: int = 0
    """Number of the paragraph that was read last."""

    def walk(self, parent: "_Element") -> None:
        """Take all that stands in an element."""
        for element in parent:
            if element.tag in PARAGRAPHS:
                self._paragraph(element)
            elif element.tag == TABLE + "table":
                self._table(element)
            elif element.tag.startswith(DRAW):
                self._drawn(element)
            elif element.tag not in _NOTHING:
                self.walk(element)

    def _paragraph(self, element: "_Element") -> None:
        self.paragraph += 1
        place = Place(paragraph=self.paragraph)
        passage = opentext.passage(element)
        if element.tag == H and passage.text:
            level = element.get(TEXT + "outline-level", "1")
            name = " ".join(passage.text.split())
            self.draft.outline.heading(
                int(level) if level.isdigit() else 1, name, passage.text, place
            )
        else:
            self.draft.outline.body(passage.text, place)
        hang(self.draft, passage.hung, place)

    def _drawn(self, element: "_Element") -> None:
        """Take a frame that stands on a page rather than in a paragraph."""
        place = Place(paragraph=self.paragraph or None)
        passage = opentext.passage(element)
        self.draft.outline.body(passage.text, place)
        hang(self.draft, passage.hung, place)

    def _table(self, table: "_Element") -> None:
        names: tables.Names = {}
        for row, is_header in _rows(table):
            cells = [cell for cell in row if cell.tag in _CELLS]
            if _is_laid_out(cells):
                for cell in cells:
                    self.walk(cell)
                continue
            first = self.paragraph + 1
            self.paragraph += sum(len(list(opentext.outermost(cell))) for cell in cells)
            place = Place(paragraph=first, last_paragraph=self.paragraph)
            passages = [opentext.passage(cell) for cell in cells]
            texts = {at: passage.text for at, passage in enumerate(passages)}
            self.draft.outline.body(tables.line(texts, names), place)
            if is_header:
                names = tables.names(texts)
            for passage in passages:
                hang(self.draft, passage.hung, place)


def hang(draft: Draft, hung: "list[_Element]", place: Place) -> None:
    """Take what hangs on a paragraph: notes, comments, boxes, pictures."""
    for element in hung:
        if element.tag == IMAGE:
            _picture(draft, element.get(HREF, ""), place)
        elif element.tag == COMMENT:
            author, text = opentext.creator(element), opentext.paragraphs(element)
            draft.aside("comment", f"{author}: {text}" if author else text, place)
        elif element.tag in {NOTE, BOX}:
            within = opentext.passage(element) if element.tag == BOX else None
            draft.outline.body(opentext.paragraphs(element), place)
            hang(draft, [] if within is None else within.hung, place)


def _picture(draft: Draft, link: str, place: Place) -> None:
    """Take a picture, unless it is outside or stands in for an object or for another picture."""
    part = posixpath.normpath(link).lstrip("/")
    if "://" not in link and not part.startswith(_REPLACED) and not part.endswith(".svg"):
        draft.figure(part, place)


def table_lines(table: "_Element") -> Iterator[str]:
    """Yield the rows of a table, each in one line."""
    names: tables.Names = {}
    for row, is_header in _rows(table):
        cells = [opentext.paragraphs(cell) for cell in row if cell.tag in _CELLS]
        texts = dict(enumerate(cells))
        yield tables.line(texts, names)
        names = tables.names(texts) if is_header else names


def _rows(table: "_Element") -> "Iterator[tuple[_Element, bool]]":
    """Yield the rows of a table, and whether they are said to head it."""
    for child in table:
        if child.tag == _ROW:
            yield child, table.tag == _HEADER_ROWS
        elif child.tag in _ROWS or child.tag == _HEADER_ROWS:
            yield from _rows(child)


def _is_laid_out(cells: "list[_Element]") -> bool:
    return len(cells) == 1 or any(
        next(cell.iter(TABLE + "table"), None) is not None
        or sum(child.tag in PARAGRAPHS for child in cell) > _LAID_OUT_PARAGRAPHS
        for cell in cells
    )
