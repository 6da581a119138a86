"""Elements of a screen from regions and lines."""

import numpy as np
import pytest

from memory.places import Box
from tools.senses import screen
from tools.senses.base import Region, TextLine
from tools.senses.screen import Element, Kind


def box(left: float, top: float, width: float, height: float) -> Box:
    return Box(left=left, top=top, right=left + width, bottom=top + height)


def region(left: float, top: float, width: float, height: float, filled: float = 1.0) -> Region:
    return Region(
        box=box(left, top, width, height),
        pixels=round(width * height * filled),
        score=0.9,
        mask=np.ones((1, 1), np.bool_),
    )


def line(text: str, left: float, top: float, width: float, height: float = 12) -> TextLine:
    return TextLine(text=text, box=box(left, top, width, height), score=0.99)


def seen(*parts: Region | TextLine) -> tuple[Element, ...]:
    regions = [one for one in parts if isinstance(one, Region)]
    lines = [one for one in parts if isinstance(one, TextLine)]
    return screen.elements(regions, lines, 1000, 800)


WINDOW = region(100, 100, 500, 400)
TITLE = line("Settings", 110, 108, 60)
CLOSE = region(578, 108, 12, 12)


def test_an_empty_screen_has_no_elements() -> None:
    assert seen() == ()
    assert seen(region(0, 0, 1000, 800)) == ()


def test_a_window_has_its_title_and_what_is_in_it() -> None:
    found = seen(
        WINDOW,
        TITLE,
        CLOSE,
        region(480, 450, 80, 28),
        line("Save", 506, 458, 28),
        line("Name:", 120, 160, 40),
        region(200, 152, 200, 28),
        line("Anna", 208, 160, 35),
    )
    assert [(one.kind, one.text) for one in found] == [(Kind.WINDOW, "Settings")]
    assert [(one.kind, one.text) for one in found[0].children] == [
        (Kind.ICON, ""),
        (Kind.TEXT, "Name:"),
        (Kind.FIELD, "Anna"),
        (Kind.BUTTON, "Save"),
    ]


def test_the_bar_and_the_ground_of_a_window_are_no_elements() -> None:
    found = seen(WINDOW, region(101, 101, 498, 30), region(101, 131, 498, 368), TITLE, CLOSE)
    assert [one.kind for one in screen.flattened(found)] == [Kind.WINDOW, Kind.ICON]
    assert found[0].text == "Settings"


def test_a_dialog_before_a_window_is_a_window_in_it() -> None:
    found = seen(
        WINDOW,
        TITLE,
        CLOSE,
        region(200, 200, 300, 150),
        line("Question", 210, 208, 60),
        region(480, 208, 12, 12),
        line("Really?", 220, 260, 50),
    )
    (window,) = found
    assert [(one.kind, one.text) for one in window.children][1] == (Kind.WINDOW, "Question")


def test_a_card_in_a_window_is_a_panel() -> None:
    found = seen(
        WINDOW,
        TITLE,
        CLOSE,
        region(120, 150, 200, 120),
        line("Storage", 134, 162, 60),
        line("Half full", 134, 190, 60),
    )
    card = found[0].children[1]
    assert card.kind is Kind.PANEL
    assert [one.text for one in card.children] == ["Storage", "Half full"]


@pytest.mark.parametrize(
    ("parts", "kind", "text"),
    [
        ([region(10, 10, 90, 30), line("Apply", 37, 18, 36)], Kind.BUTTON, "Apply"),
        ([region(10, 10, 240, 30), line("Anna", 18, 18, 36)], Kind.FIELD, "Anna"),
        ([region(10, 10, 240, 30)], Kind.FIELD, ""),
        ([region(10, 10, 16, 16)], Kind.ICON, ""),
        ([region(10, 10, 300, 200)], Kind.PANEL, ""),
        ([region(10, 10, 40, 36), line("7", 26, 20, 9, 12)], Kind.BUTTON, "7"),
        ([line("Hello", 10, 10, 40)], Kind.TEXT, "Hello"),
        ([line("X", 10, 10, 12)], Kind.ICON, ""),
        ([line("I", 10, 10, 3)], Kind.TEXT, "I"),
        ([region(10, 10, 14, 14), line("O", 11, 11, 12)], Kind.ICON, ""),
    ],
)
def test_a_part_alone_is_told_by_its_shape_and_its_text(
    parts: list[Region | TextLine], kind: Kind, text: str
) -> None:
    (found,) = seen(*parts)
    assert (found.kind, found.text) == (kind, text)


def test_a_field_to_choose_from_has_its_arrow_in_it() -> None:
    (found,) = seen(region(10, 10, 160, 30), line("Daily", 18, 18, 40), region(150, 20, 10, 6))
    assert (found.kind, found.text) == (Kind.FIELD, "Daily")
    assert [one.kind for one in found.children] == [Kind.ICON]


def test_of_nearly_the_same_regions_the_first_counts() -> None:
    (found,) = seen(region(10, 10, 90, 30), region(11, 11, 88, 28), line("Apply", 37, 18, 36))
    assert found.box == box(10, 10, 90, 30)


def test_a_region_that_is_a_line_of_text_is_left_out() -> None:
    (found,) = seen(region(10, 10, 60, 13), line("Settings", 10, 10, 60))
    assert found.kind is Kind.TEXT


def test_a_region_with_a_ragged_outline_is_an_icon_where_it_is_small_and_else_nothing() -> None:
    assert seen(region(100, 100, 300, 300, filled=0.3)) == ()
    (found,) = seen(region(100, 100, 30, 30, filled=0.3))
    assert found.kind is Kind.ICON


def test_elements_come_by_rows_each_from_the_left() -> None:
    found = seen(
        line("d", 300, 50, 5),
        line("beta", 200, 12, 30),
        line("alpha", 10, 10, 30),
        line("gamma", 10, 50, 30),
    )
    assert [one.text for one in found] == ["alpha", "beta", "gamma", "d"]


def test_a_region_without_an_area_is_left_out() -> None:
    assert seen(region(10, 10, 0, 20)) == ()


def test_json_has_the_whole_tree() -> None:
    (window,) = seen(WINDOW, TITLE, CLOSE, line("Hello", 150, 300, 40))
    told = screen.to_json(window)
    assert told["kind"] == "window"
    assert told["box"] == {"left": 100, "top": 100, "right": 600, "bottom": 500}
    assert [(one["kind"], one["text"]) for one in told["children"]] == [
        ("icon", ""),
        ("text", "Hello"),
    ]
