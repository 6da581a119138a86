"""Looks at a picture of a screen: text by a reader, outlines by colour and by a model."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from memory.places import Box
from tools.senses import ink, rectangles, screen
from tools.senses.base import Reader, Region, Sighting, TextLine
from tools.senses.screen import Element, Kind

Segment = Callable[[NDArray[np.uint8]], Awaitable[tuple[Region, ...]]]
"""Finds regions in an image of shape (height, width, 3), RGB."""

_MOST_CROPS = 24
_SMALL_CROP = 40
"""Pixels of height, below which a crop is read at twice its size."""

_HIGHEST = 64
"""Pixels of a button, a field or a bar."""

_MARGIN = 4
_WRITTEN = 48
"""Levels by which what is written differs from its ground."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Screen:
    """What is on a screen."""

    sighting: Sighting
    elements: tuple[Element, ...]
    """The outermost ones, in reading order."""
    outlined: bool = False
    """Whether a model had a part in it."""


async def look(image: NDArray[np.uint8], reader: Reader, segment: Segment | None = None) -> Screen:
    """Return text and elements of an image of shape (height, width, 3), RGB.

    Without `segment` there is what has an even ground or border; with it also the rest. Elements
    that seem to be written on, but were not read, are cropped and read each for itself.
    """
    sighting = await reader.read(image)
    regions = () if segment is None else await segment(image)
    lines = await asyncio.to_thread(ink.lines, sighting.lines, image)
    elements = await asyncio.to_thread(_elements, image, regions, lines)
    more = await _unread(image, reader, elements)
    if more:
        lines = [*lines, *more]
        elements = await asyncio.to_thread(_elements, image, regions, lines)
    return Screen(sighting=sighting, elements=elements, outlined=bool(regions))


async def within(box: Box, image: NDArray[np.uint8], reader: Reader) -> str:
    """Return the text that stands in a part of an image; the empty text if there is none."""
    part = _cut(image, box, 0)
    if not part.size:
        return ""
    return (await reader.read(np.ascontiguousarray(part))).text


def _elements(
    image: NDArray[np.uint8], regions: Sequence[Region], lines: Sequence[TextLine]
) -> tuple[Element, ...]:
    texts = [line.box for line in lines if not screen.is_drawing(line)]
    own = rectangles.regions(image, texts)
    return screen.elements([*own, *regions], lines, image.shape[1], image.shape[0])


async def _unread(
    image: NDArray[np.uint8], reader: Reader, elements: Sequence[Element]
) -> list[TextLine]:
    """Read what stands in elements in which no text was seen."""
    chosen = [one for one in screen.flattened(elements) if _seems_written(one, image)]
    found: list[TextLine] = []
    for element in chosen[:_MOST_CROPS]:
        found += await _read(element.box, image, reader)
    return found


def _seems_written(element: Element, image: NDArray[np.uint8]) -> bool:
    """Return whether something as low as a line, in which no text was read, is written on.

    Letters that were not read are taken for icons.
    """
    if element.kind in {Kind.TEXT, Kind.ICON, Kind.WINDOW}:
        return False
    if any(one.text or one.kind is not Kind.ICON for one in screen.flattened(element.children)):
        return False
    if element.text or element.box.bottom - element.box.top > _HIGHEST:
        return False
    part = _cut(image, element.box, -_MARGIN)
    if min(part.shape[:2]) < 2 * _MARGIN:
        return False
    ground = np.median(part.reshape(-1, 3), axis=0)
    return bool((np.abs(part - ground).max(axis=2) > _WRITTEN).mean() > 0.01)


async def _read(box: Box, image: NDArray[np.uint8], reader: Reader) -> list[TextLine]:
    crop = _cut(image, box, -1)
    scale = 2 if crop.shape[0] < _SMALL_CROP else 1
    larger = np.ascontiguousarray(crop.repeat(scale, axis=0).repeat(scale, axis=1))
    seen = await reader.read(larger)
    return list(ink.lines(list(_placed(seen, box, scale)), image))


def _placed(seen: Sighting, box: Box, scale: int) -> Iterator[TextLine]:
    """Yield lines of a crop at their place in the picture."""
    left, top = int(box.left) + 1, int(box.top) + 1
    for line in seen.lines:
        place = Box(
            left=left + line.box.left / scale,
            top=top + line.box.top / scale,
            right=left + line.box.right / scale,
            bottom=top + line.box.bottom / scale,
        )
        yield replace(line, box=place)


def _cut(image: NDArray[np.uint8], box: Box, margin: int) -> NDArray[np.uint8]:
    """Return what is in a box, with so many pixels around it."""
    return image[
        max(0, int(box.top) - margin) : int(box.bottom) + margin,
        max(0, int(box.left) - margin) : int(box.right) + margin,
    ]
