"""Pictures: the recognised text, row by row, with its boxes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from memory.documents import Span
from memory.labels import Label, Origin
from memory.places import Box, Place, spanning
from tools.reading.base import Block, Reading
from tools.reading.perception import Perception
from tools.senses import original
from tools.senses.base import Sighting, TextLine
from tools.senses.pictures import Picture

LABEL = Label(origins=frozenset({Origin.PICTURE}))

SMALLEST_PIXELS = 16
"""Narrower or lower than this a picture holds no writing: a rule, a pixel that counts readers."""


async def read(decoded: Picture, name: str, media_type: str, perception: Perception) -> Reading:
    """Return the rows of text in a picture; most pictures have none. Raises `SenseFailedError`."""
    blocks: tuple[Block, ...] = ()
    flaws = decoded.flaws
    if min(decoded.pixels.shape[:2]) >= SMALLEST_PIXELS:
        sighting = await perception.look(decoded.pixels)
        blocks = tuple(blocks_of(original.sighting(sighting, decoded), Place(), LABEL))
        flaws += sighting.flaws
    return Reading(
        title=name,
        kind="picture",
        media_type=media_type,
        blocks=blocks,
        label=LABEL,
        reader=perception.picture_reader,
        flaws=flaws,
    )


def blocks_of(
    sighting: Sighting, place: Place, label: Label, scale: float = 1.0
) -> Iterator[Block]:
    """Yield a block for each row of what was seen, its boxes being multiplied by the scale."""
    for row in rows(sighting.lines):
        spans: list[Span] = []
        text = ""
        for line in row:
            text += " " if text else ""
            box = _rounded(line.box.scaled(scale))
            spans.append(Span(offset=len(text), place=replace(place, box=box)))
            text += line.text
        yield Block(
            text=text,
            place=spanning(span.place for span in spans),
            label=label,
            spans=tuple(spans),
        )


def _rounded(box: Box) -> Box:
    return Box(
        left=round(box.left, 1),
        top=round(box.top, 1),
        right=round(box.right, 1),
        bottom=round(box.bottom, 1),
    )


def rows(lines: Sequence[TextLine]) -> Iterator[list[TextLine]]:
    """Yield lines that stand beside each other together: a word and its amount."""
    held: list[TextLine] = []
    for line in lines:
        if not line.text.strip():
            continue
        if held and not _beside(held[-1].box, line.box):
            yield held
            held = []
        held.append(line)
    if held:
        yield held


def _beside(left: Box, right: Box) -> bool:
    """Return whether a box stands to the right of another at about the same height."""
    overlap = min(left.bottom, right.bottom) - max(left.top, right.top)
    low = min(left.bottom - left.top, right.bottom - right.top)
    return overlap > 0.5 * low and right.left >= left.right - low
