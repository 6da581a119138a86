"""Screenshots drawn by chance, with every element in them known."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from agent.bench.screen.pen import Drawn, Layer, Pen, at
from agent.bench.screen.themes import theme
from agent.bench.screen.walls import wall
from agent.bench.screen.windows import window
from memory.places import Box
from tools.senses.screen import Kind

SIZES = ((1024, 768), (1280, 800), (1366, 768), (1440, 900))

_SEEN = dict.fromkeys(Kind, 0.7) | {Kind.WINDOW: 0.4, Kind.TEXT: 1.0}
"""An element of which less is to be seen is neither asked for nor held against a finder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Screenshot:
    """A picture, what is in it, and what may or may not be found."""

    seed: int
    pixels: NDArray[np.uint8]
    """Shape (height, width, 3), RGB."""
    elements: tuple[Drawn, ...]
    open: tuple[Box, ...]
    """Where a finder is not judged: elements that are mostly covered, bars of titles."""


def screenshot(seed: int) -> Screenshot:
    """Draw the screenshot of a seed; the same one with the same fonts."""
    random = Random(seed)  # noqa: S311 - a picture, not a secret
    look = theme(random)
    width, height = random.choice(SIZES)
    pen = Pen(wall(look, width, height, random), look, random)
    layers = [window(pen, box) for box in _places(width, height, random)]
    elements, unjudged = _visible(layers, width, height)
    pixels = np.asarray(pen.image)
    if random.random() < 0.2:
        pixels = _as_jpeg(pixels)
    return Screenshot(seed=seed, pixels=pixels, elements=tuple(elements), open=tuple(unjudged))


def _as_jpeg(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import io

    from PIL import Image

    into = io.BytesIO()
    Image.fromarray(pixels).save(into, "JPEG", quality=92)
    return np.asarray(Image.open(into))


def _places(width: int, height: int, random: Random) -> Iterator[Box]:
    """Yield where windows stand, from the back to the front; the last may be a small dialog."""
    for number in range(random.choice((1, 1, 2, 2, 3))):
        wide = random.randint(width * 4 // 10, width * 7 // 10)
        high = random.randint(height * 4 // 10, height * 7 // 10)
        if number and random.random() < 0.5:
            wide, high = random.randint(320, 460), random.randint(150, 230)
        left = random.randint(8, width - wide - 8)
        top = random.randint(8, height - high - 8)
        yield at(left, top, wide, high)


def _visible(layers: list[Layer], width: int, height: int) -> tuple[list[Drawn], list[Box]]:
    """Return what can be seen, each with the box of what can be seen of it."""
    covered = np.zeros((height, width), bool)
    elements: list[Drawn] = []
    unjudged: list[Box] = []
    for layer in reversed(layers):
        for one in layer.elements:
            left, top, right, bottom = map(
                int, (one.box.left, one.box.top, one.box.right, one.box.bottom)
            )
            seen = ~covered[top:bottom, left:right]
            if seen.mean() < _SEEN[one.kind]:
                unjudged.append(one.box)
                continue
            rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
            box = Box(
                left=left + int(columns[0]),
                top=top + int(rows[0]),
                right=left + int(columns[-1]) + 1,
                bottom=top + int(rows[-1]) + 1,
            )
            text = one.text if _can_be_read(one.written, covered) else ""
            elements.append(Drawn(kind=one.kind, box=box, text=text))
        unjudged += layer.open
        box = layer.box
        covered[int(box.top) : int(box.bottom), int(box.left) : int(box.right)] = True
    return elements, unjudged


def _can_be_read(written: Box | None, covered: NDArray[np.bool_]) -> bool:
    if written is None:
        return True
    part = covered[int(written.top) : int(written.bottom), int(written.left) : int(written.right)]
    return not part.any()
