"""How much graphics memory there is, as the driver tells without taking any of it."""

from dataclasses import dataclass

from agent.models.sizes import size_of
from agent.residency import nvml


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """A graphics card, or one that was supposed."""

    name: str
    total_bytes: int
    free_bytes: int | None
    """None where it was only supposed."""


def found() -> Card | None:
    """Return the card with the most memory that NVIDIA's driver knows; None where there is none."""
    try:
        there = nvml.chosen().card
    except nvml.NoDriverError:
        return None
    return Card(name=there.name, total_bytes=there.total_bytes, free_bytes=there.free_bytes)


def supposed(text: str) -> Card:
    """Return a card of a size such as `24GiB`. Raises UsageError."""
    size = size_of(text, "--vram")
    return Card(name=f"a card of {text.strip()}", total_bytes=size, free_bytes=None)
