"""Files made to hurt: each costs itself, says why in words, and takes no minutes."""

import io
import struct
import time
import zipfile
from collections.abc import Callable

import pytest
from docx import Document
from openpyxl import Workbook
from pptx import Presentation

from tools.reading.base import Reading, UnreadableError
from tools.reading.reader import ContentReader
from tools.reading.testing import perception

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
MANY = 2_000_000

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def word() -> bytes:
    file = io.BytesIO()
    document = Document()
    document.add_paragraph("needle")
    document.save(file)
    return file.getvalue()


def slides() -> bytes:
    file = io.BytesIO()
    presentation = Presentation()
    presentation.slides.add_slide(presentation.slide_layouts[5]).shapes.title.text = "needle"
    presentation.save(file)
    return file.getvalue()


def sheet() -> bytes:
    file = io.BytesIO()
    workbook = Workbook()
    workbook.worksheets[0]["A1"] = "needle"
    workbook.save(file)
    return file.getvalue()


def open_document(body: str, kind: str = "text", head: str = "") -> bytes:
    names = "office text table draw".split()
    spaces = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:'
        f'{name if name != "draw" else "drawing"}:1.0"'
        for name in names
    )
    root = "office:document-content"
    return packed(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": f"{head}<{root}{spaces}><office:body>{body}</office:body></{root}>",
        }
    )


def book(chapter: str = "<p>needle</p>", **more: str) -> bytes:
    return packed(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container><rootfile full-path="b.opf"/></container>',
            "b.opf": "<package><manifest><item id='a' href='a.xhtml' "
            "media-type='application/xhtml+xml'/></manifest>"
            "<spine><itemref idref='a'/></spine></package>",
            "a.xhtml": f"<html><body>{chapter}</body></html>",
            **more,
        }
    )


