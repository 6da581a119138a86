"""Documents through the one door: told by what is in them, and broken in any way but ours."""

import io
import random
import zipfile
from functools import cache
from typing import Any

import pytest
from docx import Document
from hypothesis import given, settings
from hypothesis import strategies as st
from odfdo import Document as Open
from odfdo import Paragraph, Table
from openpyxl import Workbook
from PIL import Image
from pptx import Presentation

from tools.content import Kind, detect
from tools.reading.base import UnreadableError
from tools.reading.reader import READABLE, ContentReader
from tools.reading.testing import perception

WORDS = "The filter is changed every March, and the pump is checked with it."


def saved(document: Any) -> bytes:
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def word() -> bytes:
    document = Document()
    document.add_heading("Care", 1)
    document.add_paragraph(WORDS)
    document.add_table(rows=1, cols=2).cell(0, 0).text = "Seal"
    document.add_comment(document.paragraphs[1].runs, text="Really?", author="Anna")
    picture = io.BytesIO()
    Image.new("RGB", (40, 40), "white").save(picture, "PNG")
    document.add_picture(picture)
    return saved(document)


def slides() -> bytes:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = "Care", WORDS
    slide.notes_slide.notes_text_frame.text = "Smile."
    return saved(presentation)


def sheet() -> bytes:
    workbook = Workbook()
    for row in (("Part", "Price"), (WORDS, 12), ("Seal", 3.5)):
        workbook.worksheets[0].append(row)
    return saved(workbook)


def open_document(kind: str) -> bytes:
    document = Open(kind)
    if kind == "text":
        document.body.append(Paragraph(WORDS))
    elif kind == "spreadsheet":
        table = Table("A")
        table.set_value("A1", WORDS)
        document.body.append(table)
    return saved(document)


def book() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", '<c><rootfile full-path="b.opf"/></c>')
        archive.writestr(
            "b.opf",
            "<package><manifest><item id='a' href='a.html' media-type='text/html'/></manifest>"
            "<spine><itemref idref='a'/></spine></package>",
        )
        archive.writestr("a.html", f"<html><body><p>{WORDS}</p></body></html>")
    return file.getvalue()


def calendar() -> bytes:
    lines = (
        "BEGIN:VCALENDAR",
        "BEGIN:VEVENT",
        "DTSTART;TZID=Europe/Berlin:20260301T100000",
        "RRULE:FREQ=WEEKLY;BYDAY=MO",
        f"SUMMARY:{WORDS}",
        "ATTENDEE;CN=Bob:mailto:bob@x.example",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    )
    return "\r\n".join(lines).encode()


def contacts() -> bytes:
    lines = ("BEGIN:VCARD", "VERSION:3.0", "FN:Anna", f"NOTE:{WORDS}", "TEL:1", "END:VCARD", "")
    return "\r\n".join(lines).encode()


KINDS = {
    "docx": (word, "document", "wordprocessingml.document"),
    "pptx": (slides, "slides", "presentationml.presentation"),
    "xlsx": (sheet, "sheet", "spreadsheetml.sheet"),
    "odt": (lambda: open_document("text"), "document", "opendocument.text"),
    "ods": (lambda: open_document("spreadsheet"), "sheet", "opendocument.spreadsheet"),
    "odp": (lambda: open_document("presentation"), "slides", "opendocument.presentation"),
    "epub": (book, "book", "epub+zip"),
    "ics": (calendar, "calendar", "text/calendar"),
    "vcf": (contacts, "contacts", "text/vcard"),
}


@cache
def file_of(form: str) -> bytes:
    return KINDS[form][0]()


@pytest.fixture(scope="module")
def reader() -> ContentReader:
    return ContentReader(perception())


