"""Pictures of every format and in every state, through Pillow."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tools.senses import pictures
from tools.senses.errors import MediaError
from tools.senses.media import decode_image

RED, GREEN, BLUE, WHITE = [255, 0, 0], [0, 128, 0], [0, 0, 255], [255, 255, 255]


def flag() -> Image.Image:
    """Red at the upper left, green at the upper right, blue below; 40 by 20."""
    image = Image.new("RGB", (40, 20), "blue")
    image.paste("red", (0, 0, 20, 10))
    image.paste("green", (20, 0, 40, 10))
    return image


def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8))


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def png(width: int, height: int) -> bytes:
    """A picture that says that it is large, and is not."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(100))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "JPEG2000", "PPM"]
)
async def test_any_format_becomes_rgb(form: str) -> None:
    picture = await decode_image(encoded(flag(), form), "flag")
    assert picture.pixels.shape == (20, 40, 3)
    assert picture.pixels.dtype == np.uint8
    assert (picture.scale, picture.flaws) == (1, ())
    assert np.allclose(picture.pixels[2, 5], RED, atol=30)
    assert np.allclose(picture.pixels[2, 35], GREEN, atol=30)
    assert np.allclose(picture.pixels[17, 20], BLUE, atol=30)


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr"])
async def test_any_mode_becomes_rgb(mode: str) -> None:
    image = Image.new("RGB", (8, 8), "white").convert(mode)
    picture = await decode_image(encoded(image, "TIFF"), "white.tiff")
    assert (picture.pixels == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP"])
async def test_a_picture_is_upright_however_the_camera_was_held(
    form: str, orientation: int
) -> None:
    turns: list[tuple[Image.Transpose, ...]] = [
        (),
        (Image.Transpose.FLIP_LEFT_RIGHT,),
        (Image.Transpose.ROTATE_180,),
        (Image.Transpose.FLIP_TOP_BOTTOM,),
        (Image.Transpose.TRANSPOSE,),
        (Image.Transpose.ROTATE_90,),
        (Image.Transpose.TRANSVERSE,),
        (Image.Transpose.ROTATE_270,),
    ]
    image = flag()
    for turn in turns[orientation - 1]:
        image = image.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = await decode_image(encoded(image, form, exif=exif), "photo")
    assert picture.pixels.shape == (20, 40, 3)
    assert np.allclose(picture.pixels[3, 6], RED, atol=30)
    assert np.allclose(picture.pixels[3, 34], GREEN, atol=30)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
async def test_what_is_transparent_is_white(mode: str) -> None:
    image = Image.new("RGBA", (10, 10), (0, 0, 0, 0)).convert(mode)
    options = {"transparency": image.getpixel((0, 0))} if mode == "P" else {}
    picture = await decode_image(encoded(image, "PNG", **options), "clear.png")
    assert (picture.pixels == 255).all()


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(0, 65535, 100).astype(np.uint16),
        np.linspace(0, 4095, 100).astype(np.uint16),
        np.linspace(0, 1, 100).astype(np.float32),
    ],
    ids=["sixteen bits", "twelve bits", "floats"],
)
async def test_grey_of_many_bits_keeps_its_range(values: np.ndarray[Any, Any]) -> None:
    picture = await decode_image(encoded(Image.fromarray(values[None]), "TIFF"), "scan.tiff")
    row = picture.pixels[0, :, 0].astype(int)
    assert row[0] == 0
    assert row[-1] == 255
    assert (np.diff(row) >= 0).all()


async def test_of_an_animation_the_first_frame_is_seen() -> None:
    data = encoded(flag(), "GIF", save_all=True, append_images=[noise().resize((40, 20))])
    picture = await decode_image(data, "film.gif")
    assert np.allclose(picture.pixels[2, 5], RED, atol=30)
    assert picture.flaws == ("it has 2 frames; only the first is looked at",)


