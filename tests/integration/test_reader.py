"""Any file through the one door, by its content."""

import io
import sys
import time
import wave
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from memory.labels import Origin
from memory.places import Place
from tools.reading.base import UNREAD, SenseFailedError, UnreadableError
from tools.reading.mail import ATTACHMENTS
from tools.reading.message import PARTS
from tools.reading.perception import Perception
from tools.reading.reader import ContentReader
from tools.reading.testing import (
    OpenResidency,
    ScriptedHearing,
    ScriptedSight,
    perception,
)
from tools.senses.base import Senses, Sighting
from tools.senses.errors import EngineError

ROOT = Path(__file__).parents[2]
MAIL = ROOT.parent / "shared" / "data" / "mail" / "fixtures"
PROGRAM = Path(sys.executable).read_bytes()
HANDBOOK = ROOT / "deploy" / "demo" / "pack" / "handbook.pdf"


def picture(kind: str = "PNG") -> bytes:
    image = Image.new("RGB", (300, 60), "white")
    ImageDraw.Draw(image).text((10, 20), "Total 38.5 kg", fill="black")
    data = io.BytesIO()
    image.save(data, kind)
    return data.getvalue()


def sound(seconds: float = 2.0) -> bytes:
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        tone = np.sin(np.arange(int(16_000 * seconds)) / 9) * 9_000
        file.writeframes(tone.astype("<i2").tobytes())
    return data.getvalue()


@pytest.fixture
def residency() -> OpenResidency:
    return OpenResidency()


@pytest.fixture
def reader(residency: OpenResidency) -> ContentReader:
    return ContentReader(
        perception(
            ScriptedSight(("Total", 10, 20, 40, 32), ("38.5 kg", 44, 20, 90, 32)),
            ScriptedHearing(("the key is at the bakery", 0.5, 1.8)),
            residency,
        )
    )


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"# Care\n\nClean the *filter* every [six weeks](http://x.example).\n", "markdown"),
        ("Der Filter wird alle sechs Wochen gereinigt.\n".encode("cp1252"), "text"),
        ("请每三个月更换一次滤芯，并检查压力表的读数。\n".encode("gb18030"), "text"),
        (b"<!DOCTYPE html><html><body><p>Clean the filter.</p></body></html>", "html"),
        (b"From: a@x.example\nSubject: Filter\nDate: x\n\nClean it.\n", "mail"),
        (HANDBOOK.read_bytes(), "pdf"),
        (picture(), "picture"),
        (picture("JPEG"), "picture"),
        (sound(), "recording"),
    ],
)
@pytest.mark.parametrize("name", ["right", "lying.wav", "lying.txt"])
async def test_a_file_is_read_by_its_content_whatever_its_name(
    reader: ContentReader, data: bytes, kind: str, name: str
) -> None:
    reading = await reader.read(data, name)
    assert reading.kind == kind
    assert reading.blocks
    assert reader.current(reading.reader)


async def test_a_sense_runs_under_a_lease_of_its_own(
    reader: ContentReader, residency: OpenResidency
) -> None:
    seen = await reader.read(picture(), "note.png")
    heard = await reader.read(sound(), "note.wav")
    assert seen.blocks[0].text == "Total 38.5 kg"
    assert heard.blocks[0].place == Place(start_s=0.5, end_s=1.8)
    assert [(one.sense, one.pixels, one.audio_s) for one in residency.lent] == [
        ("sight", 18_000, 0.0),
        ("hearing", 0, 2.0),
    ]


