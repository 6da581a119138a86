"""The text of a paragraph in OpenDocument, and what hangs on it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element

_OASIS = "urn:oasis:names:tc:opendocument:xmlns:"
TEXT = f"{{{_OASIS}text:1.0}}"
TABLE = f"{{{_OASIS}table:1.0}}"
OFFICE = f"{{{_OASIS}office:1.0}}"
DRAW = f"{{{_OASIS}drawing:1.0}}"
STYLE = f"{{{_OASIS}style:1.0}}"
PRESENTATION = f"{{{_OASIS}presentation:1.0}}"
DC = "{http://purl.org/dc/elements/1.1/}"
HREF = "{http://www.w3.org/1999/xlink}href"

P, H = TEXT + "p", TEXT + "h"
PARAGRAPHS = frozenset({P, H})

# However many blanks a single mark stands for, one parts two words.
_SIGNS = {TEXT + "s": " ", TEXT + "tab": "\t", TEXT + "line-break": "\n"}
_UNREAD = frozenset({TEXT + "ruby-text", TEXT + "tracked-changes", OFFICE + "forms"})
NOTE, COMMENT = TEXT + "note", OFFICE + "annotation"
IMAGE, BOX = DRAW + "image", DRAW + "text-box"


@dataclass(kw_only=True, slots=True)
class Passage:
    """The text of a paragraph or a cell, and what hangs on it."""

    pieces: list[str] = field(default_factory=list)
    hung: list["_Element"] = field(default_factory=list)
    """Notes, comments, boxes and pictures, in their order."""

    @property
    def text(self) -> str:
        """All text, lines as they were broken by hand."""
        lines = "".join(self.pieces).split("\n")
        return "\n".join(" ".join(line.split()) for line in lines).strip()


def passage(element: "_Element") -> Passage:
    """Return what is read in an element."""
    found = Passage()
    _take(element, found)
    return found


def _take(element: "_Element", found: Passage) -> None:
    found.pieces.append(element.text or "")
    for child in element:
        tag = child.tag
        if tag in _SIGNS:
            found.pieces.append(_SIGNS[tag])
        elif tag in {NOTE, COMMENT, IMAGE, BOX}:
            found.hung.append(child)
        elif tag not in _UNREAD:
            _take(child, found)
            if tag in PARAGRAPHS:
                found.pieces.append("\n")
        found.pieces.append(child.tail or "")


def paragraphs(element: "_Element") -> str:
    """Return the text of all paragraphs in a note, a comment, a shape, one below the other."""
    return "\n".join(filter(None, (passage(one).text for one in outermost(element))))


def outermost(element: "_Element") -> "Iterator[_Element]":
    """Yield the paragraphs in an element, but none that stands in a part of another."""
    for child in element:
        if child.tag in PARAGRAPHS:
            yield child
        elif child.tag not in _UNREAD and child.tag != COMMENT:
            yield from outermost(child)


def creator(comment: "_Element") -> str:
    """Return who wrote a comment."""
    return (comment.findtext(DC + "creator") or "").strip()