async def test_an_animation_whose_first_frame_is_damaged_gives_what_is_there_of_it() -> None:
    frame = noise().convert("P")
    data = bytearray(encoded(frame, "GIF", save_all=True, append_images=[frame.rotate(90)]))
    begin = data.index(b"\x2c") + 5_000
    data[begin : begin + 100] = b"\xff" * 100
    picture = await decode_image(bytes(data), "film.gif")
    cut, frames = picture.flaws
    assert cut.startswith("cut short: ")
    assert frames == "it has 2 frames; only the first is looked at"


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "PPM"])
async def test_a_picture_that_was_cut_off_gives_what_is_there_on_white(form: str) -> None:
    data = encoded(noise(), form)
    whole = await decode_image(data, "noise")
    cut = await decode_image(data[: len(data) // 2], "noise")
    [flaw] = cut.flaws
    assert flaw.startswith("cut short: about ")
    assert cut.pixels.shape == whole.pixels.shape
    assert np.array_equal(cut.pixels[:80], whole.pixels[:80])
    assert (cut.pixels[-20:] == 255).all()


async def test_a_broken_picture_leaves_the_next_one_to_be_judged_strictly() -> None:
    data = encoded(noise(), "PNG")
    for _ in range(2):
        assert (await decode_image(data[:5_000], "cut.png")).flaws
    assert (await decode_image(data, "whole.png")).flaws == ()


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
async def test_a_large_picture_is_scaled_by_a_whole_factor(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "KEPT_PIXELS", 2_000)
    image = flag().resize((160, 80), Image.Resampling.NEAREST)
    picture = await decode_image(encoded(image, form), "large")
    assert (picture.scale, picture.width, picture.height) == (4, 160, 80)
    assert picture.pixels.shape == (20, 40, 3)
    assert np.allclose(picture.pixels[2, 5], RED, atol=40)


@pytest.mark.parametrize("side", [9_000, 30_000])
async def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded(side: int) -> None:
    with pytest.raises(MediaError, match=r"^bomb.png .*pixels.*Scale it down\.$"):
        await decode_image(png(side, side), "bomb.png")


async def test_the_limit_of_pixels_is_the_callers() -> None:
    data = encoded(flag(), "PNG")
    assert (await decode_image(data, "flag.png", most_pixels=800)).flaws == ()
    with pytest.raises(MediaError, match="40 x 20 pixels, of which at most 799"):
        await decode_image(data, "flag.png", most_pixels=799)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"RIFF\x24\0\0\0WAVEfmt " + bytes(40), "is a recording (audio/wav), not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%EOF\n", "application/postscript, not a picture"),
        (b"Minutes of the meeting.\n" * 40, "is of type text/plain, not a picture"),
        (np.random.default_rng(1).bytes(5_000), "is of no known format, not a picture"),
        (encoded(noise(), "PNG")[:60], "is cut off"),
        (encoded(noise(), "WEBP")[:5_000], "damaged or cut off"),
    ],
    ids="empty recording postscript text noise header webp".split(),
)
async def test_what_holds_no_picture_is_refused_by_name(data: bytes, words: str) -> None:
    with pytest.raises(MediaError) as raised:
        await decode_image(data, "scan.png")
    assert str(raised.value).startswith("scan.png ")
    assert words in str(raised.value)


@pytest.mark.parametrize("seed", range(40))
async def test_noise_within_a_picture_never_ends_in_another_error(seed: int) -> None:
    random = np.random.default_rng(seed)
    form = ["PNG", "JPEG", "GIF", "TIFF", "WEBP"][seed % 5]
    data = bytearray(encoded(flag(), form))
    for at in random.integers(0, len(data), 8):
        data[at] = random.integers(256)
    try:
        picture = await decode_image(bytes(data), "noisy", most_pixels=1_000_000)
    except MediaError:
        return
    assert picture.pixels.ndim == 3
    assert picture.pixels.shape[2] == 3
