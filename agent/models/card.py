"""How much graphics memory there is, as the driver tells without taking any of it."""

import re
import subprocess
from dataclasses import dataclass

from agent.models.sizes import size_of

_QUERY = (
    "nvidia-smi",
    "--query-gpu=name,memory.total,memory.free",
    "--format=csv,noheader,nounits",
)
_ANSWER_S = 5.0


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
        done = subprocess.run(  # noqa: S603 - a fixed command
            _QUERY, capture_output=True, text=True, timeout=_ANSWER_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    cards = cards_of(done.stdout)
    return max(cards, key=lambda card: card.total_bytes, default=None)


def cards_of(told: str) -> list[Card]:
    """Read what the driver's program tells: a line for each card, memory in mebibytes."""
    cards = []
    for line in told.splitlines():
        name, _, sizes = line.partition(",")
        numbers = re.fullmatch(r"\s*(\d+)\s*,\s*(\d+)\s*", sizes)
        if numbers:
            total, free = (int(number) << 20 for number in numbers.groups())
            cards.append(Card(name=name.strip(), total_bytes=total, free_bytes=free))
    return cards


def supposed(text: str) -> Card:
    """Return a card of a size such as `24GiB`. Raises UsageError."""
    size = size_of(text, "--vram")
    return Card(name=f"a card of {text.strip()}", total_bytes=size, free_bytes=None)
