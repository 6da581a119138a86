"""DOCX: paragraphs and table rows under their headings, with notes, comments, boxes, pictures."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from memory.places import Place
from tools.archives import Archive
from tools.reading import tables, wordtext
from tools.reading.base import Reading
from tools.reading.drafts import Draft, finished, in_utc, translated
from tools.reading.packaged import package, retyped
from tools.reading.perception import Perception
from tools.reading.trees import tree
from tools.reading.wordtext import CELL, ROW, TABLE, P, Passage, W

if TYPE_CHECKING:
    from docx.document import Document
    from docx.opc.part import Part
    from lxml.etree import _Element

READER = "word/1"

_MAIN_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"

_LAID_OUT_PARAGRAPHS = 5
"""A cell with more than these is a part of a page that a table lays out, not a value."""

_AROUND = ("header", "footer")


async def read(data: bytes, name: str, media_type: str, perception: Perception) -> Reading:
    """Return all text of a document, and what sight finds in its pictures.

    Raises `UnreadableError`.
    """
    draft = await asyncio.to_thread(_drafted, data, name)
    return await finished(draft, name, media_type, READER, perception)


def _drafted(data: bytes, name: str) -> Draft:
    with translated(name, "a Word document"):
        from docx import Document

        archive = Archive(data)
        document = Document(package(archive, retyped(archive, _MAIN_TYPE)))
        properties = document.core_properties
        draft = Draft(
            archive=archive,
            kind="document",
            title=properties.title,
            author=properties.author,
            made_at=in_utc(properties.modified or properties.created),
        )
        Story(draft, document).tell()
        return draft


@dataclass(slots=True)
class Story:
    """The text of a document as it is gone through."""

    draft: Draft
    document: "Document"
    paragraph: int = 0
    """Number of the paragraph that was read last."""
    _levels: dict[str, int] = field(init=False)
    _contents: frozenset[str] = field(init=False)
    """Styles of the lines of a table of contents, which say again what stands elsewhere."""
    _notes: "dict[tuple[str, str], _Element]" = field(init=False)
    _comments: "dict[str, _Element]" = field(init=False)

    def __post_init__(self) -> None:
        self._levels = wordtext.levels(self.document.styles.element)
        self._contents = wordtext.contents(self.document.styles.element)
        self._notes = {
            (kind, note.get(W + "id", "")): note
            for kind in ("footnotes", "endnotes")
            for part in self._parts(kind)
            for note in _root(part)
        }
        self._comments = {
            comment.get(W + "id", ""): comment
            for part in self._parts("comments")
            for comment in _root(part)
        }

    def tell(self) -> None:
        """Take the whole document into the draft."""
        outline = self.draft.outline
        self._walk(self.document.element.body)
        for around in _AROUND:
            outline.enter(0, around)
            texts = (wordtext.paragraphs(_root(part)) for part in self._parts(around))
            for text in dict.fromkeys(texts):
                outline.body(text, Place())

    def _parts(self, kind: str) -> "Iterator[Part]":
        """Yield the parts of a kind that belong to the document."""
        for relationship in self.document.part.rels.values():
            if relationship.reltype.endswith(f"/{kind}") and not relationship.is_external:
                yield relationship.target_part

    def _walk(self, parent: "_Element") -> None:
        for element in wordtext.steps(parent):
            if element.tag == P:
                self._paragraph(element)
            elif element.tag == TABLE:
                self._table(element)

    def _paragraph(self, element: "_Element") -> None:
        self.paragraph += 1
        passage = wordtext.passage(element)
        place = Place(paragraph=self.paragraph)
        level = wordtext.outline_level(element) or self._levels.get(wordtext.style_of(element), 0)
        if level and passage.text:
            self.draft.outline.heading(level, " ".join(passage.text.split()), passage.text, place)
        elif passage.text and not self._repeats(element):
            self.draft.outline.body(passage.text, place)
        self._hung([passage], place)

    def _repeats(self, element: "_Element") -> bool:
        """Return whether a paragraph is a line of a table of contents."""
        return wordtext.style_of(element) in self._contents

    def _table(self, table: "_Element") -> None:
        names: tables.Names = {}
        for row in (one for one in wordtext.steps(table) if one.tag == ROW):
            cells = [one for one in wordtext.steps(row) if one.tag == CELL]
            if _is_laid_out(cells):
                for cell in cells:
                    self._walk(cell)
                continue
            first = self.paragraph + 1
            self.paragraph += sum(map(wordtext.counted, cells))
            passages = [wordtext.passage(cell) for cell in cells]
            texts = dict(zip(_columns(cells), (one.text for one in passages), strict=True))
            place = Place(paragraph=first, last_paragraph=self.paragraph)
            self.draft.outline.body(tables.line(texts, names), place)
            if _is_heading(row):
                names = tables.names(texts)
            self._hung(passages, place)

    def _hung(self, passages: Sequence[Passage], place: Place) -> None:
        """Take what paragraphs refer to."""
        for passage in passages:
            for box in passage.boxes:
                self.draft.outline.body(wordtext.paragraphs(box), place)
            for note in passage.notes:
                if note in self._notes:
                    self.draft.outline.body(wordtext.paragraphs(self._notes[note]), place)
            for number in passage.comments:
                self._comment(number, place)
            for relationship in passage.pictures:
                self._picture(relationship, place)

    def _comment(self, number: str, place: Place) -> None:
        comment = self._comments.get(number)
        if comment is None:
            return
        author, text = comment.get(W + "author", ""), wordtext.paragraphs(comment)
        self.draft.aside("comment", f"{author}: {text}" if author else text, place)

    def _picture(self, name: str, place: Place) -> None:
        relationship = self.document.part.rels.get(name)
        if relationship is not None and not relationship.is_external:
            self.draft.figure(str(relationship.target_part.partname).lstrip("/"), place)


def _root(part: "Part") -> "_Element":
    from docx.opc.part import XmlPart

    return part.element if isinstance(part, XmlPart) else tree(part.blob, str(part.partname))


def _is_laid_out(cells: "Sequence[_Element]") -> bool:
    return len(cells) == 1 or any(
        cell.find(TABLE) is not None or len(cell.findall(P)) > _LAID_OUT_PARAGRAPHS
        for cell in cells
    )


def _columns(cells: "Sequence[_Element]") -> Iterator[int]:
    """Yield the column that each cell of a row begins in."""
    at = 0
    for cell in cells:
        yield at
        span = next(cell.iter(W + "gridSpan"), None)
        width = "1" if span is None else span.get(W + "val", "1")
        at += int(width) if width.isdigit() else 1


def _is_heading(row: "_Element") -> bool:
    properties = row.find(W + "trPr")
    return properties is not None and properties.find(W + "tblHeader") is not None
