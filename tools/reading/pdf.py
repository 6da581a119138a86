"""PDF: the text of each page; pages that are pictures are read by sight."""

import asyncio
import re
from dataclasses import dataclass, field

from memory.labels import Label, Origin
from memory.places import Place
from tools.reading import layout, picture
from tools.reading.base import UNREAD, Block, Reading, SenseFailedError
from tools.reading.book import POINTS_PER_INCH, Book
from tools.reading.outline import Outline
from tools.reading.perception import Perception

READER = "pdf/1"
LABEL = Label(origins=frozenset({Origin.DOCUMENT}))

SCARCE_LETTERS = 32
"""A page with fewer letters than this is looked at as well: it may be a scan."""

SCAN_DPI = 200

_UNTITLED = re.compile(
    r"(untitled|microsoft word\b.*|.*\.(docx?|indd|tex|dvi|pdf|qxd|odt))?", re.IGNORECASE
)


@dataclass(kw_only=True, slots=True)
class Pages:
    """What was read of a book so far."""

    sheets: list[layout.Sheet] = field(default_factory=list)
    scanned: dict[int, tuple[Block, ...]] = field(default_factory=dict)
    """By page, what sight made of those with scarce text."""
    flaws: list[str] = field(default_factory=list)
    readers: set[str] = field(default_factory=set)
    """What looked at pages, besides PDFium."""


async def read(data: bytes, name: str, media_type: str, perception: Perception) -> Reading:
    """Return the paragraphs of all pages that can be read. Raises `UnreadableError` for none."""
    book = await asyncio.to_thread(Book, data, name)
    try:
        pages = await asyncio.to_thread(_printed, book)
        for sheet in pages.sheets:
            if _letters(sheet) < SCARCE_LETTERS:
                await _look(book, sheet, pages, perception)
    finally:
        await asyncio.to_thread(book.close)
    outline = await asyncio.to_thread(_outlined, pages)
    blocks = outline.closed()
    return Reading(
        title=outline.title or name if _UNTITLED.fullmatch(book.title) else book.title,
        kind="pdf",
        media_type=media_type,
        blocks=blocks,
        label=LABEL,
        reader=" + ".join((READER, *sorted(pages.readers))),
        flaws=tuple(pages.flaws),
    )


def _printed(book: Book) -> Pages:
    pages = Pages(flaws=list(book.flaws))
    for number in range(1, book.pages + 1):
        sheet = book.sheet(number)
        if sheet is None:
            pages.flaws.append(f"page {number} is broken and could not be read")
        else:
            pages.sheets.append(sheet)
    return pages


def _letters(sheet: layout.Sheet) -> int:
    return sum(letter.isalnum() for line in sheet.lines for letter in line.text)


async def _look(book: Book, sheet: layout.Sheet, pages: Pages, perception: Perception) -> None:
    """Read a page by sight; what sight finds replaces the text if it is more."""
    image = await asyncio.to_thread(book.image, sheet.number, SCAN_DPI)
    if image is None:
        return
    try:
        sighting = await perception.look(image)
    except SenseFailedError as error:
        pages.flaws.append(f"page {sheet.number}: {error}")
        pages.readers.add(UNREAD)
        return
    pages.readers.add(perception.picture_reader)
    pages.flaws += (f"page {sheet.number}: {flaw}" for flaw in sighting.flaws)
    label = LABEL.join(picture.LABEL)
    # The page may have been rendered coarser than was asked for.
    scale = sheet.height / sighting.height if sighting.height else POINTS_PER_INCH / SCAN_DPI
    blocks = tuple(picture.blocks_of(sighting, Place(page=sheet.number), label, scale))
    if sum(map(str.isalnum, "".join(block.text for block in blocks))) > _letters(sheet):
        pages.scanned[sheet.number] = blocks


def _outlined(pages: Pages) -> Outline:
    outline = Outline(label=LABEL)
    look = layout.style(pages.sheets)
    for sheet in layout.without_running_titles(pages.sheets):
        if sheet.number in pages.scanned:
            for block in pages.scanned[sheet.number]:
                outline.block(block)
            continue
        place = Place(page=sheet.number)
        for passage in layout.passages(sheet, look):
            if passage.level:
                outline.heading(passage.level, passage.text, passage.text, place)
            else:
                outline.body(passage.text, place)
    return outline
