"""Mailbox files taken apart."""

import io
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.content import Content, Kind, detect
from tools.reading import envelopes, mbox
from tools.reading.base import UnreadableError
from tools.reading.containers import container_of
from tools.reading.mbox import Mailbox
from tools.reading.members import BrokenMember, Member

LINE = b"From ann@x.example Fri Feb 27 16:42:07 2026\n"


def letter(number: int, body: str = "It hums.", *extra: str) -> bytes:
    fields = [f"Message-ID: <{number}@x.example>", f"Subject: Pump {number}", *extra]
    return ("\n".join(fields) + f"\n\n{body}\n").encode()


def mailbox(*letters: bytes) -> bytes:
    return b"".join(LINE + one + b"\n" for one in letters)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inbox"


def members(path: Path) -> list[Member]:
    found = list(Mailbox().members(path))
    assert all(isinstance(one, Member) for one in found)
    return [one for one in found if isinstance(one, Member)]


def keys(path: Path, data: bytes) -> list[str]:
    path.write_bytes(data)
    return [member.key for member in members(path)]


def test_each_message_is_a_member_under_its_id_and_subject(path: Path) -> None:
    path.write_bytes(mailbox(letter(1), letter(2)))
    found = members(path)
    assert [(one.key, one.name) for one in found] == [
        ("1@x.example", "Pump 1"),
        ("2@x.example", "Pump 2"),
    ]
    assert [one.data for one in found] == [letter(1), letter(2)]
    assert {one.content for one in found} == {
        Content(kind=Kind.MAIL, media_type="message/rfc822"),
    }


def test_a_mailbox_is_told_by_its_content_and_a_single_mail_is_none() -> None:
    assert isinstance(container_of(detect(mailbox(letter(1)))), Mailbox)
    assert container_of(detect(b"From: a@x.example\nSubject: x\nDate: y\n\nz\n")) is None


