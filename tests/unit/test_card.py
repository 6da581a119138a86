"""The card is what the driver's program tells, or what a person supposes."""

import pytest

from agent.errors import UsageError
from agent.models import card


def test_every_card_of_the_driver_is_read() -> None:
    told = "NVIDIA GeForce RTX 4090, 24564, 23010\nNVIDIA RTX A2000, 6138, 5900\n\nno card\n"
    cards = card.cards_of(told)

    assert [one.name for one in cards] == ["NVIDIA GeForce RTX 4090", "NVIDIA RTX A2000"]
    assert cards[0].total_bytes == 24_564 << 20
    assert cards[0].free_bytes == 23_010 << 20


def test_memory_that_is_not_told_is_no_card() -> None:
    assert card.cards_of("NVIDIA Grace, [N/A], [N/A]\n") == []


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


def test_a_machine_without_the_driver_has_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert card.found() is None