@pytest.mark.parametrize("form", KINDS)
@pytest.mark.parametrize("name", ["right", "lying.zip", "lying.txt", "lying.doc"])
async def test_a_document_is_read_by_its_content_whatever_its_name(
    reader: ContentReader, form: str, name: str
) -> None:
    _, kind, media_type = KINDS[form]
    content = detect(file_of(form))
    assert (content.kind.value, content.media_type.endswith(media_type)) == (kind, True)
    reading = await reader.read(file_of(form), name)
    assert reading.kind == kind
    assert reader.current(reading.reader)
    assert form == "odp" or any(WORDS in block.text for block in reading.blocks)


@pytest.mark.parametrize("form", ["docx", "xlsx", "odt", "epub", "ics", "vcf"])
def test_every_form_that_is_read_is_among_those_that_are_said_to_be(form: str) -> None:
    said = {"ics": "calendars", "vcf": "contacts"}.get(form, form.upper())
    assert said in READABLE


@pytest.mark.parametrize("form", [form for form in KINDS if form not in {"ics", "vcf"}])
async def test_a_document_that_was_cut_off_says_so(reader: ContentReader, form: str) -> None:
    data = file_of(form)
    with pytest.raises(UnreadableError, match=r"^cut is .*(cut off|archive)"):
        await reader.read(data[: len(data) // 2], "cut")


@pytest.mark.parametrize("form", ["docx", "pptx", "xlsx", "odt", "ods"])
def test_an_office_file_that_was_cut_off_is_still_told(form: str) -> None:
    data = file_of(form)
    assert detect(data[: len(data) * 9 // 10]).kind.value == KINDS[form][1]


@pytest.mark.parametrize("form", KINDS)
async def test_a_document_cut_off_anywhere_is_read_or_named(
    reader: ContentReader, form: str
) -> None:
    data = file_of(form)
    for end in range(1, len(data), max(len(data) // 40, 1)):
        await named_or_read(reader, data[:end])


@settings(max_examples=60, deadline=None)
@given(form=st.sampled_from(sorted(KINDS)), seed=st.integers(0, 2**32))
async def test_a_document_with_flipped_bits_is_read_or_named(form: str, seed: int) -> None:
    data = bytearray(file_of(form))
    dice = random.Random(seed)
    for _ in range(dice.choice((1, 3, 30))):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    await named_or_read(ContentReader(perception()), bytes(data))


@settings(max_examples=60, deadline=None)
@given(form=st.sampled_from(["docx", "pptx", "xlsx", "odt", "ods", "epub"]), seed=st.integers())
async def test_a_document_whose_texts_are_garbled_is_read_or_named(form: str, seed: int) -> None:
    dice = random.Random(seed)
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(file_of(form))) as old,
        zipfile.ZipFile(file, "w") as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            if dice.random() < 0.3 and len(data) > 1:
                data = garbled(data, dice)
            new.writestr(name, data)
    await named_or_read(ContentReader(perception()), file.getvalue())


def garbled(data: bytes, dice: random.Random) -> bytes:
    """Cut a stretch out, put one in twice, or change what is said in an attribute."""
    start, end = sorted(dice.randrange(len(data)) for _ in range(2))
    match dice.randrange(3):
        case 0:
            return data[:start] + data[end:]
        case 1:
            return data[:end] + data[start:]
        case _:
            return data.replace(b'"1"', b'"-7"').replace(b"rId1", b"rIdX").replace(b"/xl", b"/xy")


async def named_or_read(reader: ContentReader, data: bytes) -> None:
    try:
        reading = await reader.read(data, "broken")
    except UnreadableError:
        return
    assert not any("\0" in block.text for block in reading.blocks)


def test_an_archive_of_files_is_none_of_them() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("letter.docx", file_of("docx"))
        archive.writestr("content.xml", "<a/>")
    assert detect(file.getvalue()).kind is Kind.ARCHIVE


def test_a_text_that_speaks_of_calendars_is_a_text() -> None:
    assert detect(b"A calendar begins with\nBEGIN:VCALENDAR\n").kind is Kind.TEXT
    assert detect("\ufeffBEGIN:VCARD\r\nFN:x\r\nEND:VCARD\r\n".encode()).kind is Kind.CONTACTS
