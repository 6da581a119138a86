"""Words compared loosely."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.words import alike, content, matched, terms


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The pump's filter", "the pump filter"),
        ("Berta’s well-known E-Mail", "berta well known e mail"),
        ("at 8:30, 1,250.00 for 2026-0187", "at 8:30 1,250.00 for 2026-0187"),
        ("COVID-19, error E6", "covid 19 error e6"),
        ("l'eau, d'une, qu'elle", "eau une elle"),
        ("naïve CAFÉ ﬁlter Straße", "naïve café filter strasse"),
        ("foo_bar/baz.txt", "foo bar baz txt"),
        ("更换滤芯", "更换 换滤 滤芯"),
        ("每3个月ABC", "每 3 个月 abc"),
        ("Ω привет مرحبا", "ω привет مرحبا"),
        ("… — !", ""),
        ("", ""),
    ],
)
def test_terms(text: str, found: str) -> None:
    assert terms(text) == found.split()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("How often must the water filter be changed?", "often water filter changed"),
        ("Wann muss der Wasserfilter gewechselt werden?", "wasserfilter gewechselt werden"),
        ("I don't know what we'll do, it's the pump", "know pump"),
        ("储藏室的钥匙在哪里？", "储藏 藏室 室的 的钥 钥匙 匙在 哪里"),
        ("the the THE pump Pump", "pump"),
        ("plan B costs 5", "plan costs 5"),
    ],
)
def test_content_is_what_says_something_of_the_subject(text: str, found: str) -> None:
    assert content(text) == found.split()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("filter", "filters"),
        ("key", "keys"),
        ("bus", "buses"),
        ("change", "changed"),
        ("party", "parties"),
        ("wasserfilter", "filter"),
        ("wasserfilters", "filter"),
        ("wasserfilter", "filters"),
        ("schulführung", "führungen"),
        ("heizungsanlage", "anlage"),
        ("haus", "hauses"),
        ("滤芯", "滤芯"),
    ],
)
def test_the_same_word_with_another_ending_or_in_a_compound_is_alike(one: str, other: str) -> None:
    assert alike(one, other)
    assert alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("not", "note"),
        ("car", "card"),
        ("house", "mouse"),
        ("legal", "illegal"),
        ("connect", "disconnect"),
        ("possible", "impossible"),
        ("nine", "ninety"),
        ("seven", "seventeen"),
        ("sixteen", "sixty"),
        ("vier", "vierzig"),
        ("wasserfilter", "ölfilter"),
        ("wasserfilter", "wasserhahn"),
        ("e5", "e6"),
        ("1,250", "1,251"),
        ("滤芯", "滤网"),
    ],
)
def test_another_word_is_not_alike(one: str, other: str) -> None:
    assert not alike(one, other)
    assert not alike(other, one)


@given(st.text(max_size=12), st.text(max_size=12))
def test_being_alike_goes_both_ways(one: str, other: str) -> None:
    assert alike(one, one)
    assert alike(one, other) == alike(other, one)


@given(st.text(max_size=60))
def test_terms_are_pieces_of_the_text_without_spaces(text: str) -> None:
    found = terms(text)
    assert all(found)
    assert not [term for term in found if any(letter.isspace() for letter in term)]
    assert set(content(text)) <= set(found)


def test_matched_keeps_the_wanted_words() -> None:
    assert matched(["filters", "pump"], ["filter", "tank"]) == {"filters"}
