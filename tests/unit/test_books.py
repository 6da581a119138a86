"""EPUB to blocks: chapters in their order, under the headings of the table of contents."""

import io
import zipfile
from datetime import UTC, datetime

from PIL import Image

from memory.documents import located
from memory.labels import Origin
from memory.places import Place
from tools.reading import epub
from tools.reading.base import Reading
from tools.reading.testing import ScriptedSight, document_read, perception

CONTAINER = """<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>"""
PACKAGE = """<package xmlns="http://www.idpf.org/2007/opf"><metadata
 xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Die Pumpe &amp; ich</dc:title>
 <dc:creator>Zoë Müller</dc:creator><dc:creator>Bob</dc:creator><dc:date>2003</dc:date>
 <dc:date>2026-02-01</dc:date></metadata><manifest>
 <item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>
 <item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>
 <item id="one" href="text/one.xhtml" media-type="application/xhtml+xml"/>
 <item id="two" href="text/two%20b.xhtml" media-type="application/xhtml+xml"/>
 <item id="more" href="text/more.xhtml" media-type="application/xhtml+xml"/>
 <item id="gone" href="text/gone.xhtml" media-type="application/xhtml+xml"/></manifest>
 <spine toc="ncx"><itemref idref="two"/><itemref idref="more"/><itemref idref="one"/>
 <itemref idref="two"/><itemref idref="gone"/></spine></package>"""
NAV = """<html xmlns:epub="http://www.idpf.org/2007/ops"><body><nav epub:type="landmarks"><ol>
 <li><a href="text/one.xhtml">Falsch</a></li></ol></nav><nav epub:type="toc"><ol>
 <li><span>Teil I</span><ol><li><a href="text/two%20b.xhtml#a">Das Wasser</a></li></ol></li>
 <li><a href="text/one.xhtml">Ende</a></li></ol></nav></body></html>"""
NCX = """<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "http://www.daisy.org/ncx.dtd">
<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint><navLabel><text>Teil 1</text>
 </navLabel><content src="text/two%20b.xhtml"/><navPoint><navLabel><text>Der Schluss</text>
 </navLabel><content src="text/one.xhtml#x"/></navPoint></navPoint></navMap></ncx>"""
TWO = """<?xml version="1.0"?><html><head><title/><script src="x.js"/></head><body>
<h1>Das Wasser</h1><p>Der Druck beträgt 2,2 bar.</p><a id="x"/><h2>Die Pumpe</h2>
<p>Sie steht im Keller.</p><p>Sie läuft im Winter.</p><img alt="" src="../images/m.png"/>
</body></html>"""
MORE = "<html><body><p>Sie ist rot.</p></body></html>"
ONE = "<html><body><p>Schluss.</p></body></html>"


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (120, 80), "white").save(file, "PNG")
    return file.getvalue()


def packed(**other: str | None) -> bytes:
    files: dict[str, str | bytes | None] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": PACKAGE,
        "OEBPS/nav.xhtml": NAV,
        "OEBPS/toc.ncx": NCX,
        "OEBPS/text/one.xhtml": ONE,
        "OEBPS/text/two b.xhtml": TWO,
        "OEBPS/text/more.xhtml": MORE,
        "OEBPS/images/m.png": picture(),
        **other,
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            if data is not None:
                archive.writestr(name, data)
    return file.getvalue()


async def read(data: bytes, sight: ScriptedSight | None = None) -> Reading:
    return await epub.read(data, "pump.epub", "x/epub", perception(sight))


def said(reading: Reading) -> list[tuple[str, str | None, tuple[str, ...]]]:
    places = ((block.text, block.place) for block in reading.blocks)
    return [(text, place.part, place.heading) for text, place in places]


async def test_chapters_are_read_in_their_order_under_the_table_of_contents() -> None:
    reading = await read(packed())
    two, pump = "OEBPS/text/two b.xhtml", ("Teil I", "Das Wasser", "Die Pumpe")
    assert said(reading) == [
        ("Das Wasser", two, ("Teil I", "Das Wasser")),
        ("Der Druck beträgt 2,2 bar.", two, ("Teil I", "Das Wasser")),
        ("Die Pumpe", two, pump),
        ("Sie steht im Keller.", two, pump),
        ("Sie läuft im Winter.", two, pump),
        ("Sie ist rot.", "OEBPS/text/more.xhtml", pump),
        ("Schluss.", "OEBPS/text/one.xhtml", ("Ende",)),
    ]
    assert reading.flaws == ("OEBPS/text/gone.xhtml: 'OEBPS/text/gone.xhtml' is missing in it.",)


async def test_a_book_says_its_title_its_authors_and_its_date() -> None:
    reading = await read(packed())
    assert (reading.kind, reading.title) == ("book", "Die Pumpe & ich")
    assert reading.author == "Zoë Müller, Bob"
    assert reading.made_at == datetime(2026, 2, 1, tzinfo=UTC)


async def test_a_quotation_from_a_book_opens_at_its_file_and_paragraph() -> None:
    document = document_read(await read(packed()))
    chunk = next(chunk for chunk in document.chunks if "Winter" in chunk.text)
    at = chunk.text.index("im Winter")
    place = located(chunk, at, at + 9)
    assert (place.part, place.paragraph) == ("OEBPS/text/two b.xhtml", 5)
    assert place.heading == ("Teil I", "Das Wasser", "Die Pumpe")
    assert document.language == "de"


async def test_the_older_table_of_contents_serves_where_the_newer_is_missing() -> None:
    reading = await read(packed(**{"OEBPS/nav.xhtml": None}))
    paths = {text: path for text, _, path in said(reading)}
    assert paths["Sie steht im Keller."] == ("Teil 1", "Das Wasser", "Die Pumpe")
    assert paths["Schluss."] == ("Teil 1", "Der Schluss")
    assert "table of contents OEBPS/nav.xhtml" in reading.flaws[0]


async def test_a_book_without_a_table_of_contents_has_the_headings_of_its_text() -> None:
    reading = await read(packed(**{"OEBPS/nav.xhtml": "", "OEBPS/toc.ncx": None}))
    assert said(reading)[0][2] == ("Das Wasser",)
    assert said(reading)[3][2] == ("Das Wasser", "Die Pumpe")


async def test_a_picture_in_a_book_is_seen_in_its_chapter() -> None:
    reading = await read(packed(), ScriptedSight(("Total", 1, 2, 3, 4)))
    seen = next(block for block in reading.blocks if block.text == "Total")
    assert (seen.place.part, seen.place.heading) == ("OEBPS/images/m.png", ("Teil I",))
    assert seen.label.origins == {Origin.DOCUMENT, Origin.PICTURE}


async def test_a_book_whose_container_is_broken_is_read_by_its_package() -> None:
    reading = await read(packed(**{"META-INF/container.xml": "<container/>"}))
    assert reading.title == "Die Pumpe & ich"
    assert reading.blocks[0].place == Place(
        part="OEBPS/text/two b.xhtml", paragraph=1, heading=("Teil I", "Das Wasser")
    )
