"""Pictures of any format, decoded by Pillow to upright RGB on white."""

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tools.content import detect
from tools.senses.errors import MediaError

if TYPE_CHECKING:
    from PIL.Image import Image

# EPS and its like are left out: Pillow hands them to a program.
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000", "PPM", "ICO")

KEPT_PIXELS = 16_000_000
"""Larger pictures are scaled down by a whole factor: writing is read at far fewer pixels."""

_ORIENTATION = 0x0112
_FLIPS = {2: (-1, 1), 3: (-1, -1), 4: (1, -1), 6: (-1, 1), 7: (-1, -1), 8: (1, -1)}
"""Steps across and down, by the orientation of EXIF; from 5 on rows and columns change places."""
_LYING = frozenset((5, 6, 7, 8))

# One picture at a time: it bounds the memory, and warnings as well as Pillow's leniency towards
# broken files are switched for the whole process.
_PILLOW = threading.Lock()


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """Decoded pixels."""

    pixels: NDArray[np.uint8]
    """Shape (rows, columns, 3), RGB."""
    width: int
    height: int
    """Of the picture that was handed over, upright."""
    scale: int = 1
    """Its pixels per pixel here, along a side; `tools/senses/original.py` turns the ones into the
    others."""
    flaws: tuple[str, ...] = ()
    """What was wrong with the input, in words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Frame:
    """A frame as Pillow decoded it."""

    image: "Image"
    scale: int
    """By which the picture is to become smaller."""
    left: int
    """What of this the decoder has not done."""
    size: tuple[int, int]
    """Width and height of the picture in the file."""


def decoded(data: bytes, name: str, most_pixels: int) -> Picture:
    """Return the picture in some bytes. Raises `MediaError` where there is none."""
    if not data:
        raise MediaError(f"{name} is empty: it holds no picture. Copy it anew.")
    with _PILLOW, _silence():
        frame, cut = _loaded(data, name, most_pixels)
        image = _plain(frame.image)
        image = _flat(image.reduce(frame.left) if frame.left > 1 else image)
        # Only now: to count its frames Pillow leaves the one that was decoded.
        flaws = tuple(_flaws(frame.image))
        orientation = _orientation(frame.image)
    pixels = np.asarray(image)
    if cut:
        pixels, flaw = _mended(pixels, name)
        flaws = (flaw, *flaws)
    width, height = frame.size if orientation not in _LYING else frame.size[::-1]
    return Picture(
        pixels=_turned(pixels, orientation),
        width=width,
        height=height,
        scale=frame.scale,
        flaws=flaws,
    )


@contextmanager
def _silence() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _loaded(data: bytes, name: str, most_pixels: int) -> tuple[_Frame, bool]:
    """Return the first frame, and whether some of it is missing."""
    from PIL import ImageFile

    try:
        return _first_frame(data, name, most_pixels), False
    except MediaError:
        raise
    except Exception:  # noqa: BLE001, S110 - broken files lead Pillow to any exception
        pass
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        return _first_frame(data, name, most_pixels), True
    except MediaError:
        raise
    except Exception as error:
        raise MediaError(_reason(data, name)) from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def _first_frame(data: bytes, name: str, most_pixels: int) -> _Frame:
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise MediaError(f"{name} is too large: {error} Scale it down.") from error
    size, scale = image.size, 1
    while image.width * image.height > KEPT_PIXELS * scale * scale:
        scale *= 2
    # A JPEG is decoded to a half, a quarter or an eighth at once, in as much less memory.
    image.draft(None, (image.width // scale, image.height // scale))
    if image.width * image.height > most_pixels:
        raise MediaError(
            f"{name} has {image.width} x {image.height} pixels, of which at most {most_pixels} "
            "are decoded. Scale it down."
        )
    image.load()
    return _Frame(image=image, scale=scale, left=scale // round(size[0] / image.width), size=size)


def _flaws(image: "Image") -> Iterator[str]:
    if image.format == "MPO":
        return
    try:
        frames = getattr(image, "n_frames", 1)
    except Exception:  # noqa: BLE001 - as above; the first frame is there
        frames = 1
    if frames > 1:
        what = "pages" if image.format == "TIFF" else "frames"
        yield f"it has {frames} {what}; only the first is looked at"


def _orientation(image: "Image") -> int:
    """Return how a camera was held, 1 where nothing sensible says so."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - as above; the pixels are there
        return 1


def _mended(pixels: NDArray[np.uint8], name: str) -> tuple[NDArray[np.uint8], str]:
    """Return a broken picture with white for the rows that are missing, and what is wrong."""
    # Decoders leave such rows in one colour: black, grey or what is first in the palette.
    lacks = (pixels == pixels[-1, -1]).all(axis=(1, 2))
    there = len(lacks) - int(np.argmin(lacks[::-1])) if not lacks.all() else 0
    if not there:
        raise MediaError(f"{name} is cut off before its first row. Copy it anew.")
    if there == len(lacks):
        return pixels, "cut short: some of its detail is missing"
    mended = pixels.copy()
    mended[there:] = 255
    return mended, f"cut short: about {there * 100 // len(lacks)} % of it is there"


def _plain(image: "Image") -> "Image":
    """Return eight bits a channel: L, LA, RGB or RGBA."""
    from PIL import Image

    see_through = "transparency" in image.info
    if image.mode in {"L", "LA", "RGB", "RGBA"} and not see_through:
        return image
    if image.mode == "1" and not see_through:
        return image.convert("L")
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        return Image.fromarray(_eight_bits(np.asarray(image)))
    see_through = see_through or image.mode in {"PA", "La", "RGBa"}
    return image.convert("RGBA" if see_through else "RGB")


def _eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return grey of many bits as grey of eight, its brightest value being near white."""
    if values.dtype.kind == "f":
        values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
        low, high = float(values.min()), float(values.max())
        return np.asarray((values - low) * (255 / (high - low) if high > low else 1), np.uint8)
    bits = int(values.max()).bit_length()
    return np.asarray(np.maximum(values, 0) >> max(0, bits - 8), np.uint8)


def _flat(image: "Image") -> "Image":
    """Return RGB, with white behind what is transparent."""
    from PIL import Image

    if image.mode in {"L", "RGB"}:
        return image.convert("RGB")
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image.convert("RGB"), mask=image.getchannel("A"))
    return ground


def _turned(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Return what a camera saw upright."""
    if orientation in _LYING:
        pixels = pixels.transpose(1, 0, 2)
    across, down = _FLIPS.get(orientation, (1, 1))
    return np.ascontiguousarray(pixels[::down, ::across])


def _reason(data: bytes, name: str) -> str:
    """Say why there is no picture in some bytes."""
    content = detect(data)
    if content.kind == "picture":
        return (
            f"{name} is {content}, but nothing of it can be decoded: it is damaged or cut off. "
            "Copy it anew."
        )
    return f"{name} is {content}, not a picture that can be read. Give a PNG, JPEG, WebP or TIFF."
