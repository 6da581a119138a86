"""PPTX: the text of each slide under its title, with tables, charts, notes and pictures."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

from memory.places import Place
from tools.archives import Archive
from tools.reading import drawing
from tools.reading.base import Block, Reading
from tools.reading.drafts import LABEL, Draft, finished, in_utc, translated
from tools.reading.drawing import A
from tools.reading.packaged import package, retyped
from tools.reading.perception import Perception
from tools.reading.trees import tree

if TYPE_CHECKING:
    from lxml.etree import _Element
    from pptx.opc.package import Part
    from pptx.parts.slide import SlidePart
    from pptx.presentation import Presentation

READER = "slides/1"

_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"
_ALTERNATIVES = "{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent"

_MAIN_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
_TITLES = frozenset({"title", "ctrTitle"})
_COUNTED = frozenset({"sldNum", "dt"})
"""Fields that say the same on every slide but for a number."""


async def read(data: bytes, name: str, media_type: str, perception: Perception) -> Reading:
    """Return all text of a presentation, and what sight finds in its pictures.

    Raises `UnreadableError`.
    """
    draft = await asyncio.to_thread(_drafted, data, name)
    return await finished(draft, name, media_type, READER, perception)


def _drafted(data: bytes, name: str) -> Draft:
    with translated(name, "a presentation"):
        from pptx import Presentation

        archive = Archive(data)
        presentation = Presentation(package(archive, retyped(archive, _MAIN_TYPE)))
        properties = presentation.core_properties
        draft = Draft(
            archive=archive,
            kind="slides",
            title=properties.title,
            author=properties.author,
            made_at=in_utc(properties.modified or properties.created),
        )
        for number, part in _slides(presentation, draft):
            Slide(draft, part, Place(page=number)).tell()
        return draft


def _slides(presentation: "Presentation", draft: Draft) -> "Iterator[tuple[int, SlidePart]]":
    """Yield the slides with their numbers, hidden ones too, each once."""
    seen = set()
    listed = presentation.element.iter(_P + "sldId")
    for number, entry in enumerate(listed, start=1):
        try:
            part = presentation.part.related_part(entry.get(_R + "id", ""))
        except KeyError:
            draft.flaws.append(f"slide {number} is missing in the file")
            continue
        if part.partname not in seen:
            seen.add(part.partname)
            yield number, part  # type: ignore[misc]  # a slide, by the relationship


@dataclass(slots=True)
class Slide:
    """One slide as it is gone through."""

    draft: Draft
    part: "SlidePart"
    place: Place
    _titles: "list[_Element]" = field(default_factory=list)

    def tell(self) -> None:
        """Take the slide into the draft: title, shapes, notes, comments."""
        slide = self.part.slide
        shapes = list(_flat(slide.shapes.element))
        self._titles = [shape for shape in shapes if _placeholder(shape) in _TITLES]
        title = "\n".join(filter(None, map(drawing.text, self._titles)))
        if title:
            self.draft.outline.heading(1, " ".join(title.split()), title, self.place)
        else:
            self.draft.outline.enter(1, "")
        for shape in shapes:
            self._shape(shape)
        if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None:
            self._noted(frame.text)
        for part in self._parts("comments"):
            self.draft.aside("comment", _spoken(tree(part.blob, str(part.partname))), self.place)

    def _shape(self, shape: "_Element") -> None:
        if shape in self._titles or _placeholder(shape) in _COUNTED:
            return
        tables = list(shape.iter(A + "tbl"))
        for row in chain.from_iterable(map(drawing.rows, tables)):
            self.draft.outline.body(row, self.place)
        if not tables:
            self.draft.outline.body(drawing.text(shape), self.place)
        for chart in shape.iter(_C + "chart"):
            self._linked(chart.get(_R + "id", ""), drawing.chart)
        for diagram in shape.iter(_DIAGRAM):
            self._linked(diagram.get(_R + "dm", ""), _texts)
        for blip in shape.iter(A + "blip"):
            if (part := self._related(blip.get(_R + "embed", ""))) is not None:
                self.draft.figure(str(part.partname).lstrip("/"), self.place)

    def _linked(self, name: str, lines: "drawing.Lines") -> None:
        """Take what is said by a part that a shape only points to."""
        if (part := self._related(name)) is not None:
            for line in lines(tree(part.blob, str(part.partname))):
                self.draft.outline.body(line, self.place)

    def _related(self, name: str) -> "Part | None":
        relationship = self.part.rels.get(name)
        if relationship is None or relationship.is_external:
            return None
        return relationship.target_part

    def _parts(self, kind: str) -> "Iterator[Part]":
        for relationship in self.part.rels.values():
            if relationship.reltype.endswith(f"/{kind}") and not relationship.is_external:
                yield relationship.target_part

    def _noted(self, text: str) -> None:
        """Take the notes of the speaker, which follow the slide."""
        text = text.replace("\v", "\n").strip()
        if any(map(str.isalnum, text)):
            place = replace(self.place, heading=("notes",))
            self.draft.outline.block(Block(text=text, place=place, label=LABEL))


def _flat(tree: "_Element") -> "Iterator[_Element]":
    """Yield the shapes of a slide, those in groups one by one."""
    for child in tree:
        if child.tag == _P + "grpSp":
            yield from _flat(child)
        elif child.tag == _ALTERNATIVES:
            yield from _flat(child[0] if len(child) else child)
        elif child.tag in {_P + name for name in ("sp", "pic", "graphicFrame", "cxnSp")}:
            yield child


def _placeholder(shape: "_Element") -> str:
    """Return the kind of a placeholder, empty for any other shape."""
    found = next(shape.iter(_P + "ph"), None)
    return "" if found is None else found.get("type", "")


def _texts(diagram: "_Element") -> Iterator[str]:
    yield drawing.text(diagram)


def _spoken(comments: "_Element") -> str:
    """Return the text of comments, written as PowerPoint did before and does since 2021."""
    said = (one.text or "" for one in comments.iter(_P + "text", A + "t"))
    return "\n".join(filter(None, said))
