"""A citation of a search opens where its words stand, in every kind of file.

Each file is made here, with the words in the middle of much else, and opened again at the place
that the citation names, with what opens such a file elsewhere: a library of its format, or its
plain lines.
"""

import asyncio
import io
import json
import mailbox
import wave
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from itertools import takewhile
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import odfdo
import openpyxl
import pptx
import pypdfium2
import pytest
from docx import Document
from lxml import etree
from PIL import Image, ImageDraw, ImageFont

from agent.searching import SearchWish, search
from agent.settings import load

MESSAGE = Path(__file__).parents[1] / "data" / "message.wav"
SILENCE_S = 9.0
FILLER = (
    "The {} pump of the lower hall was looked at in the morning, its pressure was written down "
    "in the book beside the door, and nothing was found that would have to be told to anybody. "
    "The valves were opened and closed once, as the plan of the works asks for every month."
)
ORDINALS = [f"{number}th" for number in range(4, 24)]
FILLED = [FILLER.format(ordinal) for ordinal in ORDINALS]
MIDDLE = len(FILLED) // 2


def sentence(word: str) -> str:
    """Return what is looked for; the word stands in one file only."""
    return f"The spare key of the {word} hangs behind the green cupboard."


def text_with(word: str) -> list[str]:
    """Return paragraphs with the sentence in their middle."""
    return [*FILLED[:MIDDLE], sentence(word), *FILLED[MIDDLE:]]


def saved(document: Any, path: Path) -> None:
    document.save(str(path))


# --- the files, each with its words -----------------------------------------------------------


def text(path: Path, word: str) -> None:
    path.write_text("\n\n".join(text_with(word)))


def windows_text(path: Path, word: str) -> None:
    lines = ["Prüfung der Gebäude am späten Nachmittag.", *text_with(word)]
    path.write_bytes("\r\n\r\n".join(lines).encode("cp1252"))


def markdown(path: Path, word: str) -> None:
    parts = text_with(word)
    parts[MIDDLE:MIDDLE] = ["## Keys"]
    path.write_text("\n\n".join(["# The house", *parts]))


def page(path: Path, word: str) -> None:
    parts = [f"<p>{part}</p>" for part in text_with(word)]
    parts[MIDDLE] = f"<h2>Keys</h2>{parts[MIDDLE]}<h2>Pumps</h2>"
    path.write_text(f"<!doctype html><html><body><h1>House</h1>{''.join(parts)}</body></html>")


def code(path: Path, word: str) -> None:
    functions = [
        f'def check_{number}(pressure: float) -> str:\n    """{part}"""\n    return str(pressure)\n'
        for number, part in enumerate(text_with(word))
    ]
    path.write_text("import math\n\n\n" + "\n\n".join(functions))


def csv(path: Path, word: str) -> None:
    rows = [f"{number};{part}" for number, part in enumerate(text_with(word))]
    path.write_text("\n".join(["number;remark", *rows]) + "\n")


def lines_of_json(path: Path, word: str) -> None:
    rows = ",\n".join(f'  {{"remark": "{part}"}}' for part in text_with(word))
    path.write_text(f"[\n{rows}\n]\n")


def word_document(path: Path, word: str) -> None:
    document = Document()
    document.add_heading("House", 1)
    document.add_table(rows=2, cols=2).cell(0, 0).text = "Part"
    for part in text_with(word):
        document.add_paragraph(part)
    saved(document, path)


def open_text(path: Path, word: str) -> None:
    document = odfdo.Document("text")
    document.body.clear()
    document.body.append(odfdo.Header(1, "House"))
    for part in text_with(word):
        document.body.append(odfdo.Paragraph(part))
    saved(document, path)


def slides(path: Path, word: str) -> None:
    presentation = pptx.Presentation()
    for number, part in enumerate(text_with(word)):
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text, slide.placeholders[1].text = f"Round {number}", part
    saved(presentation, path)


def workbook(path: Path, word: str) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Prices"
    book.active.append(("Part", "Price"))
    sheet = book.create_sheet("Keys")
    sheet.append(("Number", "Remark"))
    for number, part in enumerate(text_with(word)):
        sheet.append((number, part))
    saved(book, path)


