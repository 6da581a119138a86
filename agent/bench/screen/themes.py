"""How a drawn screenshot looks: colours, fonts, borders, by chance from a seed."""

import colorsys
import functools
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

Colour = tuple[int, int, int]

FONTS = ("DejaVuSans", "DejaVuSansCondensed", "DejaVuSerif", "LiberationSans-Regular", "Arial")
"""Those that are there are used, beside the one that comes with Pillow."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Theme:
    """One look, the same for all windows of a screenshot."""

    dark: bool
    window: Colour
    title: Colour
    panel: Colour
    field: Colour
    button: Colour
    accent: Colour
    line: Colour
    ink: Colour
    title_ink: Colour
    radius: int
    border: int
    """Pixels; 0 where windows and fields stand out by colour and shadow alone."""
    shadow: bool
    outlined: bool
    """Whether buttons have a border."""
    gradient: bool
    """Whether title bars and buttons run from a lighter to a darker tone."""
    controls: Literal["right", "left"]
    centred: bool
    """Whether the title stands in the middle."""
    wall: Literal["plain", "gradient", "blobs"]
    wall_colours: tuple[Colour, Colour]
    font: str | None
    size: int
    """Of letters, in pixels."""


def theme(random: Random) -> Theme:
    """Return a look by chance."""
    dark = random.random() < 0.4
    hue = random.random()
    ground = random.uniform(0.1, 0.2) if dark else random.uniform(0.9, 1.0)
    away = 1 if dark else -1
    border = random.choice((0, 1, 1, 1, 2))
    own_title = random.random() < 0.6
    accent = _colour(hue, random.uniform(0.5, 0.9), random.uniform(0.55, 0.8))
    title = (
        _colour(hue, random.uniform(0.1, 0.7), 0.35 if dark else random.uniform(0.5, 0.85))
        if own_title
        else _grey(ground + away * random.choice((0.0, 0.04)), hue)
    )
    return Theme(
        dark=dark,
        window=_grey(ground, hue),
        title=title,
        panel=_grey(ground + away * random.uniform(0.03, 0.09), hue),
        field=_grey(ground + (0.06 if dark else random.choice((0.1, -0.05))), hue),
        button=_grey(ground + away * random.uniform(0.08, 0.18), hue),
        accent=accent,
        line=_grey(ground + away * random.uniform(0.2, 0.45), hue),
        ink=_grey(0.93 if dark else random.uniform(0.0, 0.2), hue),
        title_ink=_readable(title),
        radius=random.choice((0, 0, 3, 5, 8)),
        border=border,
        shadow=random.random() < 0.5 or border == 0,
        outlined=random.random() < 0.6,
        gradient=random.random() < 0.25,
        controls=random.choice(("right", "right", "left")),
        centred=random.random() < 0.4,
        wall=random.choice(("plain", "gradient", "blobs")),
        wall_colours=(
            _colour(random.random(), random.uniform(0.2, 0.6), random.uniform(0.25, 0.7)),
            _colour(random.random(), random.uniform(0.2, 0.6), random.uniform(0.25, 0.7)),
        ),
        font=random.choice((None, *fonts())),
        size=random.choice((13, 14, 15, 16, 18)),
    )


@functools.cache
def fonts() -> tuple[str, ...]:
    """Return the fonts of this machine that are drawn with."""
    from PIL import ImageFont

    found = []
    for name in FONTS:
        try:
            ImageFont.truetype(f"{name}.ttf", 12)
        except OSError:
            continue
        found.append(name)
    return tuple(found)


@functools.lru_cache(maxsize=64)
def font(name: str | None, size: int) -> "FreeTypeFont | ImageFont":
    """Return a font; without a name the one that comes with Pillow."""
    from PIL import ImageFont

    if name is None:
        return ImageFont.load_default(size)
    return ImageFont.truetype(f"{name}.ttf", size)


def _colour(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, min(max(value, 0.0), 1.0))
    return round(red * 255), round(green * 255), round(blue * 255)


def _grey(value: float, hue: float) -> Colour:
    return _colour(hue, 0.04, value)


def _readable(ground: Colour) -> Colour:
    light = 0.3 * ground[0] + 0.59 * ground[1] + 0.11 * ground[2]
    return (20, 20, 24) if light > 140 else (240, 240, 245)
