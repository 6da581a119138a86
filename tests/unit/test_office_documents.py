"""DOCX and ODT to blocks: text, headings, tables, notes, comments, boxes, pictures."""

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from docx import Document
from docx.document import Document as Word
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from numpy.typing import NDArray
from odfdo import Document as Open
from odfdo import Frame, Header, List, Paragraph, Table
from PIL import Image

from memory.labels import Origin
from memory.places import Place
from tools.reading import opendocument, word
from tools.reading.base import UNREAD, Reading
from tools.reading.drafts import PICTURES
from tools.reading.testing import ScriptedSight, document_read, perception, quoted, said
from tools.senses.base import Sighting
from tools.senses.errors import EngineError


def picture(shade: int = 255) -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (120, 80), (shade, 255, 255)).save(file, "PNG")
    file.seek(0)
    return file


def saved(document: Any) -> bytes:
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


async def read(document: Word, sight: ScriptedSight | None = None) -> Reading:
    return await word.read(saved(document), "notes.docx", "x/docx", perception(sight))


async def read_open(document: Open, sight: ScriptedSight | None = None) -> Reading:
    data = saved(document)
    return await opendocument.read(data, "n.odt", "x/odt", perception(sight), kind="document")


def handbook() -> Word:
    document = Document()
    document.add_heading("Hausbuch", 0)
    document.add_paragraph("")
    document.add_heading("Wasser", 1)
    document.add_heading("Pumpe", 2)
    document.add_paragraph("Der Druck beträgt 2,2 bar.")
    document.add_heading("Heizung", 1)
    document.add_paragraph("Die Heizung läuft im Winter.")
    return document


async def test_paragraphs_of_a_word_document_stand_under_their_headings() -> None:
    reading = await read(handbook())
    assert said(reading) == [
        ("Hausbuch", 'paragraph 1, "Hausbuch > Wasser > Pumpe"'),
        ("Wasser", 'paragraph 3, "Hausbuch > Wasser > Pumpe"'),
        ("Pumpe", 'paragraph 4, "Hausbuch > Wasser > Pumpe"'),
        ("Der Druck beträgt 2,2 bar.", 'paragraph 5, "Hausbuch > Wasser > Pumpe"'),
        ("Heizung", 'paragraph 6, "Hausbuch > Heizung"'),
        ("Die Heizung läuft im Winter.", 'paragraph 7, "Hausbuch > Heizung"'),
    ]
    assert reading.kind == "document"
    assert reading.title == "Hausbuch"
    assert reading.label.origins == {Origin.DOCUMENT}
    assert document_read(reading).language == "de"


async def test_a_quotation_from_a_word_document_opens_at_its_paragraph() -> None:
    place = quoted(await read(handbook()), "läuft im Winter")
    assert place == Place(heading=("Hausbuch", "Heizung"), paragraph=7, last_paragraph=7)


async def test_paragraphs_that_share_a_passage_are_told_apart() -> None:
    document = Document()
    for number in range(1, 9):
        document.add_paragraph(f"Das ist der Absatz mit der Nummer {number}.")
    reading = await read(document)
    assert quoted(reading, "Nummer 6").paragraph == 6
    chunk = document_read(reading).chunks[0]
    assert (chunk.place.paragraph, chunk.place.last_paragraph) == (1, 8)


