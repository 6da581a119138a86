"""ICS and VCF to blocks: a line for each event, task and card, at the line where it begins."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from memory.documents import located
from memory.places import Place
from tools.papers import document_of
from tools.reading import calendar, contacts, recurrence
from tools.reading.base import Reading, UnreadableError
from tools.reading.objects import OBJECTS

NOW = datetime(2026, 3, 2, tzinfo=UTC)

DENTIST = """BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Berlin:20260301T100000
DTEND;TZID=Europe/Berlin:20260301T113000
SUMMARY:Zahnarzt\\, Dr. Müller
LOCATION:Köln
RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20260630T000000Z
EXDATE;TZID=Europe/Berlin:20260315T100000
ORGANIZER;CN=Anna:mailto:anna@x.example
ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:MAILTO:bob@x.example
ATTENDEE:mailto:carl@x.example
ATTACH;ENCODING=BASE64;VALUE=BINARY:AAAA
 AAAA
DESCRIPTION:Unterlagen mitbringen.\\nEingang im
  Hof.
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:Weckruf
END:VALARM
END:VEVENT
"""
FAIR = """BEGIN:VEVENT
DTSTART;VALUE=DATE:20260401
DTEND;VALUE=DATE:20260404
SUMMARY:Messe
END:VEVENT
"""


def ics(*objects: str, head: str = "") -> bytes:
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\n{head}{''.join(objects)}END:VCALENDAR\n"
    return text.replace("\n", "\r\n").encode()


def read(data: bytes) -> Reading:
    return calendar.read(data, "c.ics", "text/calendar")


def event(*lines: str) -> str:
    """Return the text of an event with a summary and these lines."""
    whole = "\n".join(("BEGIN:VEVENT", "SUMMARY:X", *lines, "END:VEVENT", ""))
    return read(ics(whole)).blocks[0].text.removeprefix("X; ")


def test_an_event_says_when_where_who_and_how_often() -> None:
    reading = read(ics(DENTIST, FAIR, head="X-WR-CALNAME:Haus\n"))
    assert [block.text for block in reading.blocks] == [
        "Zahnarzt, Dr. Müller; 2026-03-01 10:00 to 11:30 (Europe/Berlin); "
        "Repeats: every 2 weeks on Monday, Wednesday until 2026-06-30; "
        "Except: 2026-03-15 10:00; Place: Köln; Organiser: Anna <anna@x.example>; "
        "Attendees: Bob <bob@x.example> (accepted), carl@x.example; "
        "Unterlagen mitbringen. Eingang im Hof.",
        "Messe; 2026-04-01 to 2026-04-03",
    ]
    assert (reading.kind, reading.title) == ("calendar", "Haus")


def test_a_quotation_from_a_calendar_opens_at_its_event() -> None:
    data = ics(DENTIST, FAIR)
    document = document_of(read(data), uri="x", digest=b"", modified_at=NOW)
    chunk = next(chunk for chunk in document.chunks if "Messe" in chunk.text)
    place = located(chunk, 0, 5)
    assert place == Place(heading=("Messe",), line=24, last_line=24)
    assert data.decode().split("\r\n")[23] == "BEGIN:VEVENT"
    assert document.language == "de"


def test_a_calendar_of_one_event_is_named_after_it() -> None:
    assert read(ics(FAIR)).title == "Messe"
    assert read(ics(FAIR, DENTIST)).title == "c.ics"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["DTSTART:20260301T100000Z"], "2026-03-01 10:00 (UTC)"),
        (["DTSTART:20260301T100000"], "2026-03-01 10:00"),
        (["DTSTART;VALUE=DATE:20260301"], "2026-03-01"),
        (
            ["DTSTART:20260301T230000", "DTEND:20260302T010000"],
            "2026-03-01 23:00 to 2026-03-02 01:00",
        ),
        (["DTSTART:20260301T100000", "DURATION:PT1H30M"], "2026-03-01 10:00 to 11:30"),
        (
            ["DTSTART;TZID=Mitteleuropa:20260301T100000"],
            "2026-03-01 10:00 (Mitteleuropa)",
        ),
        (["DTSTART;VALUE=DATE:20260301", "DTEND;VALUE=DATE:20260302"], "2026-03-01"),
        (["RECURRENCE-ID:20260308T100000Z"], "Instead of: 2026-03-08 10:00 (UTC)"),
        (["STATUS:CANCELLED", "CATEGORIES:a,b"], "Status: CANCELLED; Categories: a, b"),
    ],
)
def test_times_are_said_on_their_own_clock(lines: Sequence[str], said: str) -> None:
    assert event(*lines) == said


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"FREQ": ["DAILY"]}, "every day"),
        ({"FREQ": ["MONTHLY"], "BYDAY": ["1MO"]}, "every month on the first Monday"),
        ({"FREQ": ["MONTHLY"], "BYDAY": ["-1FR"]}, "every month on the last Friday"),
        (
            {"FREQ": ["YEARLY"], "BYMONTH": [3], "BYMONTHDAY": [15], "COUNT": [10]},
            "every year on day 15 in March 10 times",
        ),
        ({"FREQ": ["MONTHLY"], "BYSETPOS": [-1]}, "every month (BYSETPOS=-1)"),
    ],
)
def test_a_rule_is_said_in_words(rule: Mapping[str, Sequence[Any]], said: str) -> None:
    assert recurrence.words(rule) == said


def test_a_broken_event_costs_itself_and_is_named() -> None:
    broken = "BEGIN:VEVENT\nSUMMARY:Y\nDTSTART:2026XX\nRRULE:FREQ=EVER\nEND:VEVENT\n"
    reading = read(ics(broken, FAIR))
    assert [block.place.heading for block in reading.blocks] == [("Y",), ("Messe",)]
    assert reading.blocks[1].text == "Messe; 2026-04-01 to 2026-04-03"
    assert all(flaw.startswith("VEVENT at line 3") for flaw in reading.flaws)
    assert len(reading.flaws) == 2


def test_a_calendar_that_was_cut_off_is_read_as_far_as_it_goes() -> None:
    data = ics(FAIR, DENTIST)
    reading = read(data[: data.index(b"LOCATION")])
    assert [block.place.heading[0] for block in reading.blocks] == ["Messe", "Zahnarzt, Dr. Müller"]
    assert reading.flaws == ("VEVENT at line 8 has no end: the file was cut off or damaged",)


def test_only_so_many_events_are_read() -> None:
    reading = read(ics("BEGIN:VTODO\nSUMMARY:x\nEND:VTODO\n" * (OBJECTS + 1)))
    assert len(reading.blocks) == OBJECTS
    assert reading.flaws == (f"only the first {OBJECTS} entries are read; split the file",)


CARD = """BEGIN:VCARD
VERSION:3.0
N:Müller;Anna;;Dr.;
FN:Dr. Anna Müller
ORG:Klinik;Haus 2
TEL;TYPE=WORK,VOICE:+49 221 1
EMAIL;TYPE=INTERNET:anna@x.example
ADR;TYPE=HOME:;;Ring 1;Köln;;50667;Deutschland
item1.URL:http://x.example
PHOTO;ENCODING=b;TYPE=JPEG:AAAA
 AAAA
