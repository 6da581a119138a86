"""Rapidocr, on pictures that the tests draw."""

import asyncio
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tools.senses.media import decode_image
from tools.senses.sight import RapidOcrReader

DATA = Path(__file__).parents[1] / "data"
GERMAN = ["Größe: 12 m², Übergröße für Ärzte", "Die Straße heißt Öläckerweg 5.", "Müller & Söhne"]
PROSE = (
    "the red lever in the cellar corridor closes the main water supply of the whole house when "
    "you turn it to the right until it stops and the small yellow lamp beside the door is lit"
).split()


@pytest.fixture(scope="module")
def sight() -> RapidOcrReader:
    return RapidOcrReader()


def drawn(
    *lines: tuple[int, int, str], size: tuple[int, int] = (900, 200), height: float = 30
) -> Image.Image:
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(height)
    for left, top, text in lines:
        draw.text((left, top), text, fill="black", font=font)
    return image


def columns() -> tuple[Image.Image, list[str]]:
    """A page with two columns of prose below a title, and its lines as they are read."""
    rows = [" ".join(PROSE[start : start + 5]) for start in range(0, 35, 5)] * 2
    lines = [(200, 20, "Water in the house of the association")]
    lines += [(40, 90 + 40 * row, text) for row, text in enumerate(rows[:7])]
    lines += [(520, 90 + 40 * row, text) for row, text in enumerate(rows[7:])]
    image = drawn(*lines, size=(1000, 420), height=24)
    return image, [text for _, _, text in lines]


def pixels(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image.convert("RGB"))


async def test_german_is_read_with_its_umlauts(sight: RapidOcrReader) -> None:
    picture = await decode_image((DATA / "street.png").read_bytes(), "street.png")
    sighting = await sight.read(picture.pixels)
    assert [line.text for line in sighting.lines] == GERMAN
    assert (sighting.width, sighting.height) == (640, 180)
    assert all(line.score > 0.8 for line in sighting.lines)


async def test_chinese_is_read(sight: RapidOcrReader) -> None:
    picture = await decode_image((DATA / "library.png").read_bytes(), "library.png")
    sighting = await sight.read(picture.pixels)
    lines = [line.text.replace(" ", "") for line in sighting.lines]
    assert lines == ["图书馆星期一不开门。", "發票號碼2026-0187"]


async def test_a_box_stands_where_its_line_does(sight: RapidOcrReader) -> None:
    image = drawn((300, 120, "Total amount: EUR 199.32"))
    bounds = Image.eval(image.convert("L"), lambda value: 255 - value).getbbox()
    assert bounds is not None
    [line] = (await sight.read(pixels(image))).lines
    found = (line.box.left, line.box.top, line.box.right, line.box.bottom)
    assert found == pytest.approx(bounds, abs=12)


@pytest.mark.parametrize("degrees", [0, 2, -3, 90, 180, 270])
async def test_columns_are_read_one_after_the_other_however_the_page_lies(
    sight: RapidOcrReader, degrees: int
) -> None:
    image, lines = columns()
    turned = image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="white")
    sighting = await sight.read(pixels(turned))
    assert [line.text for line in sighting.lines] == lines


async def test_an_invoice_is_read_row_by_row(sight: RapidOcrReader) -> None:
    rows = [("Article", "Pieces", "Price"), ("Seal kit", "2", "18.50"), ("Filter", "3", "24.00")]
    cells = [
        (40 + 300 * column, 20 + 60 * row, text)
        for row, texts in enumerate(rows)
        for column, text in enumerate(texts)
    ]
    slanted = drawn(*cells).rotate(1, Image.Resampling.BICUBIC, fillcolor="white")
    sighting = await sight.read(pixels(slanted))
    assert [line.text for line in sighting.lines] == [text for row in rows for text in row]


async def test_small_type_on_a_large_scan_is_read(sight: RapidOcrReader) -> None:
    lines = [(300, 300 + 70 * row, " ".join(PROSE)[row : row + 60].strip()) for row in range(5)]
    image = drawn(*lines, size=(4960, 7016), height=44)
    sighting = await sight.read(pixels(image))
    assert [line.text for line in sighting.lines] == [text for _, _, text in lines]


async def test_a_headline_and_small_type_on_a_large_photo_are_read(sight: RapidOcrReader) -> None:
    image = drawn((300, 900, "Water"), size=(4000, 3000), height=900)
    small = " ".join(PROSE[:8])
    ImageDraw.Draw(image).text((300, 2600), small, "black", ImageFont.load_default(44))
    sighting = await sight.read(pixels(image))
    assert [line.text for line in sighting.lines] == ["Water", small]


async def test_a_strip_much_wider_than_high_is_read(sight: RapidOcrReader) -> None:
    text = " ".join(PROSE)
    image = drawn((10, 8, text), size=(2600, 50))
    assert (await sight.read(pixels(image))).text == text


@pytest.mark.parametrize(
    "image",
    [
        Image.new("RGB", (400, 300), "white"),
        Image.new("RGB", (1, 1)),
        Image.new("RGB", (3000, 1)),
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)),
    ],
    ids="blank pixel line noise".split(),
)
async def test_a_picture_without_writing_is_no_error(
    sight: RapidOcrReader, image: Image.Image
) -> None:
    sighting = await sight.read(pixels(image))
    assert sighting.lines == ()
    assert (sighting.width, sighting.height) == image.size


async def test_it_says_nothing_by_itself(
    sight: RapidOcrReader, capfd: pytest.CaptureFixture[str]
) -> None:
    await sight.read(pixels(Image.new("RGB", (100, 100))))
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("RapidOCR").level >= logging.ERROR


async def test_a_picture_that_nobody_waits_for_any_more_is_given_up(sight: RapidOcrReader) -> None:
    image, lines = columns()
    task = asyncio.create_task(sight.read(pixels(image)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    sighting = await asyncio.wait_for(sight.read(pixels(image)), 30)
    assert [line.text for line in sighting.lines] == lines


MEASURED = """
import asyncio, resource, sys
import numpy as np
from tools.senses.sight import RapidOcrReader

async def main():
    page = np.full((1754, 1240, 3), 255, np.uint8)
    # Rows of bars, as wide and as many as the lines of a page: memory depends on no more.
    for top in range(100, 1650, 110):
        page[top : top + 18, 100:1140:9] = 0
        page[top : top + 18, 104:1140:9] = 0
        page[top + 8, 100:1140] = 0
    sight = RapidOcrReader()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(2):
        await sight.read(page)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="measured with glibc")
def test_a_page_is_read_in_at_most_350_mib() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURED], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 350
