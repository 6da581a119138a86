import math
from itertools import permutations

import pytest

from tools.senses.layout import Corners, order

TABLE = [(x, y, 90 + 3 * (y % 7), 20) for y in (0, 40, 80, 120) for x in (0, 300, 600)]
COLUMNS = [
    (100, 0, 500, 30),
    *((0, 60 + 30 * row, 300, 20) for row in range(5)),
    *((340, 60 + 30 * row, 310, 20) for row in range(5)),
    (0, 230, 640, 20),
]
"""A title, two columns side by side, a line over both: left, top, width, height, as read."""


def corners(left: float, top: float, width: float, height: float, degrees: float) -> Corners:
    angle = math.radians(degrees)

    def turned(x: float, y: float) -> tuple[float, float]:
        return (
            x * math.cos(angle) - y * math.sin(angle),
            x * math.sin(angle) + y * math.cos(angle),
        )

    right, bottom = left + width, top + height
    return turned(left, top), turned(right, top), turned(right, bottom), turned(left, bottom)


def shuffled(count: int) -> list[int]:
    return [index * 7 % count for index in range(count)]


@pytest.mark.parametrize("degrees", [0, 1.5, -4, 90, -90, 179, 180])
def test_columns_are_read_one_after_the_other_however_the_page_lies(degrees: float) -> None:
    placed = [corners(*line, degrees) for line in COLUMNS]
    mixed = shuffled(len(placed))
    assert [mixed[index] for index in order([placed[i] for i in mixed])] == list(range(len(placed)))


@pytest.mark.parametrize("degrees", [0, 1.5, -1.5])
def test_a_table_is_read_row_by_row_on_a_slanted_page(degrees: float) -> None:
    lines = [*TABLE, (0, 160, 700, 20)]
    placed = [corners(*line, degrees) for line in lines]
    mixed = shuffled(len(placed))
    assert [mixed[index] for index in order([placed[i] for i in mixed])] == list(range(len(placed)))


def test_three_columns_are_read_one_after_the_other() -> None:
    lines = [(340 * column, 30 * row, 300, 20) for column in range(3) for row in range(4)]
    placed = [corners(*line, 0) for line in lines]
    by_rows = sorted(range(len(lines)), key=lambda index: lines[index][1])
    assert [by_rows[index] for index in order([placed[i] for i in by_rows])] == list(range(12))


def test_words_of_unequal_height_in_a_row_are_read_from_the_left() -> None:
    row = [corners(0, 10, 60, 20, 0), corners(80, 0, 60, 40, 0), corners(160, 14, 60, 20, 0)]
    for mixed in permutations(range(3)):
        assert [mixed[index] for index in order([row[i] for i in mixed])] == [0, 1, 2]


def test_no_lines_have_no_order() -> None:
    assert order([]) == []
