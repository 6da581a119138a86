"""A picture as a server of models takes it: of a bounded size, as PNG. Pure."""

import base64
import io

import numpy as np
from numpy.typing import NDArray

MOST_PIXELS = 1920 * 1080
"""Of what is sent: what its lease is reckoned by. It is some two thousand tokens."""
LONGEST_SIDE = 4_096
SHORTEST_SIDE = 64
"""Models that cut a picture into patches fail on one that is lower than a few of these."""

_WHITE = 255


def fitted(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image of shape (height, width, 3) scaled down to the bounds, and never up.

    One that is too narrow gets a white margin.
    """
    from PIL import Image

    height, width = image.shape[:2]
    scale = min(1.0, (MOST_PIXELS / (height * width)) ** 0.5, LONGEST_SIDE / max(height, width))
    if scale < 1.0:
        size = (max(1, int(width * scale)), max(1, int(height * scale)))
        image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))
    missing = [max(0, SHORTEST_SIDE - side) for side in image.shape[:2]]
    margins = ((0, missing[0]), (0, missing[1]), (0, 0))
    return np.pad(image, margins, constant_values=_WHITE) if any(missing) else image


def encoded(image: NDArray[np.uint8]) -> str:
    """Return a PNG in base64."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG", compress_level=1)
    return base64.b64encode(out.getvalue()).decode("ascii")