def packed(files: dict[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


Part = str | bytes | Callable[[bytes], bytes]


def changed(data: bytes, parts: dict[str, Part]) -> bytes:
    """Return an archive with some files changed or added."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    files: dict[str, str | bytes] = {**held}
    for name, part in parts.items():
        files[name] = part(held[name]) if callable(part) else part
    return packed(files)


def text(inside: str, head: str = "") -> str:
    return f'{head}<w:document xmlns:w="{W}"><w:body>{inside}</w:body></w:document>'


def cells(inside: str, head: str = "") -> str:
    return f'{head}<worksheet xmlns="{S}">{inside}</worksheet>'


def overlapping() -> bytes:
    """Point ten thousand entries at the same bytes."""
    data = changed(word(), {"word/document.xml": text("<w:p/>" * 10)})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos, at = archive.infolist(), archive.start_dir
    entries = [zipfile.ZipInfo(f"word/{number}.xml") for number in range(9_000)]
    kernel = next(one for one in infos if one.filename == "word/document.xml")
    directory = data[at:-22]
    for entry in entries:
        name = entry.filename.encode()
        fields = (kernel.CRC, kernel.compress_size, kernel.file_size, len(name), 0, 0, 0, 0, 0)
        directory += (
            struct.pack(
                "<4s4B4HL2L5H2L", b"PK\1\2", 20, 0, 20, 0, 0, 8, 0, 0, *fields, kernel.header_offset
            )
            + name
        )
    count = len(infos) + len(entries)
    end = struct.pack(
        "<4s4H2LH", b"PK\5\6", 0, 0, count & 0xFFFF, count & 0xFFFF, len(directory), at, 0
    )
    return data[:at] + directory + end


def long_directory() -> bytes:
    return packed({"word/document.xml": "", **{f"{n:0100}": "" for n in range(60_000)}})


def encrypted() -> bytes:
    data = bytearray(word())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(signature, at + 4)
    return bytes(data)


def compound(stream: str) -> bytes:
    return (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + stream.encode("utf-16-le") + bytes(1024)
    )


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "a text of zeros": (lambda: changed(word(), {"word/document.xml": bytes(100 * 2**20)}), "bomb"),
    "a picture of zeros in slides": (
        lambda: changed(slides(), {"ppt/slides/slide1.xml": bytes(100 * 2**20)}),
        "bomb",
    ),
    "a sheet of zeros": (
        lambda: changed(sheet(), {"xl/worksheets/sheet1.xml": bytes(100 * 2**20)}),
        "bomb",
    ),
    "a chapter of zeros": (lambda: book("x" * 100 * 2**20), "unpacks to more than"),
    "a million elements": (
        lambda: changed(word(), {"word/document.xml": text("<w:p/>" * 2 * MANY)}),
        "marks|bomb",
    ),
    "entries that lie over each other": (overlapping, "lie over each other"),
    "a list of sixty thousand files": (long_directory, "list of files"),
    "ten thousand files": (
        lambda: packed({"word/document.xml": "", **{str(n): "" for n in range(10_001)}}),
        "10002 files",
    ),
    "laughs in a text": (
        lambda: changed(word(), {"word/document.xml": text("&i;", LAUGHS)}),
        "document type",
    ),
    "laughs in a slide": (
        lambda: changed(slides(), {"ppt/slides/slide1.xml": LAUGHS + "<a>&i;</a>"}),
        "document type",
    ),
    "laughs in styles of a sheet": (
        lambda: changed(sheet(), {"xl/styles.xml": LAUGHS + "<a>&i;</a>"}),
        "document type",
    ),
    "laughs in OpenDocument": (
        lambda: open_document("<office:text><text:p>&i;</text:p></office:text>", head=LAUGHS),
        "entities",
    ),
    "an outside entity in OpenDocument": (
        lambda: open_document("<office:text><text:p>&a;</text:p></office:text>", head=OUTSIDE),
        "entities",
    ),
    "a text nested deeply": (
        lambda: changed(
            word(), {"word/document.xml": text("<w:sdt><w:sdtContent>" * 50_000 + "<w:p/>")}
        ),
        "broken|Excessive depth",
    ),
    "OpenDocument nested deeply": (
        lambda: open_document("<office:text>" + "<text:section>" * 100_000),
        "broken|Excessive depth",
    ),
    "a row of ten million cells": (
        lambda: changed(
            sheet(),
            {
                "xl/worksheets/sheet1.xml": cells(
                    f"<sheetData><row>{'<c/>' * 3 * MANY}</row></sheetData>"
                )
            },
        ),
        "marks|bomb",
    ),
    "a million styles": (
        lambda: changed(
            sheet(),
            {
                "xl/styles.xml": f'<styleSheet xmlns="{S}"><cellXfs>'
                f"{'<xf/>' * MANY}</cellXfs></styleSheet>"
            },
        ),
        "marks",
    ),
    "a locked office file": (lambda: compound("EncryptedPackage"), "password"),
    "a locked archive": (encrypted, "password"),
    "Word before 2007": (lambda: compound("WordDocument"), "save it in a format of today"),
    "Excel before 2007": (lambda: compound("Workbook"), "save it in a format of today"),
    "PowerPoint before 2007": (
        lambda: compound("PowerPoint Document"),
        "save it in a format of today",
    ),
    "locked OpenDocument": (
        lambda: changed(
            open_document("<office:text/>"),
            {"META-INF/manifest.xml": "<m><file-entry><encryption-data/></file-entry></m>"},
        ),
        "password",
    ),
    "a locked book": (
        lambda: book(
            **{
                "META-INF/encryption.xml": "<encryption><EncryptedData><CipherData>"
                '<CipherReference URI="a.xhtml"/></CipherData></EncryptedData></encryption>'
            }
        ),
        "encrypted",
    ),
    "a book of nothing": (lambda: packed({"mimetype": "application/epub+zip"}), "made of"),
    "a calendar of nothing": (lambda: b"BEGIN:VCALENDAR\r\n", "without anything to read"),
    "a card of nothing": (lambda: b"BEGIN:VCARD\r\nEND:VCARD\r\n", "without anything to read"),
}

READ: dict[str, Callable[[], bytes]] = {
    "a used range of all that there may be": lambda: changed(
        sheet(),
        {
            "xl/worksheets/sheet1.xml": cells(
                '<dimension ref="A1:XFD1048576"/><sheetData>'
                '<row r="1"><c r="A1" t="inlineStr"><is><t>needle</t></is></c></row>'
                '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
            )
        },
    ),
    "hundreds of thousands of empty rows": lambda: changed(
        sheet(),
        {
            "xl/worksheets/sheet1.xml": cells(
                "<sheetData>"
                + "".join(f'<row r="{n}" s="1" customFormat="1"/>' for n in range(1, 300_001))
                + '<row><c t="inlineStr"><is><t>needle</t></is></c></row></sheetData>'
            )
        },
    ),
    "a cell that fills its row and a row that fills its sheet": lambda: open_document(
        '<office:spreadsheet><table:table table:name="A">'
        '<table:table-row table:number-rows-repeated="1048576">'
        '<table:table-cell table:number-columns-repeated="16384" office:value-type="string">'
        "<text:p>needle</text:p></table:table-cell></table:table-row></table:table>"
        "</office:spreadsheet>",
        "spreadsheet",
    ),
    "a thousand million blanks": lambda: open_document(
        '<office:text><text:p>needle<text:s text:c="999999999"/></text:p></office:text>'
    ),
    "a book that lists a chapter a million times": lambda: changed(
        book(),
        {
            "b.opf": "<package><manifest><item id='a' href='a.xhtml' "
            "media-type='application/xhtml+xml'/></manifest><spine>"
            + "<itemref idref='a'/>" * 500_000
            + "</spine></package>"
        },
    ),
    "a chapter nested deeply": lambda: book("<div>" * 20_000 + "needle"),
    "a style that is based on itself": lambda: changed(
        word(),
        {
            "word/styles.xml": f'<w:styles xmlns:w="{W}"><w:style w:styleId="a"><w:name w:val="x"/>'
            '<w:basedOn w:val="a"/></w:style></w:styles>',
            "word/document.xml": text(
                '<w:p><w:pPr><w:pStyle w:val="a"/></w:pPr><w:r><w:t>needle</w:t></w:r></w:p>'
            ),
        },
    ),
    "a relationship to nowhere": lambda: changed(
        word(),
        {
            "word/_rels/document.xml.rels": lambda rels: rels.replace(
                b"</Relationships>",
                b'<Relationship Id="rId99" Type="http://x/image" Target="NULL"/></Relationships>',
            )
        },
    ),
    "an event longer than a book": lambda: (
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:needle\r\nDESCRIPTION:"
        + b"x" * 20_000_000
        + b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    ),
    "an event that has no end": lambda: b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:needle\r\n",
    "cards within cards": lambda: b"BEGIN:VCARD\r\nFN:needle\r\n" * 2_000,
}


@pytest.fixture
def reader() -> ContentReader:
    return ContentReader(perception())


async def read(reader: ContentReader, data: bytes, name: str) -> Reading:
    began = time.process_time()
    try:
        return await reader.read(data, name)
    finally:
        assert time.process_time() - began < 5


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_made_to_hurt_is_refused_in_words(reader: ContentReader, what: str) -> None:
    build, words = REFUSED[what]
    with pytest.raises(UnreadableError, match=words) as refusal:
        await read(reader, build(), "hostile.docx")
    assert str(refusal.value).startswith("hostile.docx ")
    assert len(str(refusal.value)) < 500


@pytest.mark.parametrize("what", READ)
async def test_what_claims_to_be_endless_is_read_as_far_as_it_goes(
    reader: ContentReader, what: str
) -> None:
    reading = await read(reader, READ[what](), "hostile")
    assert "needle" in reading.blocks[0].text
    assert sum(len(block.text) for block in reading.blocks) < 2_000_000
