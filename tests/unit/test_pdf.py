"""PDF to blocks, by PDFium; scanned pages by sight."""

import resource
import time
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from memory.labels import Origin
from memory.places import Box
from tools.reading import pdf
from tools.reading.base import Reading, UnreadableError
from tools.reading.testing import OpenResidency, ScriptedSight, perception
from tools.senses.base import Sense

DATA = Path(__file__).parents[1] / "data"

Words = Sequence[tuple[str, float, float, float]]
"""Each (text, x, y, size), from the lower left corner."""


def drawn(words: Words) -> bytes:
    def escaped(text: str) -> bytes:
        return (
            text.encode("cp1252")
            .replace(b"\\", b"\\\\")
            .replace(b"(", b"\\(")
            .replace(b")", b"\\)")
        )

    return b"".join(
        b"BT /F1 %.1f Tf %.1f %.1f Td (%s) Tj ET\n" % (size, x, y, escaped(text))
        for text, x, y, size in words
    )


def picture() -> bytes:
    data = BytesIO()
    Image.new("RGB", (120, 80), "white").save(data, "JPEG")
    return data.getvalue()


def pdf_of(pages: Sequence[Words | None], title: str = "") -> bytes:
    """Write a PDF by hand; a page of None is a picture of 300 by 200 points."""
    jpeg = picture()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>"
        % (len(pages), b" ".join(b"%d 0 R" % (6 + 2 * n) for n in range(len(pages)))),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        b"<</Type/XObject/Subtype/Image/Width 120/Height 80/ColorSpace/DeviceRGB"
        b"/BitsPerComponent 8/Filter/DCTDecode/Length %d>>stream\n%s\nendstream"
        % (len(jpeg), jpeg),
        b"<</Title(%s)>>" % title.encode(),
    ]
    for number, words in enumerate(pages):
        content = b"q 300 0 0 200 0 0 cm /I1 Do Q" if words is None else drawn(words)
        box = b"300 200" if words is None else b"595 842"
        objects += [
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %s]/Contents %d 0 R"
            b"/Resources<</Font<</F1 3 0 R>>/XObject<</I1 4 0 R>>>>>>" % (box, 7 + 2 * number),
            b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        ]
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R/Info 5 0 R>>\n"
        b"startxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table, len(objects) + 1, len(out))
    )


async def read(data: bytes, sight: ScriptedSight | None = None) -> Reading:
    return await pdf.read(data, "book.pdf", "application/pdf", perception(sight))


PAGE: Words = [
    ("The warranty of the pump is valid for twenty-four months from the", 70, 700, 11),
    ("date of delivery. Seals are excluded.", 70, 685, 11),
    ("Grüße aus Köln, ein weiterer Absatz.", 70, 650, 11),
]


async def test_lines_become_paragraphs_of_their_page() -> None:
    reading = await read(pdf_of([PAGE], title="Pump book"))
    assert reading.title == "Pump book"
    assert [(block.text, block.place.page) for block in reading.blocks] == [
        (
            "The warranty of the pump is valid for twenty-four months from the date of delivery. "
            "Seals are excluded.",
            1,
        ),
        ("Grüße aus Köln, ein weiterer Absatz.", 1),
    ]


async def test_larger_type_is_a_heading() -> None:
    first = [("9 Warranty", 70, 760, 20), ("9.1 Pump", 70, 730, 14), *PAGE]
    reading = await read(pdf_of([first, PAGE], title="untitled"))
    assert reading.title == "9 Warranty"
    assert {block.place.heading for block in reading.blocks} == {("9 Warranty", "9.1 Pump")}
    assert [block.place.page for block in reading.blocks] == [1, 1, 1, 1, 2, 2]


async def test_rows_of_a_table_stay_apart() -> None:
    rows = [
        (text, x, 600 - 14 * row, 11)
        for row, pair in enumerate([("Fuse", "10 A, slow"), ("Power input of it", "0.8 kW")])
        for text, x in zip(pair, (70, 300), strict=True)
    ]
    reading = await read(pdf_of([[*PAGE, *rows]]))
    assert [block.text for block in reading.blocks][-2:] == [
        "Fuse 10 A, slow",
        "Power input of it 0.8 kW",
    ]


async def test_running_titles_are_read_once() -> None:
    pages = [
        [("Handbook of the pump", 70, 810, 8), *PAGE, (f"Page {n}", 70, 30, 8)] for n in range(9)
    ]
    reading = await read(pdf_of(pages))
    texts = [block.text for block in reading.blocks]
    assert texts.count("Handbook of the pump") == 1
    assert sum(text.startswith("Page") for text in texts) == 1
    assert sum(text.startswith("The warranty") for text in texts) == 9


