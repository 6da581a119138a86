"""The rest of an answer meets what stands of it without a gap, a doubling or a repetition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.seam import REPEATED_LETTERS, Seam

STANDS = "The pump has a warranty"


def joined(stands: str, *pieces: str) -> str:
    seam = Seam(stands)
    return stands + "".join(seam.add(piece) for piece in pieces) + seam.rest()


@pytest.mark.parametrize(
    ("stands", "pieces", "whole"),
    [
        (STANDS, [" of two", " years."], "The pump has a warranty of two years."),
        (f"{STANDS} ", [" of", " two"], "The pump has a warranty of two"),
        (f"{STANDS}\n", ["\n\n", "Two"], "The pump has a warranty\n\nTwo"),
        (f"{STANDS}:\n", [" Two"], "The pump has a warranty:\nTwo"),
        (STANDS, ["The pump", " has a", " warranty of two."], "The pump has a warranty of two."),
        (STANDS, ["\n", STANDS, " of two."], "The pump has a warranty of two."),
        (STANDS, ["The pump", " has a war"], STANDS),
        (STANDS, ["The pumps differ."], "The pump has a warrantyThe pumps differ."),
        ("The", ["The", " end"], "TheThe end"),
        ("", ["  Two", " years"], "  Two years"),
        (STANDS, [], STANDS),
    ],
)
def test_what_stands_and_what_comes_make_one_text(
    stands: str, pieces: list[str], whole: str
) -> None:
    assert joined(stands, *pieces) == whole


def test_a_rest_is_shown_as_soon_as_it_says_something_new() -> None:
    seam = Seam(STANDS)

    assert seam.add("The pump") == ""
    assert seam.add(" is") == "The pump is"
    assert seam.add(" blue") == " blue"


@given(
    st.text(alphabet="ab \n", max_size=40),
    st.lists(st.text(alphabet="ab \n", max_size=8), max_size=8),
)
def test_no_word_of_a_rest_is_lost_unless_it_repeats_the_beginning(
    stands: str, pieces: list[str]
) -> None:
    rest = "".join(pieces)
    whole = joined(stands, *pieces)

    assert whole.startswith(stands)
    repeats = len(stands.strip()) >= REPEATED_LETTERS and rest.lstrip().startswith(
        stands.strip()[:REPEATED_LETTERS]
    )
    if not repeats:
        assert whole[len(stands) :].split() == rest.split()
