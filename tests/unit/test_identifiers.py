"""Identifiers and paths by their parts."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.identifiers import parts, split


@pytest.mark.parametrize(
    ("compound", "expected"),
    [
        ("getUserName", "get User Name"),
        ("HTTPServerError", "HTTP Server Error"),
        ("parseJSON2", "parse JSON2"),
        ("memory/store.py", "store.py memory store py"),
        ("/etc/nginx/nginx.conf", "nginx.conf etc nginx nginx conf"),
        ("store.py", "store py"),
        ("os.path.join", "os path join"),
        ("self.max_retries", "self max retries"),
        ("src/main/userRepository.kt", "userRepository.kt src main user Repository kt"),
        ("my-module.test.js", "my module test js"),
        ("größeÄndern.py", "größeÄndern py"),
        ("max_size", ""),
        ("well-known", ""),
        ("word", ""),
        ("WORD", ""),
        ("Word", ""),
        ("sha256", ""),
        ("1.5.2", ""),
    ],
)
def test_a_compound_is_followed_by_its_parts(compound: str, expected: str) -> None:
    assert split(compound) == f"{compound} {expected}".strip()


def test_what_stands_round_a_compound_stays() -> None:
    text = "Call  os.getcwd(), then\n\tstop. Really."
    assert split(text) == "Call  os.getcwd os getcwd(), then\n\tstop. Really."


def test_prose_stays_as_it_is() -> None:
    text = "Well-known facts; and others, too: 12.5 % of 30,000 (see above). He said: no!"
    assert split(text) == text


def test_encoded_data_is_left_alone() -> None:
    assert parts("aB" * 200) == []


@given(st.text(st.sampled_from("aB1_./-: \nü本"), max_size=300))
def test_nothing_is_lost_and_growth_is_bounded(text: str) -> None:
    made = split(text)
    assert len(made) <= 4 * len(text)
    kept = iter(made)
    assert all(letter in kept for letter in text)


@pytest.mark.parametrize("unit", ["a.", "a/", "aB", "a_", "a-", "A", ".", "getName "])
def test_it_takes_time_in_proportion_to_the_text(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    began = time.process_time()
    assert len(split(text)) <= 4 * len(text)
    assert time.process_time() - began < 4


@given(st.text(st.sampled_from("abAB1_./- é本,\n"), max_size=40))
def test_words_that_are_passed_over_have_no_parts(text: str) -> None:
    everywhere = re.compile(r"\w+(?:[./-]\w+)*")
    assert split(text) == everywhere.sub(lambda one: " ".join([one[0], *parts(one[0])]), text)
