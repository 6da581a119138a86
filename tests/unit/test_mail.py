"""Mail to blocks, whatever is wrong with it."""

import time
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory.labels import Origin
from memory.places import Place
from tools.reading import mail, message, picture, text
from tools.reading.base import UNREAD, Block, Reading, UnreadableError


async def open_file(data: bytes, name: str, nest: mail.Nest) -> Reading:
    """Read attachments: text, a picture that says a weight, nothing else."""
    if data.startswith(b"PICTURE"):
        block = Block(text="38.5 kg", place=Place(page=2), label=picture.LABEL)
        return Reading(
            title=name,
            kind="picture",
            media_type="image/png",
            blocks=(block,),
            label=picture.LABEL,
            reader="picture/1 scripted sight",
        )
    if data.startswith(b"BUG"):
        raise KeyError(name)
    if data.startswith(b"\x7fELF"):
        raise UnreadableError(f"{name} is a program.")
    if data.startswith(b"Subject:"):
        return await mail.read(data, name, "message/rfc822", open_file, nest)
    return text.read(data, name, "text/plain")


async def read(data: bytes | EmailMessage) -> Reading:
    raw = data if isinstance(data, bytes) else data.as_bytes()
    return await mail.read(raw, "letter.eml", "message/rfc822", open_file)


def letter(body: str = "The motor went out today.\n", **headers: str) -> EmailMessage:
    made = EmailMessage()
    made["Subject"] = "Motor – delivered"
    made["From"] = "Zoë Carver <zoe@pumps.example>"
    made["To"] = "Jürgen <caretaker@mill.example>"
    made["Date"] = "Fri, 27 Feb 2026 16:42:07 +0100"
    made.set_content(body)
    for name, value in headers.items():
        made[name] = value
    return made


def texts(reading: Reading) -> list[str]:
    return [block.text for block in reading.blocks]


async def test_the_headers_come_first_and_name_the_author() -> None:
    reading = await read(letter())
    assert reading.title == "Motor – delivered"
    assert reading.author == "Zoë Carver <zoe@pumps.example>"
    assert reading.made_at == datetime(2026, 2, 27, 16, 42, 7, tzinfo=timezone(timedelta(hours=1)))
    assert texts(reading) == [
        "Subject: Motor – delivered\n"
        "From: Zoë Carver <zoe@pumps.example>\n"
        "To: Jürgen <caretaker@mill.example>\n"
        "Date: Fri, 27 Feb 2026 16:42:07 +0100",
        "The motor went out today.",
    ]
    assert reading.blocks[1].place == Place(line=1, last_line=1)
    assert all(block.label.origins == {Origin.MAIL} for block in reading.blocks)
    assert reading.flaws == ()


QUOTES = [
    "On Wed, 25 Feb 2026 at 08:15, Jürgen Brandt wrote:\n> It hums.\n",
    "Am 25.02.2026 um 08:15 schrieb Jürgen Brandt\n<j@mill.example>:\n\nIt hums.\n",
    "Le mer. 25 févr. 2026 à 08:15, Jürgen <j@x.example> a écrit :\n> It hums.\n",
    "在 2026年2月25日，Jürgen 写道：\n> It hums.\n",
    "-----Original Message-----\nFrom: J\nSent: Wednesday\n\nIt hums.\n",
    "Von: Jürgen\nGesendet: Mittwoch\nAn: Zoë\nBetreff: Motor\n\nIt hums.\n",
    "> It hums.\n",
]


@pytest.mark.parametrize("quote", QUOTES)
async def test_what_is_quoted_stands_apart_and_is_kept(quote: str) -> None:
    reading = await read(letter(f"Hello,\n\nit is on its way.\n\n{quote}"))
    new = [block.text for block in reading.blocks if block.place.heading == ()]
    old = [block for block in reading.blocks if block.place.heading == mail.QUOTED]
    assert new[1:] == ["Hello,", "it is on its way."]
    assert old[0].place.line == 5
    assert "It hums." in old[-1].text


async def test_an_answer_between_quotations_stays_new() -> None:
    reading = await read(letter("> Does it hum?\nYes.\n> Since when?\nMonday.\n"))
    assert [(b.text, b.place.heading) for b in reading.blocks[1:]] == [
        ("> Does it hum?", mail.QUOTED),
        ("Yes.", ()),
        ("> Since when?", mail.QUOTED),
        ("Monday.", ()),
    ]


