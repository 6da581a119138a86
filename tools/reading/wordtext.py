"""The text of a paragraph in WordprocessingML, and what hangs on it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_V = "{urn:schemas-microsoft-com:vml}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"

P, TABLE, ROW, CELL = W + "p", W + "tbl", W + "tr", W + "tc"
_NESTED = frozenset({TABLE, ROW, CELL})
_STEPS = frozenset(
    {
        *(W + name for name in ("sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag")),
        _MC + "Choice",
    }
)
"""What stands around paragraphs, rows and cells without being one."""

_ALTERNATIVES, _FALLBACK = _MC + "AlternateContent", _MC + "Fallback"

_TEXTS = frozenset({W + "t", _M + "t"})
_SIGNS = {
    W + "tab": "\t",
    W + "ptab": "\t",
    W + "br": "\n",
    W + "cr": "\n",
    W + "noBreakHyphen": "-",
}
_UNREAD = frozenset(
    {
        *(W + name for name in ("del", "moveFrom", "instrText", "pPr", "rPr", "sdtPr")),
        W + "rt",  # how a word is pronounced, above it
    }
)
_BOX = W + "txbxContent"
_NOTES = {W + "footnoteReference": "footnotes", W + "endnoteReference": "endnotes"}
_COMMENT = W + "commentReference"
_PICTURES = {_A + "blip": _R + "embed", _V + "imagedata": _R + "id"}


@dataclass(kw_only=True, slots=True)
class Passage:
    """The text of a paragraph, a cell or a note, and what it refers to."""

    pieces: list[str] = field(default_factory=list)
    boxes: list["_Element"] = field(default_factory=list)
    """Of text, anchored in it."""
    notes: list[tuple[str, str]] = field(default_factory=list)
    """`footnotes` or `endnotes`, and the number of the note."""
    comments: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    """Names of relationships to pictures."""

    @property
    def text(self) -> str:
        """All text, lines as they were broken by hand."""
        lines = "".join(self.pieces).split("\n")
        return "\n".join(line.strip() for line in lines).strip()


def passage(element: "_Element") -> Passage:
    """Return what is read in an element."""
    found = Passage()
    _take(element, found)
    return found


def steps(element: "_Element") -> "Iterator[_Element]":
    """Yield what stands in an element, seen through what only wraps it."""
    for child in element:
        if child.tag in _STEPS:
            yield from steps(child)
        elif child.tag == _ALTERNATIVES:
            yield from steps(_chosen(child))
        else:
            yield child


def counted(element: "_Element") -> int:
    """Return how many paragraphs stand in an element, those of boxes aside."""
    return sum(
        1 if one.tag == P else counted(one)
        for one in steps(element)
        if one.tag == P or one.tag in _NESTED
    )


def paragraphs(element: "_Element") -> str:
    """Return the text of all paragraphs in a note, a header or a box, one below the other."""
    texts = (passage(one).text for one in element.iter(P) if not _is_doubled(one, element))
    return "\n".join(filter(None, texts))


def _is_doubled(paragraph: "_Element", within: "_Element") -> bool:
    """Return whether a paragraph is the old form of another, or in a box within it."""
    for above in paragraph.iterancestors():
        if above is within:
            return False
        if above.tag == _FALLBACK and len(above.getparent()) > 1:
            return True
    return False


def _take(element: "_Element", found: Passage) -> None:
    for child in element:
        tag = child.tag
        if tag in _TEXTS:
            found.pieces.append(child.text or "")
        elif tag in _SIGNS:
            found.pieces.append(_SIGNS[tag])
        elif tag == _ALTERNATIVES:
            _take(_chosen(child), found)
        elif tag not in _UNREAD and not _hangs(child, found):
            _take(child, found)
            if tag == P:
                found.pieces.append("\n")


def _hangs(child: "_Element", found: Passage) -> bool:
    """Take what a paragraph refers to; return whether there is no text of its own in it."""
    tag = child.tag
    if tag == _BOX:
        found.boxes.append(child)
    elif tag in _NOTES:
        found.notes.append((_NOTES[tag], child.get(W + "id", "")))
    elif tag == _COMMENT:
        found.comments.append(child.get(W + "id", ""))
    elif tag in _PICTURES:
        found.pictures.append(child.get(_PICTURES[tag], ""))
    return bool(tag == _BOX)


def _chosen(alternatives: "_Element") -> "_Element":
    """Return the first of several forms of the same; a text box is written in two."""
    return alternatives[0] if len(alternatives) else alternatives


_CONTENTS = re.compile(r"toc \d", re.IGNORECASE)
_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)


def levels(styles: "_Element") -> dict[str, int]:
    """Return the level of each style of a heading: 1 for a title, from 2 on for headings."""
    by_id = {style.get(W + "styleId", ""): style for style in styles.iter(W + "style")}
    found = {name: _level(name, by_id) for name in by_id}
    return {name: level for name, level in found.items() if level}


def contents(styles: "_Element") -> frozenset[str]:
    """Return the styles of the lines of a table of contents."""
    return frozenset(
        style.get(W + "styleId", "")
        for style in styles.iter(W + "style")
        if _CONTENTS.fullmatch(_value(style, "name") or "")
    )


def _level(name: str, by_id: "dict[str, _Element]") -> int:
    for _ in range(len(by_id)):
        style = by_id.get(name)
        if style is None:
            return 0
        label = _value(style, "name") or ""
        if heading := _HEADING.fullmatch(label):
            return int(heading.group(1)) + 1
        if label.lower() == "title":
            return 1
        if outlined := outline_level(style):
            return outlined
        name = _value(style, "basedOn") or ""
    return 0


def outline_level(element: "_Element") -> int:
    """Return the level that a style or a paragraph gives itself, 0 for none."""
    properties = element.find(W + "pPr")
    given = None if properties is None else _value(properties, "outlineLvl")
    return int(given) + 2 if given is not None and given.isdigit() and int(given) < 9 else 0


def style_of(paragraph: "_Element") -> str:
    """Return the id of a paragraph's style."""
    properties = paragraph.find(W + "pPr")
    return (None if properties is None else _value(properties, "pStyle")) or ""


def _value(element: "_Element", name: str) -> str | None:
    child = element.find(W + name)
    return None if child is None else child.get(W + "val")