async def test_a_word_document_says_its_title_its_author_and_when_it_was_changed() -> None:
    document = handbook()
    document.core_properties.title = "Haus & Garten"
    document.core_properties.author = "Zoë Müller"
    document.core_properties.modified = datetime(2026, 2, 1, 9, 30)  # noqa: DTZ001  # as in Word
    reading = await read(document)
    assert (reading.title, reading.author) == ("Haus & Garten", "Zoë Müller")
    assert reading.made_at == datetime(2026, 2, 1, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("title", ["", "Document1", "Word Document", "hausbuch.docx"])
async def test_a_title_that_no_person_gave_is_none(title: str) -> None:
    document = handbook()
    document.core_properties.title = title
    assert (await read(document)).title == "Hausbuch"


async def test_a_table_is_read_row_by_row_and_counts_its_paragraphs() -> None:
    document = Document()
    document.add_paragraph("Teile:")
    table = document.add_table(rows=3, cols=2)
    for row, cells in zip(
        table.rows, (("Teil", "Preis"), ("Filter", "12 €"), ("", "")), strict=True
    ):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    document.add_paragraph("Ende")
    assert said(await read(document)) == [
        ("Teile:", "paragraph 1"),
        ("Teil | Preis", "paragraphs 2-3"),
        ("Filter | 12 €", "paragraphs 4-5"),
        ("Ende", "paragraph 8"),
    ]


async def test_columns_that_a_heading_row_names_are_named_in_each_row() -> None:
    document = Document()
    table = document.add_table(rows=2, cols=3)
    for cell, text in zip(table.rows[0].cells, ("Teil", "Preis", "Seit"), strict=True):
        cell.text = text
    table.rows[0]._tr.get_or_add_trPr().append(parse_xml(f"<w:tblHeader {nsdecls('w')}/>"))
    table.cell(1, 0).merge(table.cell(1, 1)).text = "Filter"
    table.cell(1, 2).text = "März"
    assert [text for text, _ in said(await read(document))] == [
        "Teil | Preis | Seit",
        "Teil: Filter; Seit: März",
    ]


async def test_a_page_that_a_table_lays_out_is_read_as_text() -> None:
    document = Document()
    table = document.add_table(rows=1, cols=2)
    for number in range(7):
        table.cell(0, 0).add_paragraph(f"Links {number}.")
    table.cell(0, 1).add_paragraph("Rechts", style="Heading 1")
    reading = await read(document)
    assert quoted(reading, "Links 3").paragraph == 5
    assert quoted(reading, "Rechts").heading == ("Rechts",)


BOX = """<w:r {w} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"
 xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"
 xmlns:v="urn:schemas-microsoft-com:vml"><mc:AlternateContent><mc:Choice Requires="wps">
 <w:drawing><wps:txbx><w:txbxContent><w:p><w:r><w:t>Im Kasten</w:t></w:r></w:p></w:txbxContent>
 </wps:txbx></w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox><w:txbxContent><w:p><w:r>
 <w:t>Im Kasten</w:t></w:r></w:p></w:txbxContent></v:textbox></w:pict></mc:Fallback>
 </mc:AlternateContent></w:r>"""


async def test_a_text_box_is_read_once_where_it_is_anchored() -> None:
    document = Document()
    document.add_paragraph("Davor")
    document.add_paragraph("Anker")._p.append(parse_xml(BOX.format(w=nsdecls("w"))))
    document.add_paragraph("Danach")
    assert said(await read(document)) == [
        ("Davor", "paragraph 1"),
        ("Anker", "paragraph 2"),
        ("Im Kasten", "paragraph 2"),
        ("Danach", "paragraph 3"),
    ]


NOTES = """<w:footnotes {w}><w:footnote w:id="2"><w:p><w:r><w:t>Gemessen bei 20 °C.</w:t></w:r>
</w:p></w:footnote></w:footnotes>"""


async def test_a_footnote_follows_the_paragraph_that_refers_to_it() -> None:
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part

    document = handbook()
    reference = f'<w:r {nsdecls("w")}><w:footnoteReference w:id="2"/></w:r>'
    document.paragraphs[4]._p.append(parse_xml(reference))
    part = Part(
        PackURI("/word/footnotes.xml"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml",
        NOTES.format(w=nsdecls("w")).encode(),
        document.part.package,
    )
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    document.part.relate_to(part, kind)
    found = said(await read(document))
    at = [text for text, _ in found].index("Gemessen bei 20 °C.")
    assert found[at][1] == found[at - 1][1] == 'paragraph 5, "Hausbuch > Wasser > Pumpe"'


async def test_comments_headers_and_footers_are_kept_apart_from_the_text() -> None:
    document = handbook()
    document.add_comment(document.paragraphs[4].runs, text="Stimmt das?", author="Anna")
    document.sections[0].header.paragraphs[0].text = "Haus 4711"
    document.sections[0].footer.paragraphs[0].text = "vertraulich"
    assert said(await read(document))[-3:] == [
        ("Haus 4711", '"header"'),
        ("vertraulich", '"footer"'),
        ("Anna: Stimmt das?", 'paragraph 5, "Hausbuch > Wasser > Pumpe > comment"'),
    ]


CHANGES = """<w:p {w}><w:r><w:t>Der Preis ist </w:t></w:r>
<w:del><w:r><w:delText>10</w:delText></w:r></w:del><w:ins><w:r><w:t>12</w:t></w:r></w:ins>
<w:r><w:t xml:space="preserve"> Euro</w:t><w:br/><w:t>je</w:t><w:noBreakHyphen/><w:t>Stück</w:t>
<w:instrText>PAGEREF x</w:instrText></w:r></w:p>"""
CONTROL = """<w:sdt {w}><w:sdtPr><w:alias w:val="no"/></w:sdtPr><w:sdtContent>
<w:p><w:r><w:t>Im Feld</w:t></w:r></w:p></w:sdtContent></w:sdt>"""


async def test_a_document_is_read_as_it_stands_after_its_changes() -> None:
    document = Document()
    for xml in (CHANGES, CONTROL):
        document.element.body.insert(0, parse_xml(xml.format(w=nsdecls("w"))))
    assert [text for text, _ in said(await read(document))] == [
        "Im Feld",
        "Der Preis ist 12 Euro\nje-Stück",
    ]


async def test_a_picture_is_seen_where_it_stands() -> None:
    document = handbook()
    document.add_picture(picture())
    document.add_paragraph("Danach")
    reading = await read(document, ScriptedSight(("Total", 1, 2, 3, 4)))
    seen = reading.blocks[-2]
    assert (seen.text, seen.place.part) == ("Total", "word/media/image1.png")
    assert (seen.place.heading, seen.place.paragraph) == (("Hausbuch", "Heizung"), 8)
    assert seen.label.origins == {Origin.DOCUMENT, Origin.PICTURE}
    assert reading.reader == f"{word.READER} + picture/1 scripted sight"
    assert str(quoted(reading, "Total")).startswith(
        "in word/media/image1.png, paragraph 8, box 1,2"
    )


async def test_the_same_picture_is_looked_at_once_and_only_so_many() -> None:
    document = Document()
    for number in range(PICTURES + 5):
        document.add_picture(picture(number))
        document.add_picture(picture(number))
    sight = ScriptedSight()
    reading = await read(document, sight)
    assert len(sight.shown) == PICTURES
    assert reading.flaws == (
        f"5 more pictures were not looked at: {PICTURES} of at most 67108864 bytes in all are",
    )


class FailingSight(ScriptedSight):
    async def read(self, image: NDArray[np.uint8]) -> Sighting:
        raise EngineError("the engine is gone")


async def test_a_picture_that_sight_fails_on_is_a_flaw_and_is_read_again() -> None:
    document = handbook()
    document.add_picture(picture())
    reading = await read(document, FailingSight())
    assert reading.flaws == ("picture word/media/image1.png: the engine is gone",)
    assert UNREAD in reading.reader
    assert len(reading.blocks) == 6


async def test_a_broken_picture_costs_itself() -> None:
    document = handbook()
    document.add_picture(picture())
    data = saved(document)
    at = data.find(b"word/media/image1.png") + 60
    broken = data[:at] + b"\xff" + data[at + 1 :]
    reading = await word.read(broken, "n.docx", "x/docx", perception())
    assert len(reading.blocks) == 6
    assert "word/media/image1.png" in reading.flaws[0]


@pytest.mark.parametrize(
    "main",
    [
        b"application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",
        b"application/vnd.ms-word.document.macroEnabled.main+xml",
        b"application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
    ],
)
async def test_templates_and_documents_with_macros_are_read_too(main: bytes) -> None:
    ours = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(saved(handbook()))) as old,
        zipfile.ZipFile(file, "w") as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(ours, main))
    reading = await word.read(file.getvalue(), "n.docm", "x/docm", perception())
    assert reading.title == "Hausbuch"