async def test_attachments_are_read_through_the_same_doors() -> None:
    made = letter()
    made.add_attachment(b"PICTURE", maintype="image", subtype="png", filename="Lieferschein ü.png")
    made.add_attachment("Closed on Monday.", filename="note.txt")
    made.add_attachment("Open on Tuesday.", filename="note.txt")
    made.add_attachment(b"\x7fELF", maintype="application", subtype="x", filename="../run.exe")
    reading = await read(made)
    inside = {block.place.part: block for block in reading.blocks if block.place.part}
    assert list(inside) == ["Lieferschein ü.png", "note.txt", "note.txt (2)"]
    assert inside["Lieferschein ü.png"].place == Place(part="Lieferschein ü.png", page=2)
    assert inside["Lieferschein ü.png"].label.origins == {Origin.MAIL, Origin.PICTURE}
    assert inside["note.txt (2)"].text == "Open on Tuesday."
    assert Origin.MAIL in inside["note.txt"].label.origins
    assert reading.flaws == ("attachment run.exe: run.exe is a program.",)
    assert reading.reader == f"mail/2 + picture/1 scripted sight + {text.READER}"
    assert reading.label.origins == {Origin.MAIL}


async def test_a_fault_of_ours_in_an_attachment_costs_the_attachment_only() -> None:
    made = letter()
    made.add_attachment("BUG", filename="odd.txt")
    made.add_attachment("Open on Tuesday.", filename="note.txt")
    reading = await read(made)
    assert texts(reading)[-1] == "Open on Tuesday."
    assert reading.flaws == ("attachment odd.txt: KeyError: 'odd.txt'",)
    assert UNREAD in reading.reader


async def test_a_mail_within_a_mail_is_opened_down_to_a_depth() -> None:
    inner = letter("The innermost words.")
    for level in range(8):
        outer = letter(f"Level {level}.")
        outer.add_attachment(inner)
        inner = outer
    reading = await read(inner)
    assert max(block.place.part.count(" > ") for block in reading.blocks if block.place.part) == 3
    assert "Level 7." in texts(reading)
    assert "Level 3." in texts(reading)
    assert "Level 2." not in texts(reading)
    assert "nested in more than 4 mails" in reading.flaws[0]


async def test_of_two_forms_of_a_text_the_plain_one_is_read() -> None:
    made = letter("It is on its way.\n")
    made.add_alternative("<p>It is <b>on</b> its way.</p>", subtype="html")
    assert texts(await read(made))[1:] == ["It is on its way."]


async def test_a_plain_form_that_is_only_a_stand_in_yields_to_html() -> None:
    made = letter("Please use a modern mail program.\n")
    page = "<h1>Invoice 17</h1><p>" + "The pump costs 120 € and comes on Monday. " * 9
    made.add_alternative(page + "</p><blockquote>Earlier words</blockquote>", subtype="html")
    reading = await read(made)
    assert "Invoice 17" in texts(reading)
    assert reading.blocks[-1].text == "Earlier words"
    assert reading.blocks[-1].place.heading == mail.QUOTED


async def test_a_lying_charset_is_seen_through() -> None:
    raw = b"Subject: x\nContent-Type: text/plain; charset=%s\n\n" + "Grüße aus Köln".encode()
    for charset in (b"us-ascii", b"iso-8859-1", b"rot13", b"bogus"):
        assert texts(await read(raw % charset))[-1] == "Grüße aus Köln"


async def test_chinese_and_german_headers_are_decoded_however_they_are_written() -> None:
    raw = (
        "Subject: =?gb2312?B?yefH+NK91Lo=?= =?utf-8?Q?_Gr=C3=BC=C3=9Fe?=\n"
        "From: =?bogus?Q?Z=FCrich?= <z@x.example>\nTo: Jürgen <j@x.example>\n\nHallo\n"
    ).encode()
    reading = await read(raw)
    assert reading.title == "社区医院 Grüße"
    assert reading.author == "Zürich <z@x.example>"
    assert "To: Jürgen <j@x.example>" in texts(reading)[0]


async def test_blank_lines_before_the_headers_are_passed_over() -> None:
    reading = await read(b"      \n\n" + letter().as_bytes())
    assert reading.title == "Motor – delivered"


async def test_the_first_line_of_a_mailbox_file_is_passed_over() -> None:
    reading = await read(b"From z@x.example Fri Feb 27 16:42:07 2026\n" + letter().as_bytes())
    assert reading.title == "Motor – delivered"


async def test_of_a_mailbox_all_messages_are_read_the_first_as_the_mail() -> None:
    line = b"From z@x.example Fri Feb 27 16:42:07 2026\n"
    other = letter("It came back.\n").as_bytes()
    reading = await read(line + letter().as_bytes() + b"\n" + line + other)
    assert texts(reading)[1:2] == ["The motor went out today."]
    assert [(b.text, b.place.part) for b in reading.blocks[3:]] == [("It came back.", "message 2")]
    assert reading.flaws == ()


