"""Places in words, in JSON, and joined."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.places import Box, Place, spanning

COUNTED = st.none() | st.integers(1, 999)
SECONDS = st.none() | st.floats(0, 9000)
CORNER = st.floats(-1e4, 1e4)
BOXES = st.builds(Box, left=CORNER, top=CORNER, right=CORNER, bottom=CORNER)
PLACES = st.builds(
    Place,
    part=st.none() | st.text(max_size=8),
    heading=st.lists(st.text(max_size=8), max_size=3).map(tuple),
    page=COUNTED,
    line=COUNTED,
    last_line=COUNTED,
    paragraph=COUNTED,
    last_paragraph=COUNTED,
    start_s=SECONDS,
    end_s=SECONDS,
    box=st.none() | BOXES,
)


@given(PLACES)
def test_a_place_survives_json(place: Place) -> None:
    assert Place.from_json(json.loads(json.dumps(place.to_json()))) == place


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (Place(), ""),
        (Place(page=3, heading=("Care", "Filters")), 'page 3, "Care > Filters"'),
        (Place(line=7), "line 7"),
        (Place(line=7, last_line=7), "line 7"),
        (Place(line=7, last_line=9), "lines 7-9"),
        (Place(part="note.wav", start_s=4.04, end_s=67.25), "in note.wav, 0:04.0-1:07.2"),
        (Place(paragraph=4), "paragraph 4"),
        (Place(paragraph=4, last_paragraph=6, heading=("A",)), 'paragraphs 4-6, "A"'),
        (Place(start_s=3600.0), "60:00.0"),
        (Place(box=Box(left=1.4, top=2.6, right=30, bottom=40)), "box 1,3-30,40"),
    ],
)
def test_a_place_is_said_in_words(place: Place, said: str) -> None:
    assert str(place) == said


@given(st.floats(0, 9000))
def test_a_time_never_has_sixty_seconds(seconds: float) -> None:
    minutes, rest = str(Place(start_s=seconds)).split(":")
    assert float(rest) < 60
    assert int(minutes) * 60 + float(rest) == pytest.approx(seconds, abs=0.051)


@given(BOXES, BOXES)
def test_the_union_of_boxes_holds_both(one: Box, other: Box) -> None:
    both = one.union(other)
    assert both == other.union(one)
    for box in (one, other):
        assert both.union(box) == both


def test_lines_and_seconds_span_from_the_first_to_the_last() -> None:
    lines = [Place(line=3, last_line=4), Place(line=5), Place(line=6, last_line=6)]
    assert spanning(lines) == Place(line=3, last_line=6)
    times = [Place(start_s=5.0, end_s=6.0), Place(start_s=1.0, end_s=2.0)]
    assert spanning(times) == Place(start_s=1.0, end_s=6.0)


def test_paragraphs_span_from_the_first_to_the_last() -> None:
    places = [Place(paragraph=3), Place(paragraph=4, last_paragraph=7), Place(paragraph=5)]
    assert spanning(places) == Place(paragraph=3, last_paragraph=7)


def test_a_place_that_was_stored_before_there_were_paragraphs_is_read() -> None:
    assert Place.from_json({"page": 3, "heading": ["A"]}) == Place(page=3, heading=("A",))


def test_of_headings_those_are_kept_that_all_have() -> None:
    assert spanning([Place(heading=("A", "B", "C")), Place(heading=("A", "B"))]).heading == (
        "A",
        "B",
    )
    assert spanning([Place(heading=("A",)), Place(heading=("B",))]).heading == ()


def test_boxes_on_different_pages_are_not_joined() -> None:
    box = Box(left=0, top=0, right=1, bottom=1)
    first = Place(page=1, box=box)
    assert spanning([first, Place(page=1, box=replace(box, right=5))]).box == replace(box, right=5)
    assert spanning([first, Place(page=2, box=box)]) == Place(page=1)


def test_lines_of_another_attachment_are_not_taken_for_lines_of_this_one() -> None:
    here, there = Place(part="a.md", line=8, last_line=9), Place(part="b.md", line=70, last_line=80)
    assert spanning([here, there]) == here
