"""Places in the picture that was handed over, where the senses look at a shrunk copy of it.

They are as exact as a pixel of the copy.
"""

from dataclasses import replace

from memory.places import Box
from tools.senses.base import Prompt, Region, Sighting
from tools.senses.pictures import Picture
from tools.senses.screen import Element


def box(found: Box, picture: Picture) -> Box:
    """Return a box of the copy in pixels of the picture.

    The last column and row of the copy may be fewer pixels than the others: no box goes beyond.
    """
    if picture.scale == 1:
        return found
    large = found.scaled(picture.scale)
    return Box(
        left=min(large.left, picture.width),
        top=min(large.top, picture.height),
        right=min(large.right, picture.width),
        bottom=min(large.bottom, picture.height),
    )


def sighting(found: Sighting, picture: Picture) -> Sighting:
    """Return text of the copy, its boxes in pixels of the picture."""
    lines = tuple(replace(line, box=box(line.box, picture)) for line in found.lines)
    return replace(found, lines=lines, width=picture.width, height=picture.height)


def element(found: Element, picture: Picture) -> Element:
    """Return an element of the copy and those within it, their boxes in pixels of the picture."""
    children = tuple(element(child, picture) for child in found.children)
    return replace(found, box=box(found.box, picture), children=children)


def region(found: Region, picture: Picture) -> Region:
    """Return a region of the copy in pixels of the picture; its mask covers the box as before."""
    return replace(found, box=box(found.box, picture), pixels=found.pixels * picture.scale**2)


def prompt(asked: Prompt, picture: Picture) -> Prompt:
    """Return what points at the picture in pixels of the copy."""
    return replace(
        asked,
        points=[(x / picture.scale, y / picture.scale) for x, y in asked.points],
        box=None if asked.box is None else asked.box.scaled(1 / picture.scale),
    )