async def test_a_recording_that_was_cut_off_is_read_with_a_flaw(reader: ContentReader) -> None:
    whole = sound(4.0)
    reading = await reader.read(whole[: len(whole) // 2], "cut.wav")
    assert reading.kind == "recording"
    assert reading.blocks
    assert reading.flaws


@pytest.mark.parametrize("data", [b"", b"  \n\t\n"])
async def test_an_empty_file_says_that_it_is_empty(reader: ContentReader, data: bytes) -> None:
    with pytest.raises(UnreadableError, match=r"^none\.pdf is empty\."):
        await reader.read(data, "none.pdf")


async def test_what_is_not_read_is_named_with_what_is(reader: ContentReader) -> None:
    with pytest.raises(UnreadableError, match=r"^a\.txt is an archive \(application/gzip\).*PDF"):
        await reader.read(b"\x1f\x8b\x08" + b"\0" * 40, "a.txt")
    with pytest.raises(UnreadableError, match=r"^b\.png .* cannot be read\. PDF, .*Markdown"):
        await reader.read(PROGRAM, "b.png")


async def test_a_file_over_the_limit_is_not_read() -> None:
    small = ContentReader(perception(), bytes_limit=10)
    with pytest.raises(UnreadableError, match=r"big\.txt has 11 bytes, and 10 are read at most"):
        await small.read(b"01234567890", "big.txt")


async def test_a_picture_that_is_none_costs_itself_only(reader: ContentReader) -> None:
    with pytest.raises(UnreadableError, match=r"torn\.png"):
        await reader.read(picture()[:20], "torn.png")


async def test_a_mail_brings_its_attachments_through_the_same_doors(reader: ContentReader) -> None:
    inner = EmailMessage()
    inner["Subject"] = "Earlier"
    inner["From"] = "b@x.example"
    inner.set_content("The old motor stays.")
    inner.add_attachment("Closed on Monday.\n", filename="hours.txt")
    made = EmailMessage()
    made["Subject"] = "Delivered"
    made["From"] = "a@x.example"
    made.set_content("See what is attached.")
    made.add_attachment(sound(), maintype="audio", subtype="x-wav", filename="note.wav")
    made.add_attachment(picture(), maintype="application", subtype="x", filename="scan.bin")
    made.add_attachment(
        HANDBOOK.read_bytes(), maintype="application", subtype="pdf", filename="book.pdf"
    )
    made.add_attachment(inner)
    made.add_attachment(b"PK\3\4" + b"\0" * 60, maintype="application", subtype="zip", filename="z")
    reading = await reader.read(made.as_bytes(), "delivered.eml")
    inside = {block.place.part: block for block in reading.blocks if block.place.part}
    assert inside["note.wav"].place.start_s == 0.5
    assert inside["note.wav"].label.origins == {Origin.MAIL, Origin.RECORDING}
    assert inside["scan.bin"].label.origins == {Origin.MAIL, Origin.PICTURE}
    assert inside["book.pdf"].place.page == 8
    assert inside["Earlier"].text == "The old motor stays."
    assert inside["Earlier > hours.txt"].text == "Closed on Monday."
    assert len(reading.flaws) == 1
    assert reading.flaws[0].startswith("attachment z: z is an archive")
    assert reader.current(reading.reader)


async def test_of_ten_thousand_attachments_some_are_opened_and_the_rest_is_told_of(
    reader: ContentReader,
) -> None:
    head = b"From: a@x.example\nSubject: many\nContent-Type: multipart/mixed; boundary=b\n\n"
    part = b"--b\nContent-Type: text/plain; name=n.txt\n\nClosed on Monday.\n"
    began = time.process_time()
    reading = await reader.read(head + part * 10_000 + b"--b--\n", "many.eml")
    assert time.process_time() - began < 5
    assert len({block.place.part for block in reading.blocks if block.place.part}) == PARTS - 1
    assert reading.flaws == (f"only its first {PARTS} parts were read",)


@pytest.mark.parametrize("kind", [b"message/rfc822", b"application/octet-stream; name=x.eml"])
async def test_mails_within_mails_share_the_number_of_attachments_that_are_opened(
    reader: ContentReader, kind: bytes
) -> None:
    def nested(level: int) -> bytes:
        if level == 0:
            return b"Content-Type: text/plain; name=n.txt\n\nClosed on Monday.\n"
        inner = nested(level - 1)
        part = inner if level == 1 else b"Content-Type: " + kind + b"\n\n" + inner
        begin = b"--b%d\n" % level
        head = b"From: a@x.example\nTo: b@x.example\nSubject: level %d\n" % level
        head += b"Content-Type: multipart/mixed; boundary=b%d\n\n" % level
        return head + (begin + part) * 20 + b"--b%d--\n" % level

    began = time.process_time()
    reading = await reader.read(nested(3), "many.eml")
    assert time.process_time() - began < 5
    opened = {block.place.part for block in reading.blocks if block.place.part}
    assert len(opened) <= ATTACHMENTS
    assert any("only 200 attachments are opened" in flaw for flaw in reading.flaws)


async def test_a_mail_whose_body_is_no_text_is_read_by_its_headers(reader: ContentReader) -> None:
    head = b"From: a@x.example\nSubject: Noise\nDate: Mon, 2 Mar 2026 10:00:00 +0000\n\n"
    reading = await reader.read(head + bytes(range(256)) * 40, "noise.eml")
    assert (reading.kind, reading.title) == ("mail", "Noise")


class BrokenSight:
    """A reader whose library does not load."""

    name = "broken sight"

    async def read(self, image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Sighting:
        raise EngineError("The model of the sight cannot be loaded. Install it again.")


async def test_what_a_sense_failed_on_is_read_again_another_time(reader: ContentReader) -> None:
    able = perception().senses
    broken = ContentReader(
        Perception(
            senses=Senses(sight=BrokenSight(), hearing=able.hearing, speech=able.speech),
            residency=OpenResidency(),
        )
    )
    with pytest.raises(SenseFailedError, match="cannot be loaded"):
        await broken.read(picture(), "scan.png")
    made = EmailMessage()
    made["Subject"] = "Delivered"
    made["From"] = "a@x.example"
    made.set_content("See what is attached.")
    made.add_attachment(picture(), maintype="image", subtype="png", filename="scan.png")
    reading = await broken.read(made.as_bytes(), "delivered.eml")
    assert "cannot be loaded" in reading.flaws[0]
    assert UNREAD in reading.reader
    assert not reader.current(reading.reader)


def fixtures() -> Iterator[Path]:
    return (path for path in sorted(MAIL.rglob("*")) if path.is_file())


@pytest.mark.shared
@pytest.mark.skipif(not MAIL.exists(), reason="the public mail fixtures are not there")
async def test_every_mail_of_the_public_fixtures_is_read_or_named(reader: ContentReader) -> None:
    read, unreadable = 0, []
    for path in fixtures():
        began = time.monotonic()
        try:
            reading = await reader.read(path.read_bytes(), path.name)
        except UnreadableError as error:
            unreadable.append(str(error))
        else:
            read += 1
            assert reading.kind == "mail" or path.suffix != ".eml", path
            assert reading.blocks or reading.kind == "picture", path
        assert time.monotonic() - began < 5, path
    assert read > 190
    assert all(reason.endswith(" is empty.") for reason in unreadable)
