"""SAM2: what belongs together in a picture, all of it or by points and boxes."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memory.places import Box
from tools.senses.background import Patience
from tools.senses.base import Prompt, Region
from tools.senses.errors import EngineError, WeightsError
from tools.senses.models import pickled
from tools.senses.models.modules import ModuleModel, at_work
from tools.senses.models.weights import Manifest

CONFIG = "config.json"
"""`{"config": "sam2.1_hiera_t", "overrides": {"image_encoder.trunk.embed_dim": 16}}`

Needed where the weights have another name than the one they are published under.
"""

CONFIGS = {
    "sam2.1_hiera_tiny.pt": "sam2.1_hiera_t",
    "sam2.1_hiera_small.pt": "sam2.1_hiera_s",
    "sam2.1_hiera_base_plus.pt": "sam2.1_hiera_b+",
    "sam2.1_hiera_large.pt": "sam2.1_hiera_l",
}
"""The package's own, by the names that their weights are published under."""

LONGEST_SIDE = 1024
"""Of the copy of a picture that is worked at, in pixels: SAM2 looks at no more. Outlines come from
256 x 256 cells; in a larger copy they would take more memory and be no finer."""

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_ALWAYS = {
    # Else a table is made on the card while the model is built in host memory.
    "image_encoder.neck.position_encoding.warmup_cache": False,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """How a whole picture is asked about."""

    points_per_side: int = 32
    points_per_batch: int = 16
    """Their masks take 12 bytes a pixel of the copy each, some 200 MB at this number."""
    least_score: float = 0.8
    """Of the model's own estimate of an outline."""
    least_stability: float = 0.95
    """How little an outline changes where it is drawn a little wider or closer."""
    most_overlap: float = 0.7
    """Of two boxes that have more in common, as intersection over union, one is left out."""


class Sam2Model(ModuleModel):
    """A `SegmentingModel` by the package `sam2`."""

    def __init__(
        self, folder: Path, manifest: Manifest, *, grid: Grid | None = None, lock: bool = False
    ) -> None:
        super().__init__(folder, lock=lock)
        self._manifest = manifest
        self._grid = Grid() if grid is None else grid
        self._predictor: Any = None
        self._generator: Any = None

    def regions(self, image: NDArray[np.uint8], patience: Patience) -> tuple[Region, ...]:
        """Return all regions in an image of shape (height, width, 3), RGB, the largest first."""
        with self._at_work(patience) as check:
            small = _copy(image)
            check()
            found = self._generator.generate(small)
            regions = [
                _region(_mask(one["segmentation"]), one["predicted_iou"], image.shape)
                for one in found
            ]
        return tuple(sorted(regions, key=_largest_first))

    def region(
        self, image: NDArray[np.uint8], prompts: Sequence[Prompt], patience: Patience
    ) -> tuple[Region, ...]:
        """Return the best region for each prompt. Where nothing is found it has no pixels."""
        asked = [_asked(prompt, image.shape) for prompt in prompts]
        with self._at_work(patience) as check:
            small = _copy(image)
            check()
            self._predictor.set_image(small)
            scale = np.array([small.shape[1] / image.shape[1], small.shape[0] / image.shape[0]])
            regions = []
            for one in asked:
                check()
                masks, scores, _ = self._predictor.predict(**one.scaled(scale))
                best = int(np.argmax(scores))
                regions.append(_region(masks[best] > 0, float(scores[best]), image.shape))
        return tuple(regions)

    @contextmanager
    def _at_work(self, patience: Patience) -> Iterator[Callable[[], None]]:
        """Lend the model for one picture; nothing of it is kept."""
        if self._generator is None:
            raise EngineError("SAM2 has not been brought. Bring it first.")
        self._generator.check = patience.check
        try:
            with at_work("a picture by SAM2"):
                yield patience.check
        finally:
            self._generator.check = _no_check
            self._generator.predictor.reset_predictor()
            self._predictor.reset_predictor()

    def _build(self) -> Any:
        path = self._checkpoint()
        config, overrides = _config(path, self._manifest)
        try:
            from sam2.build_sam import build_sam2
            from sam2.sam2_image_predictor import SAM2ImagePredictor
        except ImportError as error:
            raise EngineError(
                f"SAM2 cannot be used here: {error}. Install the extra `senses`."
            ) from error
        told = pickled.load(path)
        found = pickled.tensors(path, told.get("model") if isinstance(told, Mapping) else None)
        try:
            model = build_sam2(
                f"configs/sam2.1/{config}.yaml",
                None,
                device="cpu",
                hydra_overrides_extra=[
                    f"++model.{k}={json.dumps(v)}" for k, v in overrides.items()
                ],
            )
        except Exception as error:
            # hydra, omegaconf and the model itself fail in as many ways.
            raise WeightsError(
                f"{self._folder / CONFIG} describes no model that can be built: {error}"
            ) from error
        pickled.fill(model, found, path)
        # Pictures need neither; in the small models they are a fifth of the weights.
        model.memory_attention = None
        model.memory_encoder = None
        self._predictor = SAM2ImagePredictor(model)
        self._generator = _generator(model, self._grid)
        return model

    def _forget(self) -> None:
        self._predictor = None
        self._generator = None

    def _checkpoint(self) -> Path:
        names = [name for name in self._manifest.files if name.endswith(".pt")]
        if len(names) != 1:
            raise WeightsError(
                f"{self._folder} has {len(names)} files of weights (*.pt) by its manifest; SAM2 "
                "has one."
            )
        return self._folder / names[0]


def _generator(model: Any, grid: Grid) -> Any:
    """Return SAM2's own generator of masks, which can be stopped between two batches of points."""
    from sam2.automatic_mask_generator import SAM2AutomaticMaskGenerator

    class Generator(SAM2AutomaticMaskGenerator):  # type: ignore[misc]
        check: Callable[[], None] = staticmethod(_no_check)

        def _process_batch(self, *arguments: Any, **named: Any) -> Any:
            self.check()
            return super()._process_batch(*arguments, **named)

    return Generator(
        model,
        points_per_side=grid.points_per_side,
        points_per_batch=grid.points_per_batch,
        pred_iou_thresh=grid.least_score,
        stability_score_thresh=grid.least_stability,
        box_nms_thresh=grid.most_overlap,
        # Their masks are decoded here one at a time: hundreds at once take hundreds of megabytes.
        output_mode="uncompressed_rle",
    )


def _no_check() -> None:
    pass


@dataclass(frozen=True, slots=True)
class _Asked:
    """A prompt that makes sense."""

    points: NDArray[np.float64]
    """Shape (n, 2): x and y."""
    inside: NDArray[np.int32]
    box: NDArray[np.float64] | None

    def scaled(self, scale: NDArray[np.float64]) -> dict[str, Any]:
        """Return what SAM2 takes, for a copy whose sides are `scale` of the picture's."""
        some = len(self.points) > 0
        return {
            "point_coords": self.points * scale if some else None,
            "point_labels": self.inside if some else None,
            "box": None if self.box is None else self.box * np.tile(scale, 2),
            # One point may mean a thing, a part of it or what it is part of.
            "multimask_output": self.box is None and len(self.points) == 1,
        }


def _asked(prompt: Prompt, shape: tuple[int, ...]) -> _Asked:
    if len(prompt.points) != len(prompt.inside):
        raise ValueError(
            f"A prompt has {len(prompt.points)} points and says of {len(prompt.inside)} whether "
            "they are inside. Say it of each."
        )
    if prompt.box is None and not any(prompt.inside):
        raise ValueError("A prompt points at nothing. Give a point inside, or a box.")
    box = prompt.box
    numbers = [*(one for point in prompt.points for one in point)]
    if box is not None:
        numbers += [box.left, box.top, box.right, box.bottom]
    height, width = shape[:2]
    if not all(0 <= one <= max(height, width) for one in numbers):
        raise ValueError(
            f"A prompt points beyond a picture of {width} x {height} pixels: {prompt}."
        )
    return _Asked(
        np.array(prompt.points, dtype=np.float64).reshape(-1, 2),
        np.array(prompt.inside, dtype=np.int32),
        None if box is None else np.array([box.left, box.top, box.right, box.bottom], np.float64),
    )


def _copy(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a copy whose longer side is at most `LONGEST_SIDE`; torch wants one to write in."""
    from PIL import Image

    height, width = image.shape[:2]
    if max(height, width) <= LONGEST_SIDE:
        return image.copy()
    scale = LONGEST_SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.array(Image.fromarray(image).resize(size, Image.Resampling.BOX))


def _mask(rle: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Decode runs of out, in, out and so on, down the columns one after the other."""
    height, width = rle["size"]
    turns = np.arange(len(rle["counts"])) % 2 == 1
    return np.repeat(turns, rle["counts"]).reshape(width, height).T


def _region(mask: NDArray[np.bool_], score: float, shape: tuple[int, ...]) -> Region:
    """Return a region of the picture for a mask of its copy."""
    height, width = shape[:2]
    down, across = height / mask.shape[0], width / mask.shape[1]
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, bottom = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 0)
    left, right = (int(columns[0]), int(columns[-1]) + 1) if len(columns) else (0, 0)
    inner = mask[top:bottom, left:right].copy()
    return Region(
        box=Box(left=left * across, top=top * down, right=right * across, bottom=bottom * down),
        pixels=round(int(inner.sum()) * across * down),
        score=min(max(float(score), 0.0), 1.0),
        mask=inner,
    )


def _largest_first(region: Region) -> tuple[float, ...]:
    return -region.pixels, region.box.top, region.box.left


def _config(weights: Path, manifest: Manifest) -> tuple[str, dict[str, Any]]:
    """Return the name of the package's own config, and what differs from it. Raises WeightsError.

    A config of hydra may name what is to be called: only numbers may differ.
    """
    path = weights.parent / CONFIG
    if CONFIG not in manifest.files:
        if weights.name not in CONFIGS:
            raise WeightsError(
                f"{weights} has none of the names that SAM2's weights are published under "
                f"({', '.join(CONFIGS)}). Name its config in a {CONFIG} beside it."
            )
        return CONFIGS[weights.name], dict(_ALWAYS)
    try:
        told = json.loads(path.read_bytes())
        config, overrides = told["config"], dict(told.get("overrides", {}))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"{path} names no config of SAM2: {type(error).__name__} {error}."
        ) from error
    if config not in CONFIGS.values():
        raise WeightsError(
            f"{path} names the config {config!r}, not one of {', '.join(CONFIGS.values())}."
        )
    for name, value in overrides.items():
        if not _NAME.fullmatch(name) or not _is_numbers(value):
            raise WeightsError(
                f"{path} sets {name!r} to {value!r}. Only numbers and lists of them can be set."
            )
    return config, {**overrides, **_ALWAYS}


def _is_numbers(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_numbers, value))
    return isinstance(value, int | float)