def book(path: Path, word: str) -> None:
    chapters = [FILLED, text_with(word), FILLED]
    names = [f"chapter{number}.xhtml" for number in range(len(chapters))]
    kind = "application/xhtml+xml"
    items = "".join(f"<item id='{n}' href='{n}' media-type='{kind}'/>" for n in names)
    spine = "".join(f"<itemref idref='{n}'/>" for n in names)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/container.xml", '<c><rootfile full-path="book.opf"/></c>')
        archive.writestr(
            "book.opf",
            f"<package><manifest>{items}</manifest><spine>{spine}</spine></package>",
        )
        for name, parts in zip(names, chapters, strict=True):
            body = "".join(f"<p>{part}</p>" for part in parts)
            archive.writestr(name, f"<html><body>{body}</body></html>")


def escaped(text: str) -> str:
    return text.replace(",", "\\,")


def calendar(path: Path, word: str) -> None:
    events = [
        f"BEGIN:VEVENT\r\nUID:{n}\r\nDTSTART:20260301T100000Z\r\nSUMMARY:Round {n}\r\n"
        f"DESCRIPTION:{escaped(part)}\r\nEND:VEVENT\r\n"
        for n, part in enumerate(text_with(word))
    ]
    path.write_text(f"BEGIN:VCALENDAR\r\n{''.join(events)}END:VCALENDAR\r\n", newline="")


def contacts(path: Path, word: str) -> None:
    cards = [
        f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Person {n}\r\nNOTE:{escaped(part)}\r\nEND:VCARD\r\n"
        for n, part in enumerate(text_with(word))
    ]
    path.write_text("".join(cards), newline="")


def letter(word: str, number: int = 0) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "Anna <anna@house.example>", "bob@house.example"
    message["Subject"], message["Date"] = f"Keys {number}", "Mon, 2 Mar 2026 10:00:00 +0000"
    message["Message-ID"] = f"<{word}-{number}@house.example>"
    message.set_content("\n\n".join(text_with(word) if word else FILLED), cte="quoted-printable")
    return message


def mail(path: Path, word: str) -> None:
    path.write_bytes(letter(word).as_bytes())


def mail_with_attachment(path: Path, word: str) -> None:
    message = letter("")
    file = io.BytesIO()
    drawn_pages(word)[0].save(
        file, "PDF", save_all=True, append_images=drawn_pages(word)[1:], resolution=144
    )
    message.add_attachment(b"No key here.", maintype="text", subtype="plain", filename="note.txt")
    message.add_attachment(
        file.getvalue(), maintype="application", subtype="pdf", filename="scan.pdf"
    )
    path.write_bytes(message.as_bytes())


def mbox(path: Path, word: str) -> None:
    box = mailbox.mbox(path)
    for number in range(5):
        box.add(letter(word if number == 3 else "", number))
    box.close()


def maildir(path: Path, word: str) -> None:
    box = mailbox.Maildir(path)
    for number in range(5):
        box.add(letter(word if number == 3 else "", number))


def dump(path: Path, word: str) -> None:
    parts = text_with(word)
    parts[MIDDLE : MIDDLE + 1] = ["== Keys ==", parts[MIDDLE], "== Pumps =="]
    pages = [
        f"<page><title>Hall {n}</title><ns>0</ns><id>{n}</id><revision><id>{n}</id>"
        f'<format>text/x-wiki</format><text xml:space="preserve">{said}</text></revision></page>'
        for n, said in enumerate(("Nothing.", "\n\n".join(parts), "Nothing either."))
    ]
    path.write_text(
        '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11">'
        f"<siteinfo><sitename>House</sitename></siteinfo>\n{chr(10).join(pages)}\n</mediawiki>\n"
    )


WIDTH, LEFT, FIRST, LOW = 1191, 90, 125, 500
"""Of a drawn page, in pixels: where its two lines begin, and the second is low on it."""


