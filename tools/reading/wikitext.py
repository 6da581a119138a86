"""Pages of a wiki: what a reader sees of wikitext, under its headings.

The markup is scanned once, with a stack, in linear time. The parsers that there are go back where
a bracket is never closed: mwparserfromhell 0.7 takes minutes for 64 kB of `{{a|b=`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from memory.labels import Label, Origin
from memory.places import Place
from tools.reading.base import Reading, UnreadableError
from tools.reading.decoding import decode
from tools.reading.outline import Outline
from tools.reading.text import paragraphs
from tools.reading.wiki_markup import rendered

READER = "wikitext/1"
LABEL = Label(origins=frozenset({Origin.DOCUMENT}))
MEDIA_TYPE = "application/x-mediawiki-page+xml"

_HEADING = re.compile(r"^(={1,6})(.+?)\1[ \t]*$", re.MULTILINE)
_HEADING_LETTERS = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page as a dump has it."""

    title: str
    changed_at: datetime | None
    text: str
    """Wikitext."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """What stands under a heading, up to the next one."""

    level: int
    """0 of what stands above the first heading."""
    name: str
    text: str


def read(data: bytes, name: str, media_type: str) -> Reading:
    """Return the paragraphs of a page, given as its own piece of XML from a dump.

    Raises `UnreadableError` where it is none.
    """
    page = parsed(data, name)
    outline = Outline(label=LABEL)
    for section in _telling([*_sections(decode(page.text.encode()).text)]):
        if section.level:
            outline.heading(section.level, section.name, section.name, Place())
        for paragraph in paragraphs(section.text):
            outline.body(paragraph.text, Place())
    return Reading(
        title=page.title or name,
        kind="wiki",
        media_type=media_type,
        blocks=outline.closed(),
        label=LABEL,
        reader=READER,
        made_at=page.changed_at,
    )


def parsed(data: bytes, name: str) -> Page:
    """Return the page that a piece of XML holds."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise UnreadableError(f"{name} is no page of a wiki: {error}") from error
    return Page(
        title=root.findtext("title", ""),
        changed_at=_moment(root.findtext("timestamp", "")),
        text=root.findtext("text", ""),
    )


def _moment(stamp: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _sections(text: str) -> Iterator[Section]:
    """Yield the sections of wikitext as their readers see them."""
    level, name, start = 0, "", 0
    for match in _HEADING.finditer(text):
        yield Section(level=level, name=name, text=rendered(text[start : match.start()]))
        level, start = len(match[1]), match.end()
        name = " ".join(rendered(match[2]).split())[:_HEADING_LETTERS]
    yield Section(level=level, name=name, text=rendered(text[start:]))


def _telling(sections: list[Section]) -> list[Section]:
    """Leave out headings with nothing below them, such as those of references."""
    kept: list[Section] = []
    for section in reversed(sections):
        above = bool(kept) and kept[-1].level > section.level
        if above or any(map(str.isalnum, section.text)):
            kept.append(section)
    return kept[::-1]
