"""The bar of a card is as wide as it should be and hides nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import plan_bar

GIB = 1 << 30


def card(headroom: int = 5 * GIB, **change: Any) -> dict[str, Any]:
    return {
        "foreign_bytes": GIB // 2,
        "need": {"weights": 8 * GIB, "cache": 2 * GIB, "buffer": GIB // 3, "process": GIB // 2},
        "beside": [{"name": "whisper", "bytes": 2 * GIB, "process_bytes": GIB // 2}],
        "heaviest": "whisper",
        "headroom_bytes": headroom,
        "exposed_bytes": 16 * GIB + GIB // 3,
        **change,
    }


@pytest.mark.parametrize("width", [24, 40, 79, 96])
@pytest.mark.parametrize("blocks", [True, False])
def test_the_bar_is_exactly_as_wide_as_it_was_asked_to_be(width: int, blocks: bool) -> None:
    bar, legend = plan_bar.lines(card(), width=width, blocks=blocks)

    assert len(bar) == width
    assert blocks or (bar + legend).isascii()


def test_a_terminal_is_never_too_narrow_nor_too_wide() -> None:
    assert len(next(plan_bar.lines(card(), width=3, blocks=True))) == plan_bar.LEAST_WIDTH
    assert len(next(plan_bar.lines(card(), width=500, blocks=True))) == plan_bar.MOST_WIDTH


def test_what_is_beyond_the_card_is_drawn_beyond_a_mark() -> None:
    full = card(headroom=GIB, exposed_bytes=12 * GIB + GIB // 3)
    bar, mark, legend = plan_bar.lines(full, width=60, blocks=False)

    assert mark.endswith("^ the card ends here")
    assert "S" in bar[mark.index("^") :]
    assert "free" not in legend


@given(
    sizes=st.lists(st.integers(min_value=1, max_value=10**12), min_size=1, max_size=7),
    room=st.integers(min_value=24, max_value=96),
)
def test_every_part_is_seen_and_the_parts_fill_the_bar(sizes: list[int], room: int) -> None:
    counts = plan_bar._shared(sizes, room)

    assert sum(counts) == room
    assert min(counts) >= 1
