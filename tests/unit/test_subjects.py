"""What subjects are about."""

import time

import pytest

from tools.reading.subjects import LETTERS, topic

REPLIES = [
    "Re: Pump",
    "RE:Pump",
    "Re[2]: Pump",
    "Re(3): pump",
    "AW: Pump",
    "SV: Pump",
    "Antw: Re: AW: Pump",
    "R: Pump",
    "RIF: Pump",
    "Odp: Pump",
    "回复：Pump",
    "Re: [ILUG] Pump",
    "[ILUG] Re: [ILUG] Re: Pump",
    "Re: Pump (fwd)",
    "Re: [Fwd: Pump]",
    "  Re :  Pump ",
]


@pytest.mark.parametrize("subject", REPLIES)
def test_a_reply_is_about_what_it_answers(subject: str) -> None:
    assert topic(subject) == ("pump", True)


@pytest.mark.parametrize(
    "subject", ["Pump", "[ILUG] Pump", "Fwd: Pump", "WG: Pump", "[Fwd: [x] Pump]", "Pump (fwd)"]
)
def test_a_mail_that_was_passed_on_is_no_reply(subject: str) -> None:
    assert topic(subject) == ("pump", False)


@pytest.mark.parametrize(
    ("subject", "about"),
    [
        ("Report: filters", "report: filters"),
        ("Are you there?", "are you there?"),
        ("[urgent]", "[urgent]"),
        ("Restart: now", "restart: now"),
        ("", ""),
        ("Straße: offen", "strasse: offen"),
    ],
)
def test_what_only_looks_like_a_prefix_stays(subject: str, about: str) -> None:
    assert topic(subject) == (about, False)


@pytest.mark.parametrize(
    "subject", ["Re: " * 200_000, "[a]" * 200_000, "[fwd: " * 9_000, "(fwd)" * 9_000]
)
def test_a_subject_made_to_take_long_does_not(subject: str) -> None:
    began = time.process_time()
    assert len(topic(subject)[0]) <= LETTERS
    assert time.process_time() - began < 1