async def test_of_a_mailbox_as_many_messages_are_read_as_of_a_mail_parts() -> None:
    one = b"From z@x.example Fri Feb 27 16:42:07 2026\n" + letter("x\n").as_bytes() + b"\n"
    reading = await read(one * (message.PARTS + 1))
    assert len({block.place.part for block in reading.blocks}) == message.PARTS
    assert "only the first 200 messages were read" in reading.flaws[0]


BROKEN = {
    "a name that is no parameter": b"Subject: x\nContent-Type: text/plain; name*\n\nneedle",
    "an Exchange id": b"Subject: x\nMessage-ID: <[x@y]>\nTo: (c):\n\nneedle",
    "nested comments": b"Subject: x\nFrom: " + b"(" * 500 + b"\n\nneedle",
    "bad base64": b"Subject: x\nContent-Transfer-Encoding: base64\n\nbmVlZGxl=!!!",
    "no boundary": b"Subject: x\nContent-Type: multipart/mixed\n\nneedle",
    "no end": b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nneedle",
    "NUL bytes": b"Subject: x\0y\n\nneedle\0",
    "a date of no calendar": b"Subject: x\nDate: Fri, 99 Feb 0000 99:99:99 +9999\n\nneedle",
    "raw bytes in a header": b"Subject: \xff\xfe\xfa\n\nneedle",
    "an unclosed word": b"Subject: =?utf-8?B?abc?=\nFrom: =?utf-8?B?\xff?=\n\nneedle",
    "only a body": b"\n\nneedle",
    "a part of headers": b"Subject: x\nContent-Type: message/rfc822\n\nSubject: needle",
    "two hundred levels": b"Subject: needle\n"
    + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(200)
    ),
    "a thousand levels": b"Subject: needle\n"
    + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(1000)
    ),
    "a hundred thousand parts": b"Subject: needle\nContent-Type: multipart/mixed; boundary=b\n\n"
    + b"--b\n\nneedle\n" * 100_000,
    "thirty thousand recipients": b"Subject: needle\nTo: " + b"a@example.org, " * 32_000 + b"\n\nx",
    "half a million parameters": b"Subject: needle\nContent-Type: text/plain; "
    + b"a;" * 500_000
    + b"\n\nx",
    "eighty thousand pieces of a name": b"Subject: needle\nContent-Disposition: inline; "
    + b'filename*1="; ' * 80_000
    + b"\n\nx",
    "parameters in each of ten thousand parts": b"Subject: needle\n"
    b"Content-Type: multipart/mixed; boundary=b\n\n"
    + (b"--b\nContent-Type: multipart/x; " + b"a;" * 800 + b"\n\nx\n")
    * 10_000,
    "a header without end": b"Subject: needle\nX: " + b"y" * 2_000_000 + b"\n\nx",
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_mail_is_read_as_far_as_it_goes(name: str) -> None:
    began = time.process_time()
    reading = await read(BROKEN[name])
    assert "needle" in "\n".join(texts(reading))
    assert time.process_time() - began < 5


async def test_the_name_of_an_attachment_may_be_cut_into_pieces() -> None:
    pieces = "".join(f'; filename*{n}="part{n}-"' for n in range(8))
    data = f"Subject: x\nContent-Disposition: attachment{pieces}\n\nneedle".encode()
    (attachment,) = message.parse(data).attachments
    assert attachment.name == "".join(f"part{n}-" for n in range(8))


async def test_what_was_left_out_is_said() -> None:
    assert (await read(BROKEN["a thousand levels"])).flaws[0].startswith("its parts are nested")
    assert (
        f"only its first {message.PARTS} parts were read"
        in (await read(BROKEN["a hundred thousand parts"])).flaws
    )


async def test_a_mail_without_a_word_is_unreadable() -> None:
    with pytest.raises(UnreadableError, match=r"letter\.eml is a mail without any readable text"):
        await read(b"X-Nothing: at all\n\n")


@given(st.binary(max_size=600))
@settings(max_examples=150)
async def test_any_bytes_are_a_mail_or_unreadable(data: bytes) -> None:
    try:
        reading = await read(b"Subject: x\n" + data)
    except UnreadableError:
        return
    assert all("\0" not in block.text for block in reading.blocks)
    assert reading.made_at is None or reading.made_at > datetime(1900, 1, 1, tzinfo=UTC)
