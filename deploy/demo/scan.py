"""Render a typed sheet and make it look as if it had been laid on a scanner."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import numpy as np
import pypdfium2
from PIL import Image, ImageFilter
from reportlab.pdfgen.canvas import Canvas

MM = 72 / 25.4
"""PDF points in a millimetre."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """A line of type. Millimetres count from the upper left corner of the sheet."""

    x_mm: float
    y_mm: float
    words: str
    font: str = "Helvetica"
    size: float = 11
    align: Literal["left", "right"] = "left"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stroke:
    """A line drawn through points in millimetres."""

    points_mm: tuple[tuple[float, float], ...]
    width: float = 0.8
    """In PDF points."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scanner:
    """How a sheet comes out of the scanner."""

    dots_per_inch: int
    tilt_degrees: float
    paper: tuple[int, int, int]
    """Colour of the paper: red, green, blue."""
    seed: int
    """Of the noise."""


def scanned(
    marks: Sequence[Words | Stroke], size_mm: tuple[float, float], by: Scanner
) -> Image.Image:
    """Return the sheet as a colour picture, tilted, unevenly lit, a little blurred and noisy."""
    sheet = _render(marks, size_mm, by.dots_per_inch)
    sheet = sheet.filter(ImageFilter.GaussianBlur(0.5))
    ink = np.asarray(sheet, dtype=np.float32)[..., None] / 255
    height, width = ink.shape[:2]
    light = (
        np.linspace(0.965, 1.0, width)[None, :, None]
        * np.linspace(1.0, 0.985, height)[:, None, None]
    )
    noise = np.random.default_rng(by.seed).normal(0, 1.2, (height, width, 1))
    dark = np.array((38, 36, 44), dtype=np.float32)
    colour = (dark + ink * (np.array(by.paper, dtype=np.float32) - dark)) * light + noise
    picture = Image.fromarray(colour.clip(0, 255).astype(np.uint8))
    edge = tuple(int(part * 0.97) for part in by.paper)
    return picture.rotate(by.tilt_degrees, Image.Resampling.BICUBIC, fillcolor=edge)


def _render(
    marks: Sequence[Words | Stroke], size_mm: tuple[float, float], dots_per_inch: int
) -> Image.Image:
    width, height = (side * MM for side in size_mm)
    target = BytesIO()
    canvas = Canvas(target, pagesize=(width, height), invariant=1)
    for mark in marks:
        if isinstance(mark, Words):
            canvas.setFont(mark.font, mark.size)
            draw = canvas.drawRightString if mark.align == "right" else canvas.drawString
            draw(mark.x_mm * MM, height - mark.y_mm * MM, mark.words)
            continue
        canvas.setLineWidth(mark.width)
        path = canvas.beginPath()
        first, *others = ((x * MM, height - y * MM) for x, y in mark.points_mm)
        path.moveTo(*first)
        for point in others:
            path.lineTo(*point)
        canvas.drawPath(path)
    canvas.save()
    document = pypdfium2.PdfDocument(target.getvalue())  # type: ignore[no-untyped-call] # has none
    page = document[0]
    picture: Image.Image = page.render(scale=dots_per_inch / 72, grayscale=True).to_pil()
    return picture
