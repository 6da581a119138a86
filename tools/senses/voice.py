"""Whether somebody speaks, told frame by frame: Silero's network on onnxruntime.

It runs on a processor core for as long as somebody listens, 0.2 ms for each 32 ms of sound, and
never comes onto a card: so it takes no lease.
"""

import os
from importlib import import_module
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tools.senses.base import SAMPLE_RATE_HZ
from tools.senses.errors import EngineError

FRAME = 512
"""Samples that are judged together."""

FRAME_S = FRAME / SAMPLE_RATE_HZ

WHEEL = "silero-vad"
_GRAPH = "silero_vad_16k_op15.onnx"
_BEFORE = 64
"""Samples of the frame before that the network wants to see again."""


class VoiceDetector(Protocol):
    """Tells speech from everything else, one frame after the other."""

    def probability(self, frame: NDArray[np.float32]) -> float:
        """Return how likely a frame of shape (FRAME,) holds speech, after those before it."""
        ...


class SileroDetector:
    """Knows speech in any language. It remembers what it heard: one for each microphone."""

    def __init__(self) -> None:
        """Load the network. Raises `EngineError` where its weights are not installed."""
        onnxruntime: Any = import_module("onnxruntime")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            weights_file(), options, providers=["CPUExecutionProvider"]
        )
        self._state = np.zeros((2, 1, 128), np.float32)
        self._before = np.zeros(_BEFORE, np.float32)
        self._rate = np.array(SAMPLE_RATE_HZ, np.int64)

    def probability(self, frame: NDArray[np.float32]) -> float:
        """Return how likely a frame of shape (FRAME,) holds speech, after those before it."""
        seen = np.concatenate([self._before, frame])
        probability, self._state = self._session.run(
            None, {"input": seen[None], "state": self._state, "sr": self._rate}
        )
        self._before = frame[-_BEFORE:]
        return float(probability[0, 0])


def weights_file() -> Path:
    """Return the network in its wheel, which is never imported. Raises `EngineError`."""
    try:
        found = [file for file in files(WHEEL) or () if file.name == _GRAPH]
    except PackageNotFoundError:
        found = []
    for file in found:
        path = Path(os.fspath(file.locate()))
        if path.is_file():
            return path
    raise EngineError(
        f"The wheel {WHEEL}, which tells speech from noise, is not installed. Run "
        f"`pip install --no-deps {WHEEL}`, or talk with --push-to-talk."
    )