def drawn(words: str) -> Image.Image:
    image = Image.new("RGB", (WIDTH, 842), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(30)
    pen.text((LEFT, FIRST), "Monthly round of the works", "black", font=font)
    pen.text((LEFT, LOW), words, "black", font=font)
    return image


def drawn_pages(word: str) -> list[Image.Image]:
    return [drawn("Nothing was found."), drawn(sentence(word)), drawn("All is well.")]


def picture(path: Path, word: str) -> None:
    drawn(sentence(word)).save(path)


def scan(path: Path, word: str) -> None:
    first, *rest = drawn_pages(word)
    first.save(path, "PDF", save_all=True, append_images=rest, resolution=144)


def recording(path: Path, _: str) -> None:
    with wave.open(str(MESSAGE)) as said, wave.open(str(path), "wb") as late:
        late.setparams(said.getparams())
        bytes_s = said.getframerate() * said.getsampwidth() * said.getnchannels()
        late.writeframes(bytes(int(SILENCE_S * bytes_s)))
        late.writeframes(said.readframes(said.getnframes()))


# --- opening them again -----------------------------------------------------------------------

Place = dict[str, Any]


def span(place: Place, unit: str) -> slice:
    """Return what a place counts from 1, and at most some of it: it has to lead somewhere."""
    first, last = place[unit], place.get(f"last_{unit}", place[unit])
    assert last - first < 30, f"{place} is no place in particular"
    return slice(first - 1, last)


def lines(path: Path, place: Place, encoding: str = "utf-8") -> str:
    return "\n".join(path.read_bytes().decode(encoding).splitlines()[span(place, "line")])


def entry(path: Path, place: Place) -> str:
    """Return the event or the card that begins at a line."""
    assert lines(path, place).startswith("BEGIN:V")
    below = path.read_text().splitlines()[place["line"] :]
    return "\n".join(takewhile(lambda line: not line.startswith("END:"), below))


def under_heading(path: Path, place: Place) -> str:
    assert place["heading"] == ["House", "Keys"]
    root = etree.HTML(path.read_text())
    return " ".join(root.xpath("//h2[.='Keys']/following-sibling::p[1]/text()"))


def word_paragraphs(path: Path, place: Place) -> str:
    body = Document(str(path)).element.body
    name = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
    told = ["".join(run.text or "" for run in p.iter(name + "t")) for p in body.iter(name + "p")]
    return "\n".join(told[span(place, "paragraph")])


def open_paragraphs(path: Path, place: Place) -> str:
    told = [str(one) for one in odfdo.Document(path).body.get_elements("//text:h|//text:p")]
    return "\n".join(told[span(place, "paragraph")])


def slide(path: Path, place: Place) -> str:
    shapes = pptx.Presentation(str(path)).slides[place["page"] - 1].shapes
    return "\n".join(shape.text_frame.text for shape in shapes)


def sheet_rows(path: Path, place: Place) -> str:
    sheet = openpyxl.load_workbook(path)[place["heading"][0]]
    rows = list(sheet.iter_rows(values_only=True))[span(place, "line")]
    return "\n".join(str(cell) for row in rows for cell in row)


def chapter(path: Path, place: Place) -> str:
    with zipfile.ZipFile(path) as archive:
        root = etree.fromstring(archive.read(place["part"]))
    return "\n".join([p.text or "" for p in root.iter("p")][span(place, "paragraph")])


def body_lines(message: Any, place: Place) -> str:
    return "\n".join(message.get_payload(decode=True).decode().splitlines()[span(place, "line")])


def mail_lines(path: Path, place: Place) -> str:
    return body_lines(mailbox.MaildirMessage(path.read_bytes()), place)


def mbox_lines(path: Path, place: Place) -> str:
    box = mailbox.mbox(path)
    try:
        return body_lines(list(box)[3], place)
    finally:
        box.close()


def wiki_section(path: Path, place: Place) -> str:
    page = "//*[local-name()='page'][*[local-name()='id']='1']"
    (said,) = etree.parse(path).xpath(f"{page}//*[local-name()='text']/text()")
    assert place["heading"] == ["Keys"]
    return str(said.partition("== Keys ==")[2].partition("==")[0])


def box_holds(box: dict[str, float], scale: float) -> str:
    """Return that the drawn lines are in a box, which is as large as they are and no larger."""
    slack = 12 * scale
    assert abs(box["left"] - LEFT * scale) < slack
    assert abs(box["top"] - FIRST * scale) < slack
    assert LOW * scale < box["bottom"] < (LOW + 45) * scale
    assert box["right"] < WIDTH * scale - slack
    return DRAWN


DRAWN = "drawn"


def picture_box(_: Path, place: Place) -> str:
    return box_holds(place["box"], 1)


def scan_page(path: Path, place: Place) -> str:
    assert place["page"] == 2
    assert len(pypdfium2.PdfDocument(path)) == 3  # type: ignore[no-untyped-call] # has no annotations
    return box_holds(place["box"], 0.5)  # 144 dots to 72 points an inch


def attached_page(_: Path, place: Place) -> str:
    assert (place["part"], place["page"]) == ("scan.pdf", 2)
    return box_holds(place["box"], 0.5)


def seconds(path: Path, place: Place) -> str:
    with wave.open(str(path)) as sound:
        rate = sound.getframerate()
        samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
    assert SILENCE_S - 0.5 < place["start_s"] < SILENCE_S + 1.0
    cut = samples[int(place["start_s"] * rate) : int(place["end_s"] * rate)]
    assert np.abs(cut).max() > 1000, "nothing is said there"
    return DRAWN


# --- all kinds --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A kind of file: how one is made, and how it is opened at a place."""

    name: str
    make: Callable[[Path, str], None]
    opened: Callable[[Path, Place], str]
    word: str
    query: str = ""
    member: bool = False
    """Whether the file holds many documents, which a fragment tells apart."""

    @property
    def asked(self) -> str:
        """What is looked for."""
        return self.query or f"Where is the spare key of the {self.word}?"


SAMPLES = [
    Sample(name="house.txt", make=text, opened=lines, word="granary"),
    Sample(
        name="windows.txt",
        make=windows_text,
        opened=lambda path, place: lines(path, place, "cp1252"),
        word="brewery",
    ),
    Sample(name="house.md", make=markdown, opened=lines, word="orchard"),
    Sample(name="house.html", make=page, opened=under_heading, word="chapel"),
    Sample(name="checks.py", make=code, opened=lines, word="foundry"),
    Sample(name="remarks.csv", make=csv, opened=lines, word="windmill"),
    Sample(name="remarks.json", make=lines_of_json, opened=lines, word="tannery"),
    Sample(name="house.docx", make=word_document, opened=word_paragraphs, word="boathouse"),
    Sample(name="house.odt", make=open_text, opened=open_paragraphs, word="dovecote"),
    Sample(name="rounds.pptx", make=slides, opened=slide, word="lighthouse"),
    Sample(name="rounds.xlsx", make=workbook, opened=sheet_rows, word="quarry"),
    Sample(name="house.epub", make=book, opened=chapter, word="monastery"),
    Sample(name="rounds.ics", make=calendar, opened=entry, word="observatory"),
    Sample(name="people.vcf", make=contacts, opened=entry, word="vineyard"),
    Sample(name="letter.eml", make=mail, opened=mail_lines, word="sawmill"),
    Sample(name="post.mbox", make=mbox, opened=mbox_lines, word="bakery", member=True),
    Sample(name="Maildir", make=maildir, opened=mail_lines, word="smithy"),
    Sample(name="scanned.eml", make=mail_with_attachment, opened=attached_page, word="library"),
    Sample(name="wiki.xml", make=dump, opened=wiki_section, word="aqueduct", member=True),
    Sample(name="sign.png", make=picture, opened=picture_box, word="theatre"),
    Sample(name="scan.pdf", make=scan, opened=scan_page, word="museum"),
    Sample(name="voice.wav", make=recording, opened=seconds, word="", query="please call me back"),
]


@pytest.fixture(scope="module")
def desk(reader: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of each kind, ingested into a collection of its own."""
    folder = tmp_path_factory.mktemp("one of each (ä)")
    for sample in SAMPLES:
        sample.make(folder / sample.name, sample.word)
    report = reader.json("ingest", folder, "-c", "kinds")
    assert (report["failed"], report["empty"]) == ([], 0)
    return folder


@pytest.fixture(scope="module")
def hits(reader: Any, desk: Path) -> dict[str, list[dict[str, Any]]]:
    """What is found of each file, looked for by one process."""

    async def searched(sample: Sample) -> list[dict[str, Any]]:
        wish = SearchWish(text=sample.asked, k=3, path=str(desk / sample.name))
        told = await search(load(collection="kinds"), wish)
        found: list[dict[str, Any]] = json.loads(json.dumps(told))["hits"]
        return found

    async def all_searched() -> dict[str, list[dict[str, Any]]]:
        return {sample.name: await searched(sample) for sample in SAMPLES}

    with reader.here():
        return asyncio.run(all_searched())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_citation_opens_where_its_words_stand(
    hits: dict[str, list[dict[str, Any]]], desk: Path, sample: Sample
) -> None:
    best = hits[sample.name][0]
    place, uri = best["place"], urlsplit(best["source"])
    path = Path(unquote(uri.path))
    assert path.is_relative_to(desk / sample.name)
    assert bool(uri.fragment) is sample.member
    opened = sample.opened(path, place)
    if opened == DRAWN:  # read or heard, and so perhaps not letter for letter
        assert (sample.word or "back") in best["text"]
    else:
        assert sentence(sample.word) in best["text"]
        assert sentence(sample.word) in " ".join(opened.split())


@pytest.mark.parametrize("sample", SAMPLES[-3:], ids=lambda sample: sample.name)
def test_the_command_tells_the_same(
    reader: Any, hits: dict[str, list[dict[str, Any]]], desk: Path, sample: Sample
) -> None:
    options = ("-c", "kinds", "-k", "3", "--path", desk / sample.name)
    assert reader.json("search", sample.asked, *options)["hits"] == hits[sample.name]
