"""Tables of contents of books, as EPUB 3 writes them in HTML and EPUB 2 in XML."""

import posixpath
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tools.reading.trees import Bounds, tree

if TYPE_CHECKING:
    from lxml.etree import _Element

Path = tuple[str, ...]
"""Headings from the outermost, at least one."""

_TYPE = "{http://www.idpf.org/2007/ops}type"
_ENTRIES_DEPTH = 12


def tables(package: "_Element", items: "Mapping[str, _Element]") -> "Iterator[_Element]":
    """Yield the items of a package that hold its table of contents, the newer form first."""
    for item in items.values():
        if "nav" in item.get("properties", "").split():
            yield item
    spine = package.find("{*}spine")
    named = items.get("" if spine is None else spine.get("toc", ""))
    for item in items.values():
        if item is named or item.get("media-type") == "application/x-dtbncx+xml":
            yield item


def paths(data: bytes, file: str) -> dict[str, Path]:
    """Return the headings of each file that a table of contents names first. Raises `ArchiveError`.

    Names and links are those of the archive.
    """
    entries = _numbered(data, file) if b"<navMap" in data else _listed(data, file)
    found: dict[str, Path] = {}
    for path, link in entries:
        target = resolved(file, link)
        if path and target not in found:
            found[target] = path
    return found


def _numbered(data: bytes, file: str) -> Iterator[tuple[Path, str]]:
    for points in tree(data, file).iter("{*}navMap"):
        yield from _points(points, ())


def _points(parent: "_Element", above: Path) -> Iterator[tuple[Path, str]]:
    for point in parent.iterchildren("{*}navPoint"):
        label = " ".join((point.findtext("{*}navLabel/{*}text") or "").split())
        content = point.find("{*}content")
        path = (*above, label) if label else above
        yield path, "" if content is None else content.get("src", "")
        if len(path) < _ENTRIES_DEPTH:
            yield from _points(point, path)


def _listed(data: bytes, file: str) -> Iterator[tuple[Path, str]]:
    from lxml import etree

    Bounds().take(data, file)
    root = etree.fromstring(data, etree.HTMLParser(encoding="utf-8"))
    navs = [] if root is None else list(root.iter("nav"))
    told = [nav for nav in navs if "toc" in (nav.get("epub:type") or nav.get(_TYPE) or "").split()]
    for nav in told or navs[:1]:
        for entries in nav.iterchildren("ol"):
            yield from _entries(entries, ())


def _entries(entries: "_Element", above: Path) -> Iterator[tuple[Path, str]]:
    for entry in entries.iterchildren("li"):
        named = next((one for one in entry.iterchildren("a", "span")), None)
        label = "" if named is None else " ".join("".join(named.itertext()).split())
        path = (*above, label) if label else above
        yield path, "" if named is None else named.get("href", "")
        for below in entry.iterchildren("ol"):
            if len(path) < _ENTRIES_DEPTH:
                yield from _entries(below, path)


def resolved(file: str, link: str) -> str:
    """Return the name in the archive that a link in a file leads to, without its fragment."""
    target = unquote(link.partition("#")[0])
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), target)).lstrip("/")


def same(heading: str, name: str) -> bool:
    """Return whether a heading in the text is what the table of contents calls it."""
    ours, theirs = (" ".join(text.split()).casefold() for text in (heading, name))
    return bool(ours) and (ours in theirs or theirs in ours)
