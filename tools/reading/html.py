"""HTML: the text as it is shown, under its headings."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from html import unescape
from itertools import accumulate
from typing import Any

from memory.labels import Label, Origin
from memory.places import Place
from tools.reading.base import Reading
from tools.reading.decoding import Decoded, decode
from tools.reading.outline import Outline
from tools.reading.text import beginning, paragraphs

READER = "html/2"
LABEL = Label(origins=frozenset({Origin.DOCUMENT}))

TAGS = 500_000
"""Of a page that is laid out. Each takes a kilobyte of memory and twenty microseconds."""

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_HEAD_BYTES = 4096
_MARKED = {
    **{f"h{level}": [f"h{level}"] for level in range(1, 7)},
    "blockquote": ["quote"],
    "#class=gmail_quote": ["quote"],
    "#class=moz-cite-prefix": ["quote"],
    "#class=yahoo_quoted": ["quote"],
    "#id=divRplyFwdMsg": ["quote"],
}
"""What is marked in the text; quotations are told by what mail programs write around them."""

_GAP = re.compile(r"(?<=\S  ) +(?=\S)")
_UNSEEN = {"!--": "-->", "script": "/script", "style": "/style", "head": "/head"}
"""What begins a stretch that is not shown, and what ends it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """A stretch of a shown text: a heading, `h1` to `h6`, or a `quote`."""

    start: int
    end: int
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page as it is shown."""

    text: str
    title: str
    marks: tuple[Mark, ...]
    flaws: tuple[str, ...] = ()


def read(data: bytes, name: str, media_type: str) -> Reading:
    """Return the paragraphs and table rows of a page with the headings above them."""
    page = shown(data)
    outline = Outline(label=LABEL)
    for text, level in parts(page):
        for paragraph in paragraphs(text):
            if level:
                heading = " ".join(paragraph.text.split())
                outline.heading(level, heading, paragraph.text.strip(), Place())
            else:
                outline.body(paragraph.text, Place())
    blocks = outline.closed()
    return Reading(
        title=page.title or outline.title or name,
        kind="html",
        media_type=media_type,
        blocks=blocks,
        label=LABEL,
        reader=READER,
        flaws=page.flaws,
    )


def shown(data: bytes, declared: str | None = None) -> Page:
    """Return what a reader of a page sees of it."""
    named = _CHARSET.search(data[:_HEAD_BYTES])
    if declared is None and named is not None:
        declared = named.group(1).decode("ascii", errors="replace")
    head, cut = beginning(data)
    decoded = decode(head, declared)
    decoded = replace(decoded, flaws=(*decoded.flaws, *cut))
    try:
        return _laid_out(decoded)
    except (RecursionError, ValueError, AssertionError, LookupError, AttributeError):
        # The engine has no errors of its own: what is nested too deep for it fails anywhere in it.
        flaw = "the page could not be laid out; its bare text was read"
        return Page(text=_bare(decoded.text), title="", marks=(), flaws=(*decoded.flaws, flaw))


def _laid_out(decoded: Decoded) -> Page:
    from inscriptis.css_profiles import RELAXED_CSS_PROFILE
    from inscriptis.html_engine import Inscriptis
    from inscriptis.html_properties import Display
    from inscriptis.model.config import ParserConfig
    from inscriptis.model.html_element import HtmlElement
    from lxml import etree

    if decoded.text.count("<") > TAGS:
        raise RecursionError
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True)
    tree = etree.fromstring(decoded.text.encode(), parser)
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise RecursionError
    if tree is None:
        return Page(text="", title="", marks=(), flaws=decoded.flaws)
    # The engine knows no rules across the page; what stands on either side is not one line.
    css = RELAXED_CSS_PROFILE | {"hr": HtmlElement(display=Display.block)}
    engine = Inscriptis(tree, ParserConfig(css=css, annotation_rules=_MARKED))
    text, marks = _tightened(engine.get_text(), engine.get_annotations())
    return Page(
        text=text,
        title=" ".join((tree.findtext(".//title") or "").split()),
        marks=tuple(sorted(marks, key=lambda mark: mark.start)),
        flaws=decoded.flaws,
    )


def _tightened(text: str, annotations: Iterable[Any]) -> tuple[str, list[Mark]]:
    """Take out most of the blanks that hold up the columns of a table."""
    gaps = [match.span() for match in _GAP.finditer(text)]
    ends = [end for _, end in gaps]
    gone = [0, *accumulate(end - start for start, end in gaps)]

    def moved(offset: int) -> int:
        return offset - gone[bisect_right(ends, offset)]

    marks = [
        Mark(start=moved(one.start), end=moved(one.end), name=one.metadata) for one in annotations
    ]
    return _GAP.sub("", text), marks


def _bare(text: str) -> str:
    """Return the text between the tags, one below the other, without building a tree."""
    first, *pieces = text.split("<")
    held, awaited = [first], ""
    for piece in pieces:
        tag, _, rest = piece.partition(">")
        name = "!--" if tag.startswith("!--") else (tag.split(maxsplit=1) or [""])[0].lower()
        if not awaited and name in _UNSEEN:
            awaited = _UNSEEN[name]
        if not awaited:
            held.append(rest)
        elif awaited in piece.lower():
            awaited = ""
            held.append(rest)
    return unescape("\n".join(part.strip() for part in held if part.strip())).replace("\0", "")


def parts(page: Page) -> Iterator[tuple[str, int]]:
    """Yield the text in order, headings with their level and what is between with 0."""
    at = 0
    for mark in page.marks:
        if mark.name == "quote" or mark.start < at:
            continue
        yield page.text[at : mark.start], 0
        yield page.text[mark.start : mark.end], int(mark.name[1])
        at = mark.end
    yield page.text[at:], 0
