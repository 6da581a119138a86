"""Whom a mail is between, and what it answers."""

import time

import pytest

from memory.messages import Message
from tools.reading import correspondence
from tools.reading.correspondence import addresses, ancestors, message_id, message_of


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("Zoë <Zoe@Pumps.example>", ("zoe@pumps.example",)),
        ("zoe@pumps.example (Zoë)", ("zoe@pumps.example",)),
        ("a@x.example, B <b@x.example>;c@x.example", ("a@x.example", "b@x.example", "c@x.example")),
        ("undisclosed-recipients:;", ()),
        ("=?utf-8?q?Carver=2C_Zo=C3=AB?= <zoe@x.example>", ("zoe@x.example",)),
        ('"Carver, Zoë" <zoe@x.example>', ("zoe@x.example",)),
        ("a@x.example, A@X.example", ("a@x.example",)),
        ("nobody", ()),
        ("", ()),
    ],
)
def test_addresses_stand_alone_and_once(header: str, found: tuple[str, ...]) -> None:
    assert addresses([header]) == found


@pytest.mark.parametrize(
    "header",
    [
        '"boss@bank.example" <thief@x.example>',
        "boss@bank.example <thief@x.example>",
        "(boss@bank.example) thief@x.example",
        '"a\\" boss@bank.example" <thief@x.example>',
        '"boss@bank.example, " <thief@x.example>',
        "<boss@bank.example> <thief@x.example>",
        "=?utf-8?q?boss=40bank=2Eexample?= <thief@x.example>",
    ],
)
def test_a_name_is_not_taken_for_an_address(header: str) -> None:
    assert addresses([header]) == ("thief@x.example",)


def test_a_name_that_nothing_closes_hides_no_address() -> None:
    assert addresses(['"Zoë <zoe@x.example>']) == ("zoe@x.example",)


def test_an_id_loses_its_brackets_and_its_folds() -> None:
    assert message_id(" <a.b\r\n c@x>") == "a.bc@x"
    assert message_id("bare@x") == "bare@x"
    assert message_id("  ") == ""


def chain(references: str = "", in_reply_to: str = "", own: str = "me@x") -> list[str]:
    return ancestors(references, in_reply_to, own=own, strangers={"ann@x.example"})


def test_the_parent_is_the_last_reference() -> None:
    assert chain("<a@x> <b@x>\n <c@x>", "<other@x>") == ["a@x", "b@x", "c@x"]


def test_without_references_the_parent_is_the_first_that_is_replied_to() -> None:
    assert chain("", "Your message of Monday <a@x> and <b@x>") == ["a@x"]


def test_a_mail_is_not_its_own_ancestor_nor_is_an_address() -> None:
    assert chain("<me@x> <a@x> <me@x>") == ["a@x"]
    assert chain("", "<me@x>") == []
    assert chain("", "Ann <Ann@x.example>'s message of Monday") == []


def test_of_an_id_that_stands_twice_the_nearer_place_counts() -> None:
    assert chain("<a@x> <b@x> <a@x>") == ["b@x", "a@x"]


def test_of_thousands_of_references_the_first_and_the_nearest_are_kept() -> None:
    kept = chain(" ".join(f"<{n:09}@long.example.org>" for n in range(5_000)))
    assert len(kept) == correspondence.IDS
    assert kept[0] == "000000000@long.example.org"
    assert kept[-2:] == ["000004998@long.example.org", "000004999@long.example.org"]


def test_a_mail_says_who_it_is() -> None:
    raw = {
        "from": ["Ann <ann@x.example>"],
        "to": ["B <b@x.example>", "c@x.example"],
        "cc": ["b@x.example"],
        "message-id": ["<1@x>", "<2@x>"],
    }
    assert message_of(raw, "Re: Pump", "digest") == Message(
        message_id="1@x",
        sender="ann@x.example",
        recipients=("b@x.example", "c@x.example"),
        topic="pump",
        answers=True,
    )
    assert message_of(raw, "Re: Pump", "digest").orphan


def test_a_mail_without_an_id_goes_by_its_digest() -> None:
    bare = message_of({}, "", "0f")
    assert bare == Message(message_id="sha256:0f")
    assert not bare.orphan


@pytest.mark.parametrize(
    "header",
    [
        '"' * 900_000,
        "(" * 900_000,
        "<" * 900_000,
        "a" * 900_000,
        '\\"' * 400_000,
        "a@b, " * 200_000,
    ],
)
def test_a_header_made_to_take_long_does_not(header: str) -> None:
    began = time.process_time()
    assert len(addresses([header])) <= correspondence.ADDRESSES
    assert len(chain(header, header)) <= correspondence.IDS
    message_id(header)
    assert time.process_time() - began < 2