@pytest.mark.parametrize(
    "line",
    [
        b"From - Fri Feb 27 16:42:07 2026",
        b"From MAILER-DAEMON Fri Feb 27 16:42:07 2026",
        b"From 1234567890@xxx Thu Jan 01 00:00:00 +0000 2015",
        b"From guido at python.example  Fri Feb 27 16:42:07 2026",
        b'From "a b"@x.example Fri Feb 27 16:42 2026 remote from y',
        b"From ???@??? Fri Feb 27 16:42:07 2026",
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_message_begins_as_any_program_writes_it(path: Path, line: bytes, end: bytes) -> None:
    one = letter(1) + b"\n"
    path.write_bytes((one + line + b"\n" + letter(2)).replace(b"\n", end))
    path.write_bytes((LINE + path.read_bytes()).replace(b"\r\n", b"\n").replace(b"\n", end))
    assert [member.key for member in members(path)] == ["1@x.example", "2@x.example"]


@pytest.mark.parametrize(
    "body",
    [
        "Hello,\n\nFrom Monday on at 10:30 in 2026 it hums.\nMore.",
        "Hello,\nFrom ann@x.example Fri Feb 27 16:42:07 2026\nSubject: x",
        "Hello,\n\nFrom here it goes.\nNote: nothing.",
        "Hello,\n\nFrom ann@x.example Fri Feb 27 16:42:07 2026\n\nand so on",
    ],
)
def test_a_line_of_prose_that_begins_with_from_begins_no_message(path: Path, body: str) -> None:
    path.write_bytes(mailbox(letter(1, body), letter(2)))
    first, second = members(path)
    assert body.encode() in first.data
    assert second.key == "2@x.example"


def test_marked_lines_lose_their_mark_in_the_body_alone(path: Path) -> None:
    path.write_bytes(mailbox(b">From y Mon\n" + letter(1, ">From here\n>>From there\n> From")))
    data = members(path)[0].data
    assert data.endswith(b"\n\nFrom here\n>From there\n> From\n")
    assert data.startswith(b">From y Mon\n")


def test_a_message_keeps_its_name_when_others_come_and_go(path: Path) -> None:
    nameless = b"Subject: none\n\nIt stops.\n"
    before = keys(path, mailbox(letter(1), nameless, letter(3)))
    after = keys(path, mailbox(letter(0), nameless, letter(3), letter(4)))
    assert before[1:] == after[1:3]
    assert len(before[1]) == 16


def test_what_programs_note_in_headers_changes_neither_name_nor_bytes(path: Path) -> None:
    nameless = b"Subject: none\n\nIt stops.\n"
    notes = (
        b"Status: RO\nX-Status: A\nX-Mozilla-Status: 0001\nX-Mozilla-Keys:\n \nX-UID: 7\n"
        b"X-Gmail-Labels: Inbox,\n Unread\nContent-Length: 10\nX-Keywords: x\n"
    )
    path.write_bytes(mailbox(letter(1), nameless))
    unread = members(path)
    path.write_bytes(mailbox(notes + letter(1), notes + nameless))
    assert members(path) == unread


def test_of_different_messages_with_one_id_each_has_a_name_and_a_copy_has_none(path: Path) -> None:
    found = keys(path, mailbox(letter(1), letter(1, "Other"), letter(1), letter(1, "Other")))
    assert found[0] == "1@x.example"
    assert found[1].startswith("1@x.example.")
    assert len(found) == 2


def test_a_name_is_one_short_word_whatever_the_id(path: Path) -> None:
    odd = [b"Message-ID: <%s>\nSubject: x\n\ny\n" % id_ for id_ in (b"a b#\xff\xfe%", b"x" * 9000)]
    first, second = keys(path, mailbox(*odd))
    assert first == "ab#%"
    assert second.startswith("sha256:")
    assert len(second) < 80


def test_a_message_of_any_size_is_cut_and_takes_no_memory_beyond(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mbox, "LARGEST_BYTES", 100_000)
    with path.open("wb") as file:
        file.write(LINE + b"Message-ID: <big@x>\nSubject: big\n\n")
        for _ in range(64):
            file.write(b"x" * 500_000 + b"\n\0\n")
        file.write(b"\n" + mailbox(letter(2)))
    tracemalloc.start()
    first, second = members(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (first.key, second.key) == ("big@x", "2@x.example")
    assert 100_000 < len(first.data) < 100_100
    assert peak < 3_000_000


def test_a_run_of_nul_bytes_that_a_crash_left_costs_nothing(path: Path) -> None:
    path.write_bytes(
        mailbox(letter(1)) + b"\0" * 300_000 + mailbox(letter(2)) + b"\0\0\n" + mailbox(letter(3))
    )
    assert [member.key[0] for member in members(path)] == ["1", "2", "3"]


def test_the_last_message_is_taken_as_far_as_it_has_been_written(path: Path) -> None:
    whole = mailbox(letter(1), letter(2, "It hums.\n" * 9))
    for end in range(len(mailbox(letter(1))) + len(LINE) + 30, len(whole), 17):
        assert keys(path, whole[:end]) == ["1@x.example", "2@x.example"]


def test_a_message_that_has_only_been_announced_is_named(path: Path) -> None:
    path.write_bytes(mailbox(letter(1)) + LINE)
    first, last = Mailbox().members(path)
    assert isinstance(first, Member)
    assert isinstance(last, BrokenMember)
    assert "has not been written yet" in last.reason


def test_what_is_appended_meanwhile_is_left_for_another_time(path: Path) -> None:
    path.write_bytes(mailbox(letter(1), letter(2)))
    found = Mailbox().members(path)
    assert next(found).key == "1@x.example"
    with path.open("ab") as file:
        file.write(mailbox(letter(3)))
    assert [one.key for one in found] == ["2@x.example"]
    assert len(members(path)) == 3


def test_a_mailbox_that_is_rewritten_meanwhile_is_said_to_be(path: Path) -> None:
    path.write_bytes(mailbox(*(letter(n, "It hums.\n" * 2_000) for n in range(5))))
    found = Mailbox().members(path)
    next(found)
    path.write_bytes(mailbox(*(letter(n, "It hums.\n" * 2_000) for n in range(1, 5))))
    with pytest.raises(OSError, match="rewritten while it was read"):
        list(found)


def test_a_mailbox_that_is_replaced_meanwhile_is_read_as_it_was(path: Path) -> None:
    path.write_bytes(mailbox(letter(1), letter(2)))
    found = Mailbox().members(path)
    next(found)
    other = path.with_name("other")
    other.write_bytes(mailbox(letter(9)))
    other.replace(path)
    assert [one.key for one in found] == ["2@x.example"]


def test_what_is_no_mailbox_is_refused(path: Path) -> None:
    path.write_bytes(b"Hello\n" + mailbox(letter(1)))
    with pytest.raises(UnreadableError, match="inbox does not begin as a mailbox does"):
        list(Mailbox().members(path))


ATTACKS = {
    "times without a year": b"From " + b"1:11 " * 500_000,
    "lines of nothing": LINE + b"\n" * 1_000_000,
    "announcements": LINE * 20_000,
    "headers without end": LINE + b"Subject: x\n" * 200_000,
    "status without end": LINE + b"Status:" + b"\n " * 300_000,
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_file_made_to_take_long_does_not(path: Path, name: str) -> None:
    path.write_bytes(ATTACKS[name])
    began = time.process_time()
    list(Mailbox().members(path))
    assert time.process_time() - began < 5


@given(
    st.lists(st.sampled_from([LINE, letter(1), letter(2, "x", "From: a"), b"\n", b"\0", b"From "]))
)
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_messages_within_the_limit(pieces: list[bytes]) -> None:
    data = b"".join(pieces)

    def found() -> Iterator[bytes | None]:
        return envelopes.messages(io.BytesIO(data), len(data), limit=50)

    # A line feed is put behind each.
    assert all(one is None or 1 < len(one) <= 52 for one in found())
