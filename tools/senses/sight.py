"""The embedded sense of sight: rapidocr with the models that come with it."""

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memory.places import Box
from tools.senses import background, heap, layout, strips
from tools.senses.background import Patience
from tools.senses.base import Sighting, TextLine
from tools.senses.errors import EngineError
from tools.senses.layout import Corners

DETECTED_PIXELS = 650_000
"""Of the small copy that lines are looked for in: each takes some 150 bytes."""

LEAST_SCORE = 0.5
"""Below this a line is taken for texture."""

_TURNED_SCORE = 0.9
"""Below this a line is read upside down as well."""

_MOST_SCALE = 3.0
_SMALL_LINE = 14.0
"""Where the small copy is smaller than this, or a quarter of its lines is lower than this, lines
are looked for in one of twice the size, by parts."""


_BANDS = 8

_FIRST_IDEOGRAPH = "\u2e80"


class RapidOcrReader:
    """Reads Latin and Chinese writing. The models are loaded at first use and then kept."""

    def __init__(self) -> None:
        # Held while the models are loaded, and for each image: several at once would add up.
        self._lock = threading.Lock()
        self._engine: Any = None

    @property
    def name(self) -> str:
        """Name and tier."""
        return f"rapidocr {version('rapidocr')} (embedded)"

    async def read(self, image: NDArray[np.uint8]) -> Sighting:
        """Return the lines in an image of shape (height, width, 3), RGB."""
        return await background.run(lambda patience: self._read(image, patience))

    def _read(self, image: NDArray[np.uint8], patience: Patience) -> Sighting:
        height, width = image.shape[:2]
        with self._lock:
            patience.check()
            if self._engine is None:
                self._engine = _engine()
            boxes = self._boxes(image, patience)
            with heap.kept():
                found = list(self._lines(image, boxes, patience))
        ordered = layout.order([line.corners for line in found])
        return Sighting(
            lines=tuple(found[index].line for index in ordered), width=width, height=height
        )

    def _lines(
        self, image: NDArray[np.uint8], boxes: Sequence[strips.Box], patience: Patience
    ) -> Iterator["_Found"]:
        for box in boxes:
            patience.check()
            strip = strips.cut(image, box)
            if strip is None:
                continue
            text, score = self._text(strip)
            corners = box
            if score < _TURNED_SCORE:
                other, other_score = self._text(strip[::-1, ::-1])
                if other_score > score:
                    text, score, corners = other, other_score, box[[2, 3, 0, 1]]
            if text and score >= LEAST_SCORE:
                yield _found(text, score, corners, image.shape)

    def _boxes(self, image: NDArray[np.uint8], patience: Patience) -> list[strips.Box]:
        """Find lines in a small copy of the image; they are read in the image itself."""
        small, scale = strips.shrunk(image, DETECTED_PIXELS)
        boxes = self._detected(small)
        low = sorted(map(strips.height, boxes))[: 1 + len(boxes) // 4]
        if scale == 1.0 or (scale <= _MOST_SCALE and (not boxes or low[-1] >= _SMALL_LINE)):
            return [box * scale for box in boxes]
        larger, finer = strips.shrunk(image, DETECTED_PIXELS * 4)
        tall = [
            box * (scale / finer)
            for box in boxes
            if strips.height(box) * scale / finer > strips.BAND_OVERLAP * 1.5
        ]
        found = list(tall)
        for band, top, first, last in strips.bands(larger, _BANDS):
            patience.check()
            for box in self._detected(band):
                box[:, 1] += top
                middle = box.mean(axis=0)
                if first <= middle[1] < last and not any(strips.holds(one, middle) for one in tall):
                    found.append(box)
        return [box * finer for box in found]

    def _detected(self, image: NDArray[np.uint8]) -> list[strips.Box]:
        found = self._engine(_bgr(image), use_det=True, use_cls=False, use_rec=False).boxes
        boxes = () if found is None else np.asarray(found, dtype=np.float32)
        return [strips.running(box) for box in boxes]

    def _text(self, strip: NDArray[np.uint8]) -> tuple[str, float]:
        """Return the text of a line, and the mean score of its letters."""
        text, sum_of_scores, letters = "", 0.0, 0
        for part, spaced in strips.parts(strip):
            read = self._engine(_bgr(part), use_det=False, use_cls=False, use_rec=True)
            if read.txts and (words := read.txts[0].strip()):
                text = _joined(text, words) if spaced else text + words
                sum_of_scores += float(read.scores[0]) * len(words)
                letters += len(words)
        return text, sum_of_scores / max(letters, 1)


def _joined(text: str, words: str) -> str:
    """Return both with a space between, which Chinese and Japanese do without."""
    if not text or min(text[-1], words[0]) >= _FIRST_IDEOGRAPH:
        return text + words
    return f"{text} {words}"


def _bgr(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(image[:, :, ::-1])


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """A line as it was found, and where it stands as it runs."""

    line: TextLine
    corners: Corners


def _found(text: str, score: float, box: strips.Box, shape: tuple[int, ...]) -> _Found:
    height, width = shape[:2]
    xs, ys = np.clip(box[:, 0], 0, width), np.clip(box[:, 1], 0, height)
    bounds = Box(
        left=round(float(xs.min()), 1),
        top=round(float(ys.min()), 1),
        right=round(float(xs.max()), 1),
        bottom=round(float(ys.max()), 1),
    )
    a, b, c, d = ((float(x), float(y)) for x, y in box)
    line = TextLine(text=text, box=bounds, score=round(min(score, 1.0), 4))
    return _Found(line=line, corners=(a, b, c, d))


def _engine() -> Any:
    """Load the models. Raises `EngineError` where they are not there."""
    heap.return_large_blocks()
    try:
        import rapidocr
    except ImportError as error:
        raise EngineError(
            f"rapidocr cannot be used here: {error}. Reinstall the package rapidocr."
        ) from error
    models = Path(rapidocr.__file__).parent / "models"
    runtime = "EngineConfig.onnxruntime"
    return rapidocr.RapidOCR(
        params={
            "Global.log_level": "error",
            # Lines are brought to their size here; its own bounds would distort long ones.
            "Global.max_side_len": 1 << 20,
            "Global.min_side_len": 1,
            "Det.limit_type": "max",
            "Det.limit_side_len": strips.LONGEST_SIDE,
            "Global.use_vertical_padding": False,
            # Named, so that nothing is ever fetched.
            "Det.model_path": _model(models, "det"),
            "Rec.model_path": _model(models, "rec"),
            "Rec.rec_batch_num": 1,
            f"{runtime}.enable_cpu_mem_arena": False,
            f"{runtime}.intra_op_num_threads": _cores(),
            f"{runtime}.inter_op_num_threads": 1,
        }
    )


def _model(folder: Path, task: str) -> str:
    found = sorted(folder.glob(f"*_{task}_*.onnx"))
    if not found:
        raise EngineError(
            f"rapidocr came without its {task} model, which belongs into {folder}. Reinstall the "
            "package rapidocr."
        )
    return str(found[-1])


def _cores() -> int:
    """Return the processors that this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1
