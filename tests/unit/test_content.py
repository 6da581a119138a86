import gzip
import io
import tarfile
import wave
import zipfile

import pytest
from PIL import Image

from tools.content import Kind, detect

GERMAN = "Grüße aus Köln: die Straße ist schön, die Ärztin übt.\n"
CHINESE = "图书馆星期一不开门。星期六开到下午五点。\n"
MAIL = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: Boiler\r\n\r\nIt drips.\r\n"


def picture(form: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(file, form)
    return file.getvalue()


def recording(samples: int = 10) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes(bytes(2 * samples))
    return file.getvalue()


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("notes.txt", "notes")
    return file.getvalue()


def taped() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("notes.txt"))
    return file.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "JPEG2000"])
def test_the_smallest_picture_is_a_picture(form: str) -> None:
    content = detect(picture(form))
    assert content.kind is Kind.PICTURE
    assert content.media_type.startswith("image/")


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (recording(0), "audio/wav"),
        (recording(10), "audio/wav"),
        (b"fLaC\0\0\0\x22" + bytes(34), "audio/flac"),
        (b"OggS\0\x02" + bytes(60), "audio/ogg"),
        (b"ID3\x04\0\0\0\0\0\x0a" + bytes(10), "audio/mpeg"),
        (b"\xff\xfb\x90\x00" + bytes(413) + b"\xff\xfb\x90\x00" + bytes(413), "audio/mpeg"),
        (b"\0\0\0\x1cftypM4A \0\0\0\0" + bytes(20), "audio/mp4"),
        (b"\0\0\0\x1cftypisom\0\0\0\0" + bytes(20), "video/mp4"),
        (b"\x1aE\xdf\xa3" + bytes(20), "video/x-matroska"),
    ],
)
def test_the_beginning_of_a_recording_is_a_recording(data: bytes, media_type: str) -> None:
    content = detect(data)
    assert content.kind is Kind.RECORDING
    assert content.media_type == media_type


@pytest.mark.parametrize(
    "text",
    [
        "hi",
        GERMAN,
        CHINESE,
        "BMW and BMX are no bitmaps.",
        "RIFF is a container.",
        "ID3 is a kind of tag; OggS begins a page; fLaC a stream.",
        "%PDF-1.7 is how a PDF file begins, says this text.",
        "From what I heard at 10:30, nothing is certain.\n",
        "Name: Bob\nAge: 43\nCity: Rome\n",
        "a,b\n1,2\n3,4\n",
        '{"a": [1, 2, {"b": null}]}',
        "<?xml version='1.0'?><a><b>c</b></a>",
        "red\x1b[31m and \x1b[0mplain\n",
    ],
)
def test_text_and_what_is_written_as_text_is_text(text: str) -> None:
    content = detect(text.encode())
    assert content.kind is Kind.TEXT, content


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        (GERMAN, "latin-1"),
        (GERMAN, "utf-8-sig"),
        (GERMAN, "utf-16"),
        (GERMAN, "utf-16-le"),
        (GERMAN, "utf-16-be"),
        (GERMAN, "utf-32"),
        (CHINESE, "utf-16"),
        (CHINESE, "gb18030"),
        (CHINESE, "big5hkscs"),
        ("図書館は月曜日に閉まっています。", "shift_jis"),
        ("図書館は月曜日に閉まっています。", "iso2022_jp"),
        ("Библиотека закрыта.", "koi8-r"),
        ("Библиотека закрыта.", "cp1251"),
    ],
)
def test_text_is_text_in_any_charset(text: str, charset: str) -> None:
    assert detect(text.encode(charset, errors="ignore")).kind is Kind.TEXT


def test_a_character_that_the_sample_cuts_in_two_leaves_text_text() -> None:
    assert detect(("x" + "ü" * (1 << 17)).encode()).kind is Kind.TEXT


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (MAIL, "message/rfc822"),
        (b"\r\n" + MAIL, "message/rfc822"),
        (b"X-Foo: 1\nMIME-Version: 1.0\nContent-Type: text/plain\n\nbody\n", "message/rfc822"),
        (b"Received: from a\n by b; today\nSubject: x\n\nbody\n", "message/rfc822"),
        (b"From a@example.org Mon Mar  2 10:00:00 2026\n" + MAIL, "application/mbox"),
        (MAIL.replace(b"It drips", "Er tröpfelt".encode("latin-1")), "message/rfc822"),
    ],
)
def test_a_mail_is_told_by_its_headers(data: bytes, media_type: str) -> None:
    content = detect(data)
    assert content.kind is Kind.MAIL
    assert content.media_type == media_type


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE html><p>Hello",
        "\ufeff<!-- made by hand -->\n<HTML><body>Hello</body></HTML>",
        '<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x">\n<html></html>',
    ],
)
def test_a_page_is_html(text: str) -> None:
    assert detect(text.encode()).kind is Kind.HTML


@pytest.mark.parametrize(
    "text",
    [
        "# House\n\nThe pump stands in the cellar.\n\n## Water\n\n- red lever\n",
        "# House\n",
        "To do\n\n- [ ] clean the filter\n- [x] call the plumber\n",
    ],
)
def test_headings_and_marks_make_markdown(text: str) -> None:
    assert detect(text.encode()).kind is Kind.MARKDOWN


@pytest.mark.parametrize("data", [zipped(), taped(), gzip.compress(taped(), mtime=0)])
def test_what_holds_files_is_an_archive(data: bytes) -> None:
    assert detect(data).kind is Kind.ARCHIVE


@pytest.mark.parametrize("data", [b"", b" \r\n\t\n", "\ufeff\n".encode(), "\n ".encode("utf-16")])
def test_nothing_and_blanks_are_empty(data: bytes) -> None:
    content = detect(data)
    assert content.kind is Kind.EMPTY
    assert str(content) == "empty"


@pytest.mark.parametrize("data", [bytes(100), bytes(range(256)) * 20, b"abc\0\1\2\3def" * 9])
def test_other_bytes_are_unknown(data: bytes) -> None:
    content = detect(data)
    assert content.kind is Kind.UNKNOWN
    assert str(content) == "of no known format"


def test_a_pdf_is_told_also_behind_other_bytes() -> None:
    pdf = b"%PDF-1.7\n1 0 obj\n<</Type /Catalog>>\nendobj\n%%EOF\n"
    assert detect(pdf).kind is Kind.PDF
    assert detect(b"HTTP/1.1 200 OK\r\n\r\n" + pdf).kind is Kind.PDF


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (picture("PNG"), "a picture (image/png)"),
        (zipped(), "an archive (application/zip)"),
        (b"{\\rtf1\\ansi Hello}", "of type application/rtf"),
        (MAIL, "mail (message/rfc822)"),
    ],
)
def test_content_says_in_words_what_it_is(data: bytes, words: str) -> None:
    assert str(detect(data)) == words
