"""Lines of text as their ink has them."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from memory.places import Box
from tools.senses import ink
from tools.senses.base import TextLine

FONT = ImageFont.load_default(16)


def canvas() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (400, 60), (240, 240, 240))
    return image, ImageDraw.Draw(image)


def line(text: str, left: float, top: float, right: float, bottom: float) -> TextLine:
    return TextLine(text=text, box=Box(left=left, top=top, right=right, bottom=bottom), score=0.9)


def written(draw: ImageDraw.ImageDraw, x: int, text: str) -> Box:
    draw.text((x, 20), text, font=FONT, fill=(10, 10, 10))
    left, top, right, bottom = draw.textbbox((x, 20), text, font=FONT)
    return Box(left=left, top=top, right=right, bottom=bottom)


def near(one: Box, other: Box) -> bool:
    pairs = ((one.left, other.left), (one.top, other.top), (one.right, other.right))
    return all(abs(a - b) <= 2 for a, b in (*pairs, (one.bottom, other.bottom)))


def test_a_line_is_no_larger_than_its_letters() -> None:
    image, draw = canvas()
    wanted = written(draw, 40, "Quality of sound")
    loose = line("Quality of sound", wanted.left - 7, wanted.top - 6, wanted.right + 8, 44)
    (found,) = ink.lines([loose], np.asarray(image))
    assert found.text == "Quality of sound"
    assert near(found.box, wanted)


def test_the_edges_of_a_button_are_not_ink() -> None:
    image, draw = canvas()
    draw.rectangle((30, 12, 130, 46), fill=(40, 90, 200), outline=(10, 10, 10))
    draw.text((50, 20), "Connect", font=FONT, fill=(255, 255, 255))
    left, top, right, bottom = draw.textbbox((50, 20), "Connect", font=FONT)
    (found,) = ink.lines([line("Connect", 28, 10, 132, 48)], np.asarray(image))
    assert near(found.box, Box(left=left, top=top, right=right, bottom=bottom))


def test_what_stands_far_apart_is_two_lines() -> None:
    image, draw = canvas()
    first, second = written(draw, 20, "Save as"), written(draw, 160, "Edit")
    both = line("Save as Edit", first.left - 4, 16, second.right + 4, 42)
    found = ink.lines([both], np.asarray(image))
    assert [one.text for one in found] == ["Save as", "Edit"]
    assert near(found[1].box, second)


def test_a_box_to_be_ticked_is_no_letter() -> None:
    image, draw = canvas()
    draw.rectangle((20, 20, 35, 35), outline=(10, 10, 10))
    wanted = written(draw, 46, "Keep copies")
    for text in ("Keep copies", "□ Keep copies", "□Keep copies"):
        (found,) = ink.lines([line(text, 17, 16, wanted.right + 4, 42)], np.asarray(image))
        assert found.text == "Keep copies"
        assert near(found.box, wanted)


def test_circles_before_a_title_are_no_letters_also_where_the_first_is_cut() -> None:
    image, draw = canvas()
    for x in (20, 40, 60):
        draw.ellipse((x, 20, x + 12, 32), fill=(230, 90, 80))
    wanted = written(draw, 90, "Archive")
    for left in (16, 26):
        (found,) = ink.lines([line("Archive", left, 14, wanted.right + 4, 42)], np.asarray(image))
        assert found.text == "Archive"
        assert found.box.left >= wanted.left - 2


def test_a_sign_without_a_letter_is_left_out() -> None:
    image, draw = canvas()
    draw.line((20, 20, 30, 30), fill=(10, 10, 10), width=2)
    assert ink.lines([line("×", 16, 16, 34, 34)], np.asarray(image)) == []


def test_a_line_without_ink_or_beyond_the_picture_stays_as_it_is() -> None:
    image, _ = canvas()
    for one in (line("ghost", 10, 10, 60, 30), line("beyond", 500, 10, 560, 30)):
        assert ink.lines([one], np.asarray(image)) == [one]
