"""A screen looked at with the real reader."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from agent.bench.screen.drawing import screenshot
from agent.bench.screen.scoring import Found, Score
from memory.places import Box
from tools.senses import screen, screens
from tools.senses.base import Reader, Region, Sighting
from tools.senses.screen import Kind
from tools.senses.sight import RapidOcrReader


@pytest.fixture(scope="module")
def reader() -> RapidOcrReader:
    return RapidOcrReader()


async def test_most_of_a_drawn_screenshot_is_told(reader: Reader) -> None:
    shot = screenshot(9)
    seen = await screens.look(shot.pixels, reader)
    score = Score()
    score.add(
        shot,
        [
            Found(kind=one.kind, box=one.box, text=one.text)
            for one in screen.flattened(seen.elements)
        ],
    )
    told = score.told()
    assert told["recall_with_kind"] > 0.85
    assert told["precision_with_kind"] > 0.85
    assert told["text_accuracy"] > 0.85


async def test_a_model_of_segments_adds_what_has_no_straight_outline(reader: Reader) -> None:
    image = np.full((200, 300, 3), 240, np.uint8)
    leaf = Region(
        box=Box(left=100, top=60, right=180, bottom=150),
        pixels=5000,
        score=0.8,
        mask=np.ones((90, 80), np.bool_),
    )

    async def segment(seen: NDArray[np.uint8]) -> tuple[Region, ...]:
        assert seen is image
        return (leaf,)

    assert (await screens.look(image, reader)).elements == ()
    (found,) = (await screens.look(image, reader, segment)).elements
    assert (found.kind, found.box) == (Kind.PANEL, leaf.box)


class Blind:
    """Sees nothing in a whole picture; reads its parts."""

    name = "blind"

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.asked: list[tuple[int, ...]] = []

    async def read(self, image: NDArray[np.uint8]) -> Sighting:
        self.asked.append(image.shape)
        if len(self.asked) == 1:
            return Sighting(lines=(), width=image.shape[1], height=image.shape[0])
        return await self._reader.read(image)


async def test_what_was_not_read_is_cropped_and_read(reader: Reader) -> None:
    image = Image.new("RGB", (400, 200), (240, 240, 240))
    draw = ImageDraw.Draw(image)
    draw.rectangle((50, 50, 169, 85), fill=(255, 255, 255), outline=(90, 90, 90))
    draw.text((80, 58), "Connect", font=ImageFont.load_default(16), fill=(10, 10, 10))
    blind = Blind(reader)
    seen = await screens.look(np.asarray(image), blind)
    assert [(one.kind, one.text) for one in seen.elements] == [(Kind.BUTTON, "Connect")]
    assert len(blind.asked) == 2