async def test_a_page_that_is_a_picture_is_read_by_sight() -> None:
    residency = OpenResidency()
    sight = ScriptedSight(
        ("Weight in all, with the box of it", 100, 100, 400, 130), ("38.5 kg", 500, 100, 600, 130)
    )
    reading = await pdf.read(
        pdf_of([PAGE, None]), "scan.pdf", "application/pdf", perception(sight, None, residency)
    )
    scanned = reading.blocks[-1]
    assert scanned.text == "Weight in all, with the box of it 38.5 kg"
    assert scanned.place.page == 2
    # 200 dots of the picture are an inch of the page, which has 72 points.
    assert scanned.place.box == Box(left=36, top=36, right=215.8, bottom=46.8)
    assert scanned.label.origins == {Origin.DOCUMENT, Origin.PICTURE}
    assert reading.reader == "pdf/1 + picture/1 scripted sight"
    assert [lent.sense for lent in residency.lent] == [Sense.SIGHT]
    assert sight.shown == [(556, 834)]
    assert residency.lent[0].pixels == 556 * 834


async def test_sight_that_sees_less_than_the_text_is_not_believed() -> None:
    reading = await read(pdf_of([[("Short page.", 70, 700, 11)]]), ScriptedSight(("x", 0, 0, 9, 9)))
    assert [block.text for block in reading.blocks] == ["Short page."]
    assert reading.blocks[0].place.box is None


async def test_an_empty_page_is_not_looked_at() -> None:
    sight = ScriptedSight(("ghost", 0, 0, 9, 9))
    await read(pdf_of([PAGE, []]), sight)
    assert sight.shown == []


async def test_a_password_is_named_with_what_to_do() -> None:
    with pytest.raises(
        UnreadableError, match=r"book\.pdf is protected by a password\. Save a copy"
    ):
        await read((DATA / "locked.pdf").read_bytes())


async def test_a_file_that_is_no_pdf_is_called_broken() -> None:
    with pytest.raises(UnreadableError, match=r"book\.pdf is a broken PDF"):
        await read(b"%PDF-1.7\nnothing of it")


async def test_of_a_broken_pdf_the_whole_pages_are_read() -> None:
    whole = pdf_of([PAGE] * 4)
    # The object of page 3 is made unusable; its text would follow.
    broken = whole.replace(b"10 0 obj\n<</Type/Page/", b"10 0 obj\n<</Type/Rage/")
    reading = await read(broken)
    assert reading.flaws == ("page 3 is broken and could not be read",)
    assert {block.place.page for block in reading.blocks} == {1, 2, 4}


async def test_of_a_pdf_that_was_cut_off_the_pages_before_the_cut_are_read() -> None:
    whole = pdf_of([PAGE] * 4)
    reading = await read(whole[: whole.index(b"12 0 obj")])
    assert {block.place.page for block in reading.blocks} == {1, 2, 3}
    assert reading.flaws[0] == "it is damaged; what could be rebuilt of it was read"


async def test_the_handbook_of_the_demo_is_read_with_its_chapters() -> None:
    handbook = Path(__file__).parents[2] / "deploy" / "demo" / "pack" / "handbook.pdf"
    reading = await read(handbook.read_bytes())
    assert reading.title == "RW 40 Rain Water Unit: Operating and Maintenance Handbook"
    cleaning = next(b for b in reading.blocks if b.text.startswith("The water filter must be"))
    assert cleaning.place.page == 6
    assert cleaning.place.heading[-2:] == ("6 Maintenance", "6.2 Cleaning the water filter")
    rows = [block.text for block in reading.blocks if block.place.page == 3]
    assert "Highest water pressure of the pump 4.8 bar" in rows


async def test_two_hundred_pages_are_read_in_seconds_and_little_memory() -> None:
    lines = [
        ("The pump starts at 2.2 bar and stops at 3.6 bar, as page %d says.", n) for n in range(45)
    ]
    pages = [[(text % page, 70, 780 - 16 * n, 11) for text, n in lines] for page in range(1, 201)]
    data = pdf_of(pages)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    reading = await read(data)
    assert time.monotonic() - began < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024
    assert reading.blocks[-1].place.page == 200
    assert "as page 137 says." in next(b.text for b in reading.blocks if b.place.page == 137)
