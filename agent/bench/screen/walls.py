"""What stands behind the windows of a drawn screenshot."""

from random import Random
from typing import TYPE_CHECKING

import numpy as np

from agent.bench.screen.themes import Theme

if TYPE_CHECKING:
    from PIL.Image import Image


def wall(look: Theme, width: int, height: int, random: Random) -> "Image":
    """Draw what stands behind all windows: even, running, or like a photograph."""
    from PIL import Image, ImageDraw, ImageFilter

    one, other = look.wall_colours
    if look.wall == "plain":
        return Image.new("RGB", (width, height), one)
    ramp = np.linspace(0, 1, height)[:, None, None]
    pixels = np.asarray(one) * (1 - ramp) + np.asarray(other) * ramp
    ground = Image.fromarray(np.repeat(pixels, width, axis=1).astype(np.uint8))
    if look.wall == "blobs":
        draw = ImageDraw.Draw(ground)
        for _ in range(40):
            x, y, r = random.randint(0, width), random.randint(0, height), random.randint(20, 160)
            colour = tuple(random.randint(30, 220) for _ in range(3))
            draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        ground = ground.filter(ImageFilter.GaussianBlur(6))
        noise = np.random.default_rng(random.randint(0, 1 << 30)).normal(0, 6, (height, width, 3))
        ground = Image.fromarray(np.clip(np.asarray(ground) + noise, 0, 255).astype(np.uint8))
    return ground
