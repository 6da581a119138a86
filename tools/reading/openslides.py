"""ODP: the text of each slide under its title, with tables, notes and pictures."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from memory.places import Place
from tools.reading import opentext
from tools.reading.base import Block
from tools.reading.drafts import LABEL, Draft
from tools.reading.openstory import hang, table_lines
from tools.reading.opentext import COMMENT, DRAW, IMAGE, OFFICE, PRESENTATION, TABLE
from tools.reading.trees import TREE_BYTES, tree

if TYPE_CHECKING:
    from lxml.etree import _Element

_CLASS = PRESENTATION + "class"
_NOTES = PRESENTATION + "notes"
_COUNTED = frozenset({"page-number", "date-time"})
"""Fields that say the same on every slide but for a number."""


def tell(draft: Draft) -> None:
    """Take a presentation into a draft. Raises `ArchiveError`."""
    root = tree(draft.archive.read("content.xml", TREE_BYTES), "content.xml")
    pages = (page for body in root.iter(OFFICE + "presentation") for page in body)
    slides = (page for page in pages if page.tag == DRAW + "page")
    for number, slide in enumerate(slides, start=1):
        _slide(draft, slide, Place(page=number))


def _slide(draft: Draft, slide: "_Element", place: Place) -> None:
    shapes = list(_flat(slide))
    titles = [shape for shape in shapes if shape.get(_CLASS) == "title"]
    title = "\n".join(filter(None, map(opentext.paragraphs, titles)))
    if title:
        draft.outline.heading(1, " ".join(title.split()), title, place)
    else:
        draft.outline.enter(1, "")
    for shape in shapes:
        if shape not in titles and shape.get(_CLASS) not in _COUNTED:
            _shape(draft, shape, place)
    for notes in slide.iter(_NOTES):
        text = opentext.paragraphs(notes)
        if any(map(str.isalnum, text)):
            here = replace(place, heading=("notes",))
            draft.outline.block(Block(text=text, place=here, label=LABEL))


def _shape(draft: Draft, shape: "_Element", place: Place) -> None:
    tables = list(shape.iter(TABLE + "table"))
    for line in (line for table in tables for line in table_lines(table)):
        draft.outline.body(line, place)
    if not tables and shape.tag != COMMENT:
        draft.outline.body(opentext.paragraphs(shape), place)
    hang(draft, [shape] if shape.tag == COMMENT else list(shape.iter(IMAGE)), place)


def _flat(parent: "_Element") -> "Iterator[_Element]":
    """Yield the shapes of a slide, those in groups one by one."""
    for child in parent:
        if child.tag == DRAW + "g":
            yield from _flat(child)
        elif child.tag.startswith(DRAW) or child.tag == COMMENT:
            yield child
