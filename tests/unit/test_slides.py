"""PPTX and ODP to blocks: slides under their titles, with tables, charts, notes, pictures."""

import io
from typing import Any

from odfdo import Document as Open
from odfdo import DrawPage, Element, Frame
from PIL import Image
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.util import Inches

from memory.documents import located
from memory.places import Place
from tools.reading import opendocument, slides
from tools.reading.base import Reading
from tools.reading.testing import ScriptedSight, document_read, perception, said

INCH = Inches(1)


def saved(document: Any) -> bytes:
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


async def read(presentation: Any, sight: ScriptedSight | None = None) -> Reading:
    return await slides.read(saved(presentation), "talk.pptx", "x/pptx", perception(sight))


def talk() -> Any:
    presentation = Presentation()
    first = presentation.slides.add_slide(presentation.slide_layouts[1])
    first.shapes.title.text = "Umsatz 2026"
    first.placeholders[1].text = "Köln: 12\nBonn: 7"
    first.notes_slide.notes_text_frame.text = "Nicht vorlesen!"
    second = presentation.slides.add_slide(presentation.slide_layouts[6])
    second.shapes.add_textbox(INCH, INCH, INCH, INCH).text_frame.text = "Ohne Titel"
    return presentation


async def test_a_slide_is_a_page_under_its_title_and_notes_follow_it() -> None:
    reading = await read(talk())
    assert said(reading) == [
        ("Umsatz 2026", 'page 1, "Umsatz 2026"'),
        ("Köln: 12\nBonn: 7", 'page 1, "Umsatz 2026"'),
        ("Nicht vorlesen!", 'page 1, "Umsatz 2026 > notes"'),
        ("Ohne Titel", "page 2"),
    ]
    assert (reading.kind, reading.title) == ("slides", "Umsatz 2026")


async def test_a_quotation_from_slides_opens_at_its_slide() -> None:
    document = document_read(await read(talk()))
    chunk = next(chunk for chunk in document.chunks if "Bonn" in chunk.text)
    at = chunk.text.index("Bonn")
    assert located(chunk, at, at + 4) == Place(page=1, heading=("Umsatz 2026",))
    assert document.language == "de"


async def test_tables_groups_and_charts_are_read() -> None:
    presentation = talk()
    shapes = presentation.slides[1].shapes
    table = shapes.add_table(2, 2, INCH, INCH, INCH, INCH).table
    for row, texts in enumerate((("Teil", "Preis"), ("Filter", "12 €"))):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    inner = shapes.add_group_shape().shapes.add_group_shape()
    inner.shapes.add_textbox(INCH, INCH, INCH, INCH).text_frame.text = "In der Gruppe"
    data: Any = CategoryChartData()  # type: ignore[no-untyped-call]
    data.categories = ["Q1", "Q2"]
    data.add_series("Netto", (1.5, 2))
    shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, INCH, INCH, INCH, INCH, data)
    found = [text for text, place in said(await read(presentation)) if place == "page 2"]
    assert found == [
        "Ohne Titel",
        "Teil | Preis",
        "Teil: Filter; Preis: 12 €",
        "In der Gruppe",
        "Netto: Q1: 1.5; Q2: 2",
    ]


async def test_hidden_slides_are_read_and_slides_that_are_missing_are_named() -> None:
    presentation = talk()
    presentation.slides[1]._element.set("show", "0")
    listed = presentation.slides._sldIdLst
    presentation.part.drop_rel(listed[0].rId)
    reading = await read(presentation)
    assert said(reading) == [("Ohne Titel", "page 2")]
    assert reading.flaws == ("slide 1 is missing in the file",)


async def test_comments_on_slides_are_read() -> None:
    presentation = talk()
    part = presentation.slides[1].part
    data = (
        b'<p:cmLst xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main">'
        b"<p:cm><p:text>Welche Zahlen?</p:text></p:cm></p:cmLst>"
    )
    kind = "application/vnd.openxmlformats-officedocument.presentationml.comments+xml"
    comments = Part(PackURI("/ppt/comments/comment1.xml"), kind, part.package, data)
    part.relate_to(
        comments, "http://schemas.openxmlformats.org/officeDocument/2006/relationships/comments"
    )
    assert said(await read(presentation))[-1] == ("Welche Zahlen?", 'page 2, "comment"')


async def test_a_picture_on_a_slide_is_seen_there() -> None:
    presentation = talk()
    file = io.BytesIO()
    Image.new("RGB", (120, 80), "white").save(file, "PNG")
    for slide in presentation.slides:
        slide.shapes.add_picture(file, INCH, INCH)
    sight = ScriptedSight(("Total", 1, 2, 3, 4))
    reading = await read(presentation, sight)
    assert len(sight.shown) == 1
    seen = next(block for block in reading.blocks if block.text == "Total")
    assert (seen.place.page, seen.place.part) == (1, "ppt/media/image1.png")
    assert seen.place.heading == ("Umsatz 2026",)


NOTES = (
    "<presentation:notes><draw:frame><draw:text-box><text:p>Nicht vorlesen!</text:p>"
    "</draw:text-box></draw:frame></presentation:notes>"
)


async def test_an_open_presentation_is_read_like_any_other() -> None:
    document = Open("presentation")
    document.body.clear()
    for title, text in (("Umsatz", "Köln: 12"), ("Ausblick", "Mehr")):
        page = DrawPage(title, title)
        head = Frame.text_frame(title)
        head.set_attribute("presentation:class", "title")
        page.append(Frame.text_frame(text))
        page.append(head)
        if title == "Umsatz":
            page.append(Element.from_tag(NOTES))
        document.body.append(page)
    data = saved(document)
    reading = await opendocument.read(data, "t.odp", "x/odp", perception(), kind="slides")
    assert said(reading) == [
        ("Umsatz", 'page 1, "Umsatz"'),
        ("Köln: 12", 'page 1, "Umsatz"'),
        ("Nicht vorlesen!", 'page 1, "Umsatz > notes"'),
        ("Ausblick", 'page 2, "Ausblick"'),
        ("Mehr", 'page 2, "Ausblick"'),
    ]
    assert (reading.kind, reading.title) == ("slides", "Umsatz")
