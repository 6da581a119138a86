"""Elements that were found, compared with those that were drawn."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.bench.screen.drawing import Screenshot
from agent.bench.screen.pen import Drawn
from memory.places import Box
from tools.senses.rectangles import area, common, overlap
from tools.senses.screen import Kind

SAME = 0.7
"""Least intersection over union of two boxes of the same element."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """An element as a way of finding them tells it."""

    kind: Kind | None
    """None where the way tells boxes only."""
    box: Box
    text: str


@dataclass(kw_only=True, slots=True)
class Count:
    """What became of some elements."""

    drawn: int = 0
    found: int = 0
    """What was told, apart from what is not judged."""
    boxes: int = 0
    """Drawn ones whose box was told."""
    kinds: int = 0
    """Those of them whose kind was told too."""
    letters: int = 0
    wrong_letters: int = 0
    """Of the texts of all drawn elements; of one that was not found all are wrong."""

    def add(self, other: "Count") -> None:
        """Add what became of others."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def told(self) -> dict[str, Any]:
        """Return counts and shares; a share of nothing is None."""
        return {
            "drawn": self.drawn,
            "found": self.found,
            "recall": _share(self.boxes, self.drawn),
            "precision": _share(self.boxes, self.found),
            "recall_with_kind": _share(self.kinds, self.drawn),
            "precision_with_kind": _share(self.kinds, self.found),
            "text_accuracy": _share(max(0, self.letters - self.wrong_letters), self.letters),
        }


@dataclass(slots=True)
class Score:
    """What became of all elements, and of those of each kind."""

    total: Count = field(default_factory=Count)
    by_kind: dict[Kind, Count] = field(default_factory=lambda: {kind: Count() for kind in Kind})

    def add(self, shot: Screenshot, found: Sequence[Found]) -> None:
        """Count one screenshot."""
        pairs = matched(shot.elements, found)
        for index, drawn in enumerate(shot.elements):
            one = found[pairs[index]] if index in pairs else None
            count = _judged(drawn, one)
            self.total.add(count)
            self.by_kind[drawn.kind].add(count)
        taken = set(pairs.values())
        for index, told in enumerate(found):
            if index in taken or not _is_open(told.box, shot.open):
                self.total.found += 1
                if told.kind is not None:
                    self.by_kind[told.kind].found += 1

    def told(self) -> dict[str, Any]:
        """Return all figures."""
        return {
            **self.total.told(),
            "by_kind": {kind.value: count.told() for kind, count in self.by_kind.items()},
        }


def matched(drawn: Sequence[Drawn], found: Sequence[Found]) -> Mapping[int, int]:
    """Return which drawn element is which found one, by their numbers.

    Those of one kind and the nearest come first.
    """
    near = [
        (two.kind is not one.kind, -overlap(one.box, two.box), i, j)
        for i, one in enumerate(drawn)
        for j, two in enumerate(found)
        if overlap(one.box, two.box) >= SAME
    ]
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, i, j in sorted(near):
        if i not in pairs and j not in taken:
            pairs[i] = j
            taken.add(j)
    return pairs


def distance(one: str, other: str) -> int:
    """Return how many letters have to be put in, taken out or changed."""
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, 1):
        last, row[0] = row[0], number
        for index, wanted in enumerate(other, 1):
            last, row[index] = (
                row[index],
                min(row[index] + 1, row[index - 1] + 1, last + (letter != wanted)),
            )
    return row[-1]


def _judged(drawn: Drawn, found: Found | None) -> Count:
    letters = len(drawn.text)
    if found is None:
        return Count(drawn=1, letters=letters, wrong_letters=letters)
    return Count(
        drawn=1,
        boxes=1,
        kinds=found.kind is drawn.kind,
        letters=letters,
        wrong_letters=min(distance(drawn.text, found.text), letters),
    )


def _is_open(box: Box, unjudged: Iterable[Box]) -> bool:
    """Return whether a box lies where nothing is judged."""
    return any(common(box, one) >= 0.7 * area(box) or overlap(box, one) >= 0.5 for one in unjudged)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
