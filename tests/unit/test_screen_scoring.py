"""How found elements are scored against drawn ones."""

import numpy as np
import pytest

from agent.bench.screen.drawing import Screenshot, screenshot
from agent.bench.screen.pen import Drawn
from agent.bench.screen.scoring import Found, Score, distance
from memory.places import Box
from tools.senses.screen import Kind


def at(left: float, top: float, right: float, bottom: float) -> Box:
    return Box(left=left, top=top, right=right, bottom=bottom)


BUTTON = Drawn(kind=Kind.BUTTON, box=at(0, 0, 100, 30), text="Save")
TEXT = Drawn(kind=Kind.TEXT, box=at(200, 0, 300, 12), text="Hello")


def scored(*found: Found) -> Score:
    score = Score()
    shot = Screenshot(
        seed=0,
        pixels=np.zeros((1, 1, 3), np.uint8),
        elements=(BUTTON, TEXT),
        open=(at(500, 500, 600, 600),),
    )
    score.add(shot, found)
    return score


def test_what_was_drawn_scores_in_full() -> None:
    told = scored(*(Found(kind=d.kind, box=d.box, text=d.text) for d in (BUTTON, TEXT))).told()
    assert (told["recall"], told["precision"], told["text_accuracy"]) == (1.0, 1.0, 1.0)
    assert told["by_kind"]["button"]["recall_with_kind"] == 1.0
    assert told["by_kind"]["window"]["recall"] is None


def test_another_kind_a_wrong_letter_and_a_missing_element_cost() -> None:
    told = scored(Found(kind=Kind.FIELD, box=BUTTON.box, text="Safe")).told()
    assert (told["recall"], told["precision"]) == (0.5, 1.0)
    assert told["recall_with_kind"] == 0.0
    assert told["text_accuracy"] == pytest.approx(3 / 9)
    assert told["by_kind"]["field"]["precision"] == 0.0


def test_a_box_that_is_too_large_does_not_match() -> None:
    told = scored(Found(kind=Kind.BUTTON, box=at(0, 0, 100, 50), text="Save")).told()
    assert told["recall"] == 0.0
    assert told["found"] == 1


def test_an_element_counts_once() -> None:
    twice = Found(kind=Kind.BUTTON, box=BUTTON.box, text="Save")
    told = scored(twice, twice).told()
    assert (told["recall"], told["precision"]) == (0.5, 0.5)


def test_where_nothing_is_judged_nothing_counts() -> None:
    assert scored(Found(kind=Kind.ICON, box=at(510, 510, 530, 530), text="")).told()["found"] == 0


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [("", "", 0), ("a", "", 1), ("Save", "Safe", 1), ("kitten", "sitting", 3)],
)
def test_letters_that_differ_are_counted(one: str, other: str, wanted: int) -> None:
    assert distance(one, other) == distance(other, one) == wanted


def test_a_seed_draws_the_same_screenshot_with_elements_in_it() -> None:
    one, other = screenshot(7), screenshot(7)
    assert np.array_equal(one.pixels, other.pixels)
    assert one.elements == other.elements
    height, width = one.pixels.shape[:2]
    assert len(one.elements) > 10
    for element in one.elements:
        assert 0 <= element.box.left < element.box.right <= width
        assert 0 <= element.box.top < element.box.bottom <= height
    assert not np.array_equal(one.pixels, screenshot(9).pixels)
