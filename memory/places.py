"""The place of a text inside its source, so that a citation can be opened."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import reduce
from itertools import takewhile
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """A rectangle, from the upper left corner of what holds it.

    In pixels of an image; on a page in points, of which 72 make an inch.
    """

    left: float
    top: float
    right: float
    bottom: float

    def union(self, other: "Box") -> "Box":
        """Return the smallest box that holds both."""
        return Box(
            left=min(self.left, other.left),
            top=min(self.top, other.top),
            right=max(self.right, other.right),
            bottom=max(self.bottom, other.bottom),
        )

    def scaled(self, factor: float) -> "Box":
        """Return the same box where a side of what holds it is `factor` times as long."""
        return Box(
            left=self.left * factor,
            top=self.top * factor,
            right=self.right * factor,
            bottom=self.bottom * factor,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where in its source a text stands. What does not apply is None."""

    part: str | None = None
    """Name of the part of a container: an attachment, a picture in a text, a file of a book."""
    heading: tuple[str, ...] = ()
    """Headings from the outermost to the nearest."""
    page: int | None = None
    """Counted from 1."""
    line: int | None = None
    """First line, counted from 1."""
    last_line: int | None = None
    paragraph: int | None = None
    """First paragraph, counted from 1 over all of a text, empty ones and those of tables too."""
    last_paragraph: int | None = None
    start_s: float | None = None
    """Seconds from the beginning of a recording."""
    end_s: float | None = None
    box: Box | None = None

    def __str__(self) -> str:
        """Say the place in words, such as `page 3, "Filters"` or `0:04.0-0:07.5`."""
        words = []
        if self.part is not None:
            words.append(f"in {self.part}")
        if self.page is not None:
            words.append(f"page {self.page}")
        if self.line is not None:
            words.append(_counted("line", self.line, self.last_line))
        if self.paragraph is not None:
            words.append(_counted("paragraph", self.paragraph, self.last_paragraph))
        if self.start_s is not None:
            end = "" if self.end_s is None else f"-{_clock(self.end_s)}"
            words.append(f"{_clock(self.start_s)}{end}")
        if self.box is not None:
            box = self.box
            words.append(f"box {box.left:.0f},{box.top:.0f}-{box.right:.0f},{box.bottom:.0f}")
        if self.heading:
            words.append(f'"{" > ".join(self.heading)}"')
        return ", ".join(words)

    def to_json(self) -> dict[str, Any]:
        """Return what applies, for JSON columns."""
        held = {name: getattr(self, name) for name in self.__slots__}
        plain = {name: value for name, value in held.items() if value not in (None, ())}
        if self.heading:
            plain["heading"] = list(self.heading)
        if self.box is not None:
            plain["box"] = asdict(self.box)
        return plain

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Place":
        """Read what `to_json` wrote."""
        fields = dict(data)
        if "heading" in fields:
            fields["heading"] = tuple(fields["heading"])
        if "box" in fields:
            fields["box"] = Box(**fields["box"])
        return cls(**fields)


def spanning(places: Iterable[Place]) -> Place:
    """Return the place of a text that runs from the first of some places to the last.

    Of places that differ in part or page the first one's stands, with the lines, the paragraphs
    and the seconds of what stands in it; their boxes are left out.
    """
    all_places = tuple(places)
    first = all_places[0]
    here = [p for p in all_places if (p.part, p.page) == (first.part, first.page)]
    boxes = [p.box for p in here if p.box is not None and len(here) == len(all_places)]
    lines = [place.last_line or place.line for place in here]
    paragraphs = [place.last_paragraph or place.paragraph for place in here]
    return Place(
        part=first.part,
        heading=_shared(place.heading for place in all_places),
        page=first.page,
        line=min((place.line for place in here if place.line is not None), default=None),
        last_line=max((line for line in lines if line is not None), default=None),
        paragraph=min((p.paragraph for p in here if p.paragraph is not None), default=None),
        last_paragraph=max((number for number in paragraphs if number is not None), default=None),
        start_s=min((p.start_s for p in here if p.start_s is not None), default=None),
        end_s=max((p.end_s for p in here if p.end_s is not None), default=None),
        box=reduce(Box.union, boxes) if boxes else None,
    )


def _shared(headings: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the headings that all have in common, from the outermost."""
    return tuple(level[0] for level in takewhile(_alike, zip(*headings, strict=False)))


def _alike(names: tuple[str, ...]) -> bool:
    return len(set(names)) == 1


def _counted(noun: str, first: int, last: int | None) -> str:
    return f"{noun} {first}" if last in (None, first) else f"{noun}s {first}-{last}"


def _clock(seconds: float) -> str:
    """Minutes and seconds with a tenth: 64.25 is 1:04.2."""
    minutes, tenths = divmod(round(seconds * 10), 600)
    return f"{minutes}:{tenths / 10:04.1f}"
