"""One sense alone, on a picture that is too large to be looked at as it is."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from agent import assembly, perceiving
from agent.errors import UsageError
from agent.settings import Settings
from memory.places import Box
from tools.senses import pictures
from tools.senses.base import Prompt, Region, Senses
from tools.senses.hearing import PocketsphinxTranscriber
from tools.senses.leased import Tell
from tools.senses.sight import RapidOcrReader
from tools.senses.speech import EspeakSynthesizer

BUTTON = (802, 602, 1202, 722)
"""In a picture of 1601 x 1200 pixels, of which half as many are looked at along a side."""


@dataclass(slots=True)
class ScriptedSegmenter:
    """Outlines all that a box of a prompt holds; keeps what it was asked."""

    asked: list[Prompt] = field(default_factory=list)
    name: str = "scripted"

    async def regions(self, image: NDArray[np.uint8]) -> tuple[Region, ...]:
        return ()

    async def region(
        self, image: NDArray[np.uint8], prompts: Sequence[Prompt]
    ) -> tuple[Region, ...]:
        assert image.shape == (600, 801, 3)
        self.asked += prompts
        return tuple(outlined(one.box) for one in prompts if one.box is not None)


def outlined(box: Box) -> Region:
    wide, high = int(box.right - box.left), int(box.bottom - box.top)
    return Region(box=box, pixels=wide * high, score=1.0, mask=np.ones((high, wide), np.bool_))


@pytest.fixture
def segmenter(monkeypatch: pytest.MonkeyPatch) -> ScriptedSegmenter:
    """The embedded senses with it; the pictures that are kept whole are small."""
    scripted = ScriptedSegmenter()
    senses = Senses(
        hearing=PocketsphinxTranscriber(),
        sight=RapidOcrReader(),
        speech=EspeakSynthesizer(),
        segments=scripted,
    )

    @asynccontextmanager
    async def perception(_: Settings, *, tell: Tell) -> AsyncIterator[Senses]:
        yield senses

    monkeypatch.setattr(assembly, "perception", perception)
    monkeypatch.setattr(pictures, "KEPT_PIXELS", 500_000)
    return scripted


@pytest.fixture
def large(tmp_path: Path) -> Path:
    image = Image.new("RGB", (1601, 1200), (240, 240, 240))
    draw = ImageDraw.Draw(image)
    draw.rectangle(BUTTON, fill=(200, 220, 250), outline=(20, 20, 20), width=4)
    draw.text((900, 630), "Accept", fill="black", font=ImageFont.load_default(56))
    image.save(tmp_path / "large.png")
    return tmp_path / "large.png"


def within(told: dict[str, float], left: float, top: float, right: float, bottom: float) -> bool:
    return (
        left <= told["left"] < told["right"] <= right
        and top <= told["top"] < told["bottom"] <= bottom
    )


@pytest.mark.usefixtures("segmenter")
async def test_text_is_where_it_stands_in_the_picture_that_was_handed_over(large: Path) -> None:
    told = await perceiving.see(Settings(), large)
    [line] = told["lines"]
    assert line["text"] == "Accept"
    assert within(line["box"], 870, 610, 1130, 720)
    assert (told["width"], told["height"]) == (1601, 1200)


@pytest.mark.usefixtures("segmenter")
async def test_elements_are_where_they_are_in_the_picture_that_was_handed_over(
    large: Path,
) -> None:
    told = await perceiving.look(Settings(), large)
    [button] = told["elements"]
    assert (button["kind"], button["text"]) == ("button", "Accept")
    assert list(button["box"].values()) == pytest.approx(list(BUTTON), abs=8)
    assert (told["width"], told["height"]) == (1601, 1200)


async def test_points_and_boxes_are_those_of_the_picture_that_was_handed_over(
    segmenter: ScriptedSegmenter, large: Path
) -> None:
    box = Box(left=800, top=600, right=1200, bottom=720)
    told = await perceiving.outline(
        Settings(), large, [Prompt(points=[(1000, 660)], inside=[True], box=box)]
    )
    assert segmenter.asked == [
        Prompt(
            points=[(500, 330)],
            inside=[True],
            box=Box(left=400, top=300, right=600, bottom=360),
        )
    ]
    [region] = told["regions"]
    assert Box(**region["box"]) == box
    assert (region["pixels"], region["text"]) == (400 * 120, "Accept")


@pytest.mark.parametrize(
    ("prompt", "place"),
    [
        (Prompt(points=[(1602, 5)], inside=[True]), "1602,5"),
        (Prompt(points=[(5, -1)], inside=[True]), "5,-1"),
        (Prompt(box=Box(left=0, top=0, right=9, bottom=1201)), "9,1201"),
    ],
)
async def test_what_lies_beyond_the_picture_is_refused_before_a_model_is_asked(
    segmenter: ScriptedSegmenter, large: Path, prompt: Prompt, place: str
) -> None:
    with pytest.raises(
        UsageError, match=rf"^{place} lies beyond the picture, which has 1601 x 1200 pixels"
    ):
        await perceiving.outline(Settings(), large, [prompt])
    assert segmenter.asked == []
