"""The card is what the driver's program tells, or what a person supposes."""

import pytest

from agent.errors import UsageError
from agent.models import card


@pytest.mark.parametrize(
    ("text", "size"),
    [("24GiB", 24 << 30), ("16 GB", 16_000_000_000), ("0.5TiB", 1 << 39), ("12g", 12_000_000_000)],
)
def test_a_card_is_supposed_by_its_size(text: str, size: int) -> None:
    assert card.supposed(text).total_bytes == size


@pytest.mark.parametrize("text", ["24", "", "big", "-3GiB", "0GiB", "24GiB extra"])
def test_what_is_no_size_is_named(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no size.*Write it as 24GiB"):
        card.supposed(text)