NOTE:Hat den Schlüssel\\, immer.
END:VCARD
"""
OLD = """BEGIN:VCARD
VERSION:2.1
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Zo=C3=AB =
M=C3=BCller
TEL;CELL:123
NOTE:rot, blau\\, gelb
END:VCARD
"""
NEW = """BEGIN:VCARD
VERSION:4.0
FN:Bob
TEL;VALUE=uri;TYPE="cell,home":tel:+1-555
END:VCARD
"""


def test_a_card_of_any_version_says_who_and_how_to_reach_them() -> None:
    data = (CARD + OLD + NEW).replace("\n", "\r\n").encode()
    reading = contacts.read(data, "c.vcf", "text/vcard")
    assert [(block.text, str(block.place)) for block in reading.blocks] == [
        (
            "Dr. Anna Müller; Organisation: Klinik, Haus 2; Email: anna@x.example; "
            "Phone (work): +49 221 1; Address (home): Ring 1 Köln, 50667 Deutschland; "
            "Link: http://x.example; Note: Hat den Schlüssel, immer.",
            'line 1, "Dr. Anna Müller"',
        ),
        ("Zoë Müller; Phone (cell): 123; Note: rot, blau, gelb", 'line 14, "Zoë Müller"'),
        ("Bob; Phone (cell, home): tel:+1-555", 'line 21, "Bob"'),
    ]
    assert (reading.kind, reading.title) == ("contacts", "c.vcf")


def test_a_note_that_is_broken_into_half_a_million_lines_is_read_in_bearable_time() -> None:
    note = "NOTE;ENCODING=QUOTED-PRINTABLE:" + "a=\n" * 500_000 + "needle\n"
    card = f"BEGIN:VCARD\nVERSION:2.1\nFN:Bob\n{note}END:VCARD\n"
    began = time.process_time()
    (block,) = contacts.read(card.encode(), "c.vcf", "text/vcard").blocks
    assert block.text.endswith("aaneedle")
    assert time.process_time() - began < 5


def test_a_quotation_from_contacts_opens_at_its_card() -> None:
    reading = contacts.read((OLD + CARD).encode(), "c.vcf", "text/vcard")
    document = document_of(reading, uri="x", digest=b"", modified_at=NOW)
    chunk = next(chunk for chunk in document.chunks if "Schlüssel" in chunk.text)
    at = chunk.text.index("Schlüssel")
    place = located(chunk, at, at + 9)
    assert place == Place(heading=("Dr. Anna Müller",), line=8, last_line=8)


def test_nothing_to_read_is_said() -> None:
    with pytest.raises(UnreadableError, match=r"^c\.vcf is a file of contacts without anything"):
        contacts.read(b"BEGIN:VCARD\nPHOTO:AAAA\nEND:VCARD\n", "c.vcf", "text/vcard")
