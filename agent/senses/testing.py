"""The process of the senses with models that need no library, for tests of the process itself.

Their weights are files of any bytes. Hearing says a word for each second of a recording, and
leaves a file `NAME.began` when it begins. What has `broken` or `huge` in its name cannot be loaded;
what has `failing` or `dying` fails when it is used.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.senses.__main__ import main
from agent.senses.config import WorkerConfig
from agent.senses.loading import Make
from memory.places import Box
from tools.senses.background import Patience
from tools.senses.base import SAMPLE_RATE_HZ, Prompt, Region, Segment, Speech
from tools.senses.errors import DeviceError, WeightsError
from tools.senses.models.base import Heard, Model

PACE_S = 0.02
"""Of hearing one second, and of saying one letter."""


class PlainModel:
    """Hears and speaks by counting."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._host: NDArray[np.uint8] | None = None
        self._device: NDArray[np.uint8] | None = None

    @property
    def host_bytes(self) -> int:
        """Of the file."""
        return 0 if self._host is None else self._host.nbytes

    def stage(self) -> None:
        """Read the file."""
        if self._host is None:
            if "broken" in self._path.name:
                raise WeightsError(f"{self._path} is broken.")
            self._host = np.fromfile(self._path, dtype=np.uint8)

    def bring(self, device: str) -> None:
        """Copy what was read."""
        self.stage()
        if "huge" in self._path.name and device != "cpu":
            raise DeviceError(f"{self._path.name} has no room on {device}.")
        assert self._host is not None, "it was staged"
        self._device = self._host.copy()

    def leave(self) -> None:
        """Forget the copy."""
        self._device = None

    def drop(self) -> None:
        """Forget what was read."""
        self._host = self._device = None

    def transcribe(
        self, samples: NDArray[np.float32], patience: Patience, *, language: str | None = None
    ) -> Heard:
        """Say a word for each second."""
        assert self._device is not None, "it was brought"
        if "failing" in self._path.name:
            raise ZeroDivisionError("a fault of a library")
        if "dying" in self._path.name:
            os._exit(9)
        self._path.with_name(f"{self._path.name}.began").touch()
        words = []
        for second in range(len(samples) // SAMPLE_RATE_HZ):
            patience.check()
            time.sleep(PACE_S)
            words.append(Segment(text=f"word {second}", start_s=float(second), end_s=second + 1.0))
        return Heard(segments=tuple(words), language=language or "en", flaws=("counted",))

    def say(
        self, text: str, patience: Patience, *, language: str, voice: str | None = None
    ) -> Speech:
        """Make a sample of each letter."""
        assert self._device is not None, "it was brought"
        for _ in text:
            patience.check()
            time.sleep(PACE_S)
        letters = f"{voice or ''}{language} {text}".encode()
        return Speech(
            samples=np.frombuffer(letters, dtype=np.uint8).astype(np.int16), sample_rate_hz=8_000
        )

    def regions(self, image: NDArray[np.uint8], patience: Patience) -> tuple[Region, ...]:
        """Find the left half of a picture, and its right one, which has no cells."""
        patience.check()
        height, width = image.shape[:2]
        left = Box(left=0.0, top=0.0, right=width / 2, bottom=float(height))
        right = Box(left=width / 2, top=0.0, right=float(width), bottom=float(height))
        cells = np.indices((height, width // 2)).sum(axis=0) % 2 == 0
        none = np.zeros((0, 0), dtype=np.bool_)
        return (
            Region(box=left, pixels=int(cells.sum()), score=0.9, mask=cells),
            Region(box=right, pixels=0, score=0.5, mask=none),
        )

    def region(
        self, image: NDArray[np.uint8], prompts: Sequence[Prompt], patience: Patience
    ) -> tuple[Region, ...]:
        """Find the left half for a point in it, else the right one."""
        left, right = self.regions(image, patience)
        middle = image.shape[1] / 2
        return tuple(left if one.points[0][0] < middle else right for one in prompts)


def plain_maker(config: WorkerConfig) -> Make:
    """Return what makes a model of a file."""

    def make(variant: str, device: str) -> tuple[object, Model]:  # noqa: ARG001 - all alike
        path = Path(config.weights_dir, variant)
        if not path.is_file():
            raise WeightsError(f"There are no weights {variant}.")
        return path.stat().st_mtime_ns, PlainModel(path)

    return make


if __name__ == "__main__":
    main(plain_maker)
