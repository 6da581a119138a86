"""Places in a picture that was looked at smaller."""

from dataclasses import replace

import numpy as np

from memory.places import Box
from tools.senses import original
from tools.senses.base import Prompt, Region, Sighting, TextLine
from tools.senses.pictures import Picture
from tools.senses.screen import Element, Kind

LARGE = Picture(pixels=np.zeros((100, 151, 3), np.uint8), width=601, height=400, scale=4)
WHOLE = Picture(pixels=np.zeros((100, 151, 3), np.uint8), width=151, height=100)
BOX = Box(left=10, top=20.5, right=30, bottom=40)
FOUR_TIMES = Box(left=40, top=82, right=120, bottom=160)


def test_text_lies_in_the_picture_that_was_handed_over() -> None:
    seen = Sighting(lines=(TextLine(text="Total", box=BOX, score=0.9),), width=151, height=100)
    told = original.sighting(seen, LARGE)
    assert told.lines == (replace(seen.lines[0], box=FOUR_TIMES),)
    assert (told.width, told.height) == (601, 400)
    assert original.sighting(seen, WHOLE) == seen


def test_a_box_does_not_go_beyond_the_picture() -> None:
    edge = Box(left=100, top=0, right=151, bottom=100)
    assert original.box(edge, LARGE) == Box(left=400, top=0, right=601, bottom=400)


def test_an_element_is_told_with_those_within_it() -> None:
    button = Element(kind=Kind.BUTTON, box=BOX, text="OK", score=1.0)
    window = Element(kind=Kind.WINDOW, box=BOX, text="", score=1.0, children=(button,))
    told = original.element(window, LARGE)
    assert told.box == told.children[0].box == FOUR_TIMES
    assert told.children[0].text == "OK"


def test_a_region_has_as_many_pixels_as_it_covers_in_the_picture() -> None:
    region = Region(box=BOX, pixels=5, score=0.5, mask=np.ones((20, 20), np.bool_))
    told = original.region(region, LARGE)
    assert (told.box, told.pixels) == (FOUR_TIMES, 80)
    assert told.mask is region.mask


def test_what_is_pointed_at_is_found_in_the_copy() -> None:
    asked = Prompt(points=[(40.0, 82.0)], inside=[True], box=FOUR_TIMES)
    told = original.prompt(asked, LARGE)
    assert (told.points, told.inside, told.box) == ([(10.0, 20.5)], [True], BOX)
    assert original.prompt(Prompt(points=[(1.0, 2.0)], inside=[True]), LARGE).box is None