def open_handbook() -> Open:
    document = Open("text")
    document.body.clear()
    paragraph = Paragraph("Der Druck beträgt 2,2 bar.")
    paragraph.insert_note(after="Druck", note_id="n1", citation="1", body="Bei 20 °C.")
    paragraph.insert_annotation(after="bar", body="Stimmt das?", creator="Anna")
    points = List(["Erstens prüfen", "Zweitens melden"])
    table = Table("Teile", width=2, height=2)
    table.set_values([["Teil", "Preis"], ["Filter", 12]])
    for element in (Header(1, "Hausbuch"), Header(2, "Pumpe"), paragraph, points, table):
        document.body.append(element)
    return document


async def test_an_open_document_is_read_like_any_other() -> None:
    path = '"Hausbuch > Pumpe'
    assert said(await read_open(open_handbook())) == [
        ("Hausbuch", f'paragraph 1, {path}"'),
        ("Pumpe", f'paragraph 2, {path}"'),
        ("Der Druck beträgt 2,2 bar.", f'paragraph 3, {path}"'),
        ("Bei 20 °C.", f'paragraph 3, {path}"'),
        ("Erstens prüfen", f'paragraph 4, {path}"'),
        ("Zweitens melden", f'paragraph 5, {path}"'),
        ("Teil | Preis", f'paragraphs 6-7, {path}"'),
        ("Filter | 12", f'paragraphs 8-9, {path}"'),
        ("Anna: Stimmt das?", f'paragraph 3, {path} > comment"'),
    ]


async def test_a_quotation_from_an_open_document_opens_at_its_paragraph() -> None:
    place = quoted(await read_open(open_handbook()), "Zweitens")
    assert place == Place(heading=("Hausbuch", "Pumpe"), paragraph=5, last_paragraph=5)


async def test_an_open_document_says_its_title_its_author_and_when_it_was_changed() -> None:
    document = open_handbook()
    document.meta.title = "Haus & Garten"
    document.meta.set_initial_creator("Zoë")
    document.meta.set_modification_date(datetime(2026, 2, 1, 9, 30, tzinfo=UTC))
    reading = await read_open(document)
    assert (reading.title, reading.author) == ("Haus & Garten", "Zoë")
    assert reading.made_at == datetime(2026, 2, 1, 9, 30, tzinfo=UTC)


async def test_a_picture_in_an_open_document_is_seen_where_it_stands() -> None:
    document = open_handbook()
    file = picture()
    file.name = "meter.png"
    part = document.add_file(file)
    paragraph = Paragraph("Zähler:")
    paragraph.append(Frame.image_frame(part, size=("4cm", "3cm"), anchor_type="as-char"))
    document.body.append(paragraph)
    reading = await read_open(document, ScriptedSight(("Total", 1, 2, 3, 4)))
    seen = next(block for block in reading.blocks if block.text == "Total")
    assert seen.place.part == part
    assert (seen.place.heading, seen.place.paragraph) == (("Hausbuch", "Pumpe"), 10)
