"""Rectangles and marks by even areas, on drawn pixels."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from memory.places import Box
from tools.senses import flats, rectangles


def at(left: float, top: float, right: float, bottom: float) -> Box:
    return Box(left=left, top=top, right=right, bottom=bottom)


def canvas(width: int = 400, height: int = 300) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width, height), (90, 110, 140))
    return image, ImageDraw.Draw(image)


def found(image: Image.Image | NDArray[np.uint8], *texts: Box) -> list[Box]:
    return [one.box for one in rectangles.regions(np.asarray(image), texts)]


def test_an_even_picture_has_nothing() -> None:
    assert found(canvas()[0]) == []


@pytest.mark.parametrize("size", [(1, 1), (3, 1), (1, 3), (2, 2)])
def test_the_smallest_pictures_have_nothing(size: tuple[int, int]) -> None:
    assert found(canvas(*size)[0]) == []


def test_plates_are_found_to_the_pixel_within_each_other() -> None:
    image, draw = canvas()
    draw.rectangle((50, 40, 299, 239), fill=(240, 240, 240))
    draw.rectangle((70, 60, 169, 89), fill=(20, 90, 200))
    assert found(image) == [at(50, 40, 300, 240), at(70, 60, 170, 90)]


def test_a_border_and_its_ground_are_one() -> None:
    image, draw = canvas()
    draw.rectangle((50, 40, 299, 239), fill=(240, 240, 240), outline=(10, 10, 10), width=2)
    assert found(image) == [at(50, 40, 300, 240)]


def test_a_frame_whose_ground_is_that_around_it_is_found() -> None:
    image, draw = canvas()
    draw.rectangle((50, 40, 299, 239), outline=(10, 10, 10))
    assert found(image) == [at(50, 40, 300, 240)]


@pytest.mark.parametrize("radius", [4, 8, 14])
def test_round_corners_make_no_other_box(radius: int) -> None:
    image, draw = canvas()
    draw.rounded_rectangle((50, 40, 149, 69), radius, fill=(240, 240, 240), outline=(10, 10, 10))
    (one,) = found(image)
    assert rectangles.overlap(one, at(50, 40, 150, 70)) > 0.9


def test_a_gradient_is_one_area() -> None:
    image, draw = canvas()
    for row in range(60):
        draw.line((50, 40 + row, 249, 40 + row), fill=(200 - row, 200 - row, 220))
    assert found(image) == [at(50, 40, 250, 100)]


def test_of_a_covered_window_the_whole_is_told() -> None:
    image, draw = canvas()
    draw.rectangle((30, 30, 229, 179), fill=(240, 240, 240))
    draw.rectangle((150, 120, 349, 269), fill=(40, 40, 44))
    assert set(found(image)) == {at(30, 30, 230, 180), at(150, 120, 350, 270)}


def test_frames_that_touch_are_told_apart() -> None:
    image, draw = canvas(800, 600)
    for corners in ((40, 40, 400, 300), (300, 200, 700, 500)):
        draw.rectangle(corners, fill=(235, 235, 235), outline=(10, 10, 10))
    boxes = found(image)
    assert any(rectangles.same(one, at(40, 40, 401, 301)) for one in boxes)
    assert any(rectangles.same(one, at(300, 200, 701, 501)) for one in boxes)


def test_a_bar_with_the_ground_below_it_is_a_window_too() -> None:
    image, draw = canvas()
    draw.rectangle((50, 40, 299, 69), fill=(60, 60, 160))
    draw.rectangle((50, 70, 299, 239), fill=(240, 240, 240))
    assert at(50, 40, 300, 240) in found(image)


def test_a_mark_on_a_ground_is_found_and_letters_are_not() -> None:
    image, draw = canvas()
    draw.rectangle((50, 40, 299, 239), fill=(240, 240, 240))
    draw.line((100, 100, 116, 116), fill=(10, 10, 10), width=3)
    draw.line((100, 116, 116, 100), fill=(10, 10, 10), width=3)
    draw.rectangle((150, 100, 153, 112), fill=(10, 10, 10))
    boxes = found(image, at(148, 98, 180, 114))
    assert len(boxes) == 2
    assert rectangles.overlap(boxes[1], at(99, 99, 118, 118)) > 0.7


def test_noise_is_no_screen() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    assert found(noise) == []


def test_a_compressed_picture_has_the_same_windows() -> None:
    import io

    image, draw = canvas()
    draw.rectangle((50, 40, 299, 239), fill=(240, 240, 240))
    draw.rectangle((70, 60, 169, 89), fill=(20, 90, 200))
    into = io.BytesIO()
    image.save(into, "JPEG", quality=85)
    boxes = found(Image.open(into).convert("RGB"))
    for wanted in (at(50, 40, 300, 240), at(70, 60, 170, 90)):
        assert any(rectangles.overlap(one, wanted) > 0.85 for one in boxes)


def test_a_large_picture_is_looked_at_smaller_and_told_in_its_own_pixels() -> None:
    image, draw = canvas(4000, 3000)
    draw.rectangle((400, 400, 2399, 1999), fill=(240, 240, 240))
    (one,) = found(image)
    assert rectangles.overlap(one, at(400, 400, 2400, 2000)) > 0.99
    small, scale = flats.shrunk(np.asarray(image))
    assert scale == 2
    assert small.shape == (1500, 2000, 3)


def test_areas_that_meet_at_corners_only_are_apart() -> None:
    image = np.zeros((40, 40, 3), np.uint8)
    image[:20, :20] = image[20:, 20:] = 200
    areas = flats.flats(flats.runs(image))
    assert sorted((one.box.left, one.box.top) for one in areas) == [
        (0, 0),
        (0, 20),
        (20, 0),
        (20, 20),
    ]


def test_an_area_that_winds_is_one() -> None:
    image = np.zeros((60, 60, 3), np.uint8)
    for row in range(0, 60, 20):
        image[row : row + 10] = 200
        if row < 40:
            image[row + 10 : row + 20, -10:] = 200
            image[row + 10 : row + 20, :50] = 0
    light = [one for one in flats.flats(flats.runs(image)) if one.pixels > 1500]
    assert light[0].box == at(0, 0, 60, 50)
