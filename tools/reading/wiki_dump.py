"""A dump of a wiki: millions of pages in one XML file, read as a stream."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol
from xml.sax.saxutils import escape

from tools.compressed import CompressedError, Unpacking, is_compressed
from tools.content import Content, Kind
from tools.reading import wikitext
from tools.reading.base import UnreadableError
from tools.reading.disk import opened
from tools.reading.members import BrokenMember, Member

MEDIA_TYPE = "application/x-mediawiki-dump+xml"
ARTICLES = frozenset({0})
"""Namespace of what a wiki is about; others are talk, users, templates, files."""

_PIECE_BYTES = 1 << 18
_PAGE_LETTERS = 8 * 2**20
"""Of a page; the largest of Wikipedia has two million."""
_CONTENT = Content(kind=Kind.WIKI, media_type=wikitext.MEDIA_TYPE)
_FACTS = {
    ("page", "title"): "title",
    ("page", "ns"): "ns",
    ("page", "id"): "id",
    ("revision", "timestamp"): "timestamp",
    ("revision", "model"): "model",
    ("revision", "text"): "text",
}
"""What is kept of a page, by the element and the one round it."""


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


class WikiDump:
    """Takes a dump apart, page by page, in bounded memory, compressed or not."""

    def __init__(self, namespaces: frozenset[int] = ARTICLES) -> None:
        """Take the pages of some namespaces; redirects are left out."""
        self._namespaces = namespaces

    def members(self, path: Path) -> Iterator[Member | BrokenMember]:
        """Yield the pages of a dump, the last revision of each. Blocks.

        Raises `UnreadableError` where it is no dump, or breaks off: what was yielded before stands,
        and nobody knows what would have come. Raises OSError where it cannot be read.
        """
        from lxml import etree

        target = _Pages(self._namespaces)
        parser = etree.XMLParser(
            target=target, resolve_entities=False, no_network=True, load_dtd=False
        )
        with opened(path) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as file:
            try:
                source = _source(file)
                while piece := source.read(_PIECE_BYTES):
                    parser.feed(piece)
                    yield from target.taken()
                parser.close()
            except (etree.XMLSyntaxError, CompressedError) as error:
                yield from target.taken()
                raise UnreadableError(
                    f"{path.name} cannot be read as a dump to its end: {error}. Fetch it anew."
                ) from error
            yield from target.taken()


def _source(file: BinaryIO) -> _Source:
    beginning = file.read(16)
    file.seek(0)
    return Unpacking(file) if is_compressed(beginning) else file


class _Pages:
    """Takes what a parser meets, and keeps no more than one page of it."""

    def __init__(self, namespaces: frozenset[int]) -> None:
        self._namespaces = namespaces
        self._path: list[str] = []
        self._facts: dict[str, str] = {}
        self._redirects = False
        self._key: str | None = None
        self._held: list[str] = []
        self._letters = 0
        self._made: list[Member | BrokenMember] = []

    def taken(self) -> list[Member | BrokenMember]:
        """Hand over the pages that are complete."""
        made, self._made = self._made, []
        return made

    def start(self, tag: str, _: dict[str, str]) -> None:
        """Take the beginning of an element."""
        name = tag.rpartition("}")[2]
        self._key = _FACTS.get((self._path[-1] if self._path else "", name))
        self._path.append(name)
        self._held, self._letters = [], 0
        if name == "page":
            self._facts, self._redirects = {}, False
        elif name == "redirect":
            self._redirects = True

    def data(self, text: str) -> None:
        """Take letters of an element."""
        if self._key is not None and self._letters <= _PAGE_LETTERS:
            self._held.append(text)
            self._letters += len(text)

    def end(self, _: str) -> None:
        """Take the end of an element."""
        name = self._path.pop()
        if self._key is not None:
            self._facts[self._key] = "".join(self._held)
            self._key = None
        if name == "page":
            self._close()

    def close(self) -> None:
        """Take the end of the dump."""

    def _close(self) -> None:
        facts = self._facts
        ours = facts.get("ns", "0").strip() in {str(number) for number in self._namespaces}
        plain = facts.get("model", "wikitext") == "wikitext"
        if not (ours and plain) or self._redirects or not facts.get("text", "").strip():
            return
        title = " ".join(facts.get("title", "").split())
        key = facts.get("id", "").strip() or title
        if len(facts["text"]) > _PAGE_LETTERS:
            reason = f"the page has more than {_PAGE_LETTERS} letters"
            self._made.append(BrokenMember(key=key, name=title, reason=reason))
        else:
            data = _page(title, facts.get("timestamp", ""), facts["text"])
            self._made.append(Member(key=key, name=title, data=data, content=_CONTENT))


def _page(title: str, timestamp: str, text: str) -> bytes:
    """Return a page as a piece of XML of its own."""
    return (
        f"<page><title>{escape(title)}</title><timestamp>{escape(timestamp)}</timestamp>"
        f"<text>{escape(text)}</text></page>"
    ).encode()
