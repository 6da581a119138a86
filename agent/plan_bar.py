"""A card as a bar of characters, each standing for as many bytes. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LEAST_WIDTH, MOST_WIDTH = 24, 96


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A piece of the bar."""

    name: str
    bytes: int
    block: str
    letter: str
    """In place of the block where a terminal has letters only."""


def parts(card: Mapping[str, Any]) -> list[Part]:
    """Return what lies on a card, with the heaviest chosen sense and what is then left."""
    need = card["need"]
    heaviest = next((one for one in card["beside"] if one["name"] == card["heaviest"]), None)
    sense = 0 if heaviest is None else heaviest["bytes"] + heaviest["process_bytes"]
    spare = card["headroom_bytes"] - sense
    found = [
        Part(name="others", bytes=card["foreign_bytes"], block="▚", letter="x"),
        Part(name="weights", bytes=need["weights"], block="█", letter="W"),
        Part(name="cache", bytes=need["cache"], block="▓", letter="K"),
        Part(name="buffer", bytes=need["buffer"], block="▒", letter="B"),
        Part(name="context", bytes=need["process"], block="░", letter="C"),
        Part(name=card["heaviest"] or "sense", bytes=sense, block="◇", letter="S"),
        Part(name="free", bytes=max(0, spare), block="·", letter="."),
    ]
    return [part for part in found if part.bytes > 0]


def lines(card: Mapping[str, Any], *, width: int, blocks: bool) -> Iterator[str]:
    """Draw the card; what is beyond its end is drawn beyond a mark."""
    drawn = parts(card)
    end = max(sum(part.bytes for part in drawn), card["exposed_bytes"])
    room = min(MOST_WIDTH, max(LEAST_WIDTH, width))
    counts = _shared([part.bytes for part in drawn], room)
    yield "".join(
        (part.block if blocks else part.letter) * count
        for part, count in zip(drawn, counts, strict=True)
    )
    beyond = end - card["exposed_bytes"]
    if beyond > 0:
        place = max(1, min(room - 1, round(room * card["exposed_bytes"] / end)))
        mark = "▲" if blocks else "^"
        yield f"{' ' * place}{mark} the card ends here"
    yield "  ".join(f"{part.block if blocks else part.letter} {part.name}" for part in drawn)


def _shared(sizes: Sequence[int], room: int) -> list[int]:
    """Return how many characters each size gets: one at least, and `room` together."""
    whole = sum(sizes)
    exact = [size * room / whole for size in sizes]
    counts = [max(1, int(one)) for one in exact]
    by_rest = sorted(range(len(sizes)), key=lambda one: counts[one] - exact[one])
    for number in range(max(0, room - sum(counts))):
        counts[by_rest[number % len(sizes)]] += 1
    while sum(counts) > room:
        counts[counts.index(max(counts))] -= 1
    return counts
