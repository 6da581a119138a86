"""EPUB: the files of a book in their order, under the headings of its table of contents."""

import asyncio
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from memory.places import Place
from tools.archives import Archive, ArchiveError, ProtectedError
from tools.reading import contents, html
from tools.reading.base import Reading
from tools.reading.contents import Path, resolved, same
from tools.reading.drafts import Draft, finished, in_utc, translated
from tools.reading.perception import Perception
from tools.reading.text import paragraphs
from tools.reading.trees import Bounds, tree

if TYPE_CHECKING:
    from lxml.etree import _Element

READER = "epub/1"

CHAPTER_BYTES = 16 * 2**20
CHAPTERS_MARKS = 1_000_000
"""Of angle brackets in all that is laid out of one book."""

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_DC = "{http://purl.org/dc/elements/1.1/}"
_PAGES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml"})

_SHORT = re.compile(
    rb"<(?!(?:area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr)\b)"
    rb"([a-zA-Z][\w:-]*)((?:\s[^<>]*)?)/>"
)
"""A tag that XML closes by itself; to HTML it stays open, and a `<title/>` swallows the book."""

_IMAGE = re.compile(
    rb"<(?:img\b[^<>]*?\ssrc|(?:\w+:)?image\b[^<>]*?\s(?:\w+:)?href)\s*=\s*[\"']([^\"'<>]+)[\"']"
)
_ABOVE = -20
"""Level of the outermost heading of a table of contents: above all in the text."""


@dataclass(kw_only=True, slots=True)
class Book:
    """What a book says of itself."""

    spine: list[str] = field(default_factory=list)
    """Names in the archive of the files to be read, in their order."""
    paths: dict[str, Path] = field(default_factory=dict)
    """Headings that the table of contents gives, by file."""


async def read(data: bytes, name: str, media_type: str, perception: Perception) -> Reading:
    """Return all text of a book, and what sight finds in its pictures.

    Raises `UnreadableError`.
    """
    draft = await asyncio.to_thread(_drafted, data, name)
    return await finished(draft, name, media_type, READER, perception)


def _drafted(data: bytes, name: str) -> Draft:
    with translated(name, "a book"):
        archive = Archive(data)
        draft = Draft(archive=archive, kind="book")
        book = _book(draft)
        bounds = Bounds(marks_limit=CHAPTERS_MARKS)
        for file in book.spine:
            try:
                page = archive.read(file, CHAPTER_BYTES)
            except ArchiveError as error:
                draft.flaws.append(f"{file}: {error}")
                continue
            bounds.take(page, file)
            _chapter(draft, file, page, book.paths.get(file))
        return draft


def _book(draft: Draft) -> Book:
    """Read what the book says of itself. Raises `ArchiveError`."""
    archive = draft.archive
    place = _package(archive)
    package = tree(archive.read(place), place)
    _describe(draft, package)
    items = {one.get("id", ""): one for one in package.iter("{*}item")}
    spine = package.find("{*}spine")
    book = Book()
    for entry in () if spine is None else spine.iter("{*}itemref"):
        item = items.get(entry.get("idref", ""))
        if item is not None and item.get("media-type") in _PAGES:
            book.spine.append(resolved(place, item.get("href", "")))
    book.spine = list(dict.fromkeys(book.spine))
    _refuse_protected(archive, book)
    tables = [resolved(place, item.get("href", "")) for item in contents.tables(package, items)]
    for file in tables:
        try:
            book.paths = contents.paths(archive.read(file, CHAPTER_BYTES), file)
        except ArchiveError as error:
            draft.flaws.append(f"table of contents {file}: {error}")
        if book.paths:
            break
    return book


def _package(archive: Archive) -> str:
    """Return where the package document lies, by which a book describes itself."""
    if _CONTAINER in archive:
        for root in tree(archive.read(_CONTAINER), _CONTAINER).iter("{*}rootfile"):
            if (path := str(root.get("full-path", ""))) in archive:
                return path
    found = next((name for name in archive.names if name.endswith(".opf")), None)
    if found is None:
        raise ArchiveError("it does not say which files it is made of. Copy it anew.")
    return found


def _describe(draft: Draft, package: "_Element") -> None:
    given = {
        tag: [" ".join((one.text or "").split()) for one in package.iter(_DC + tag)]
        for tag in ("title", "creator", "date")
    }
    draft.title = next(filter(None, given["title"]), "")
    draft.author = ", ".join(filter(None, given["creator"]))
    for moment in given["date"]:
        try:
            draft.made_at = in_utc(datetime.fromisoformat(moment))
        except ValueError:  # a year alone is no moment
            continue
        break


def _refuse_protected(archive: Archive, book: Book) -> None:
    """Raise `ProtectedError` for a book whose text is encrypted; of many only the fonts are."""
    if _ENCRYPTION not in archive:
        return
    references = tree(archive.read(_ENCRYPTION), _ENCRYPTION).iter("{*}CipherReference")
    encrypted = {resolved("", one.get("URI", "")) for one in references}
    if encrypted & set(book.spine):
        raise ProtectedError("its text is encrypted for the reading program of the shop.")


def _chapter(draft: Draft, file: str, page: bytes, path: Path | None) -> None:
    """Take a file of a book; one that the table of contents does not name goes on with the last."""
    shown = html.shown(_SHORT.sub(rb"<\1\2></\1>", page))
    parts = list(html.parts(shown))
    if path is not None:
        own = (text for text, level in parts if level)
        above = path[:-1] if any(same(text, path[-1]) for text in own) else path
        for depth, name in enumerate(above or ("",)):
            draft.outline.enter(_ABOVE + depth, name)
    draft.flaws += (f"{file}: {flaw}" for flaw in shown.flaws)
    for link in dict.fromkeys(_IMAGE.findall(page)):
        part = resolved(file, link.decode("utf-8", errors="replace"))
        if not part.endswith(".svg"):
            draft.figure(part, Place())
    number = 0
    for text, level in parts:
        for paragraph in paragraphs(text):
            number += 1
            place = Place(part=file, paragraph=number)
            if level:
                heading = " ".join(paragraph.text.split())
                draft.outline.heading(level, heading, paragraph.text.strip(), place)
            else:
                draft.outline.body(paragraph.text, place)
