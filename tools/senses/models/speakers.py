"""Who speaks when: pyannote's pipeline, its weights from a folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.senses.background import Patience
from tools.senses.base import SAMPLE_RATE_HZ, Segment
from tools.senses.errors import EngineError, WeightsError
from tools.senses.models import tensors
from tools.senses.models.base import Voice
from tools.senses.models.flat import FlatWeights
from tools.senses.models.weights import Manifest

FOLDER = "speakers"
SEGMENTATION = f"{FOLDER}/segmentation.bin"
EMBEDDING = f"{FOLDER}/embedding.bin"
"""The two files, as pyannote saves its models."""

_OF_TRAINING = ("loss_func.", "validation_metric.")
"""Begins the names of what a model was taught with, which nobody needs to listen."""
_BATCH = 8
_MOST_ALIKE = 0.7045654963945799
_FEWEST = 12
"""Of the pipeline 3.1 of pyannote: from which distance two voices are two people, and of how many
stretches a person's voice has to be made."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """A stretch in which one person speaks."""

    start_s: float
    end_s: float
    speaker: str


class Speakers:
    """Tells voices apart, in a piece of sound by itself."""

    def __init__(self, folder: Path, manifest: Manifest, *, lock: bool) -> None:
        self._folder = folder
        self._there = SEGMENTATION in manifest.files and EMBEDDING in manifest.files
        self._lock = lock
        self._pipeline: Any = None
        self._weights: FlatWeights | None = None

    @property
    def host_bytes(self) -> int:
        """What the models take in host memory."""
        return 0 if self._weights is None else self._weights.bytes

    def stage(self) -> None:
        """Read both models into host memory. Raises WeightsError."""
        if self._pipeline is not None:
            return
        if not self._there:
            raise WeightsError(
                f"{self._folder} has no {SEGMENTATION} or no {EMBEDDING}: speakers cannot be told "
                "apart. Bring them, or do not ask for speakers."
            )
        self._pipeline = _pipeline(
            _loaded(self._folder / SEGMENTATION, "PyanNet"),
            _loaded(self._folder / EMBEDDING, "WeSpeakerResNet34"),
        )
        self._weights = FlatWeights(_modules(self._pipeline), lock=self._lock)

    def bring(self, device: str) -> None:
        """Copy both models to a device."""
        if self._weights is not None:
            self._weights.bring(device)
            _use(self._pipeline, device)

    def leave(self) -> None:
        """Give the device's bytes back."""
        if self._weights is not None:
            self._weights.leave()
            _use(self._pipeline, "cpu")

    def drop(self) -> None:
        """Give the host's bytes back too."""
        if self._weights is not None:
            self._weights.close()
        self._weights = None
        self._pipeline = None

    def turns(
        self, samples: NDArray[np.float32], patience: Patience
    ) -> tuple[list[Turn], tuple[Voice, ...]]:
        """Return who speaks when, in the order of time, and their voices. Turns may overlap."""
        import torch

        def hook(*_: Any, **__: Any) -> None:
            patience.check()

        file = {
            "waveform": torch.from_numpy(np.ascontiguousarray(samples))[None],
            "sample_rate": SAMPLE_RATE_HZ,
        }
        try:
            told, features = self._pipeline(file, hook=hook, return_embeddings=True)
        except (RuntimeError, ValueError, MemoryError) as error:
            raise EngineError(f"Speakers cannot be told apart: {error}") from error
        turns = [
            Turn(start_s=span.start, end_s=span.end, speaker=str(speaker))
            for span, _, speaker in told.itertracks(yield_label=True)
        ]
        voices = zip(told.labels(), features, strict=False)
        return turns, tuple(
            Voice(speaker=str(speaker), features=tuple(float(one) for one in own))
            for speaker, own in voices
        )


def named(segments: Sequence[Segment], turns: Sequence[Turn]) -> list[Segment]:
    """Return the segments with the speakers who were heard longest in them and in their words."""
    return [
        replace(
            segment,
            speaker=_speaker(segment.start_s, segment.end_s, turns),
            words=tuple(
                replace(word, speaker=_speaker(word.start_s, word.end_s, turns))
                for word in segment.words
            ),
        )
        for segment in segments
    ]


def _speaker(start_s: float, end_s: float, turns: Sequence[Turn]) -> str | None:
    heard_s: dict[str, float] = {}
    for turn in turns:
        both_s = max(0.0, min(end_s, turn.end_s) - max(start_s, turn.start_s))
        heard_s[turn.speaker] = heard_s.get(turn.speaker, 0.0) + both_s
    speaker, longest_s = max(heard_s.items(), key=lambda one: one[1], default=("", 0.0))
    return speaker if longest_s > 0 else None


def _loaded(path: Path, architecture: str) -> Any:
    """Return a model that pyannote saved. Raises WeightsError.

    The file may name any class and any module: of those it can only have what is listed here.
    """
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import WeSpeakerResNet34
    from pyannote.audio.models.segmentation import PyanNet
    from torch.torch_version import TorchVersion

    kinds = {"PyanNet": PyanNet, "WeSpeakerResNet34": WeSpeakerResNet34}
    told = tensors.read(path, [Specifications, Problem, Resolution, TorchVersion])
    try:
        about = told["pyannote.audio"]
        found = about["architecture"]["class"]
        if found != architecture:
            raise WeightsError(f"{path} is a {found!r}, not a {architecture!r}.")
        model = _constructed(kinds[architecture], told["hyper_parameters"])
        model.specifications = about["specifications"]
        model.setup()
        missing, left = model.load_state_dict(told["state_dict"], strict=False)
    except (KeyError, TypeError, AttributeError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{path} is no {architecture} of pyannote: {error}.") from error
    unknown = [name for name in left if not name.startswith(_OF_TRAINING)]
    tensors.refuse(path, {"missing_keys": missing, "unexpected_keys": unknown})
    return model.eval()


def _constructed(kind: type[Any], settings: Mapping[str, Any]) -> Any:
    """Return a model with those of its saved settings that it still takes, as Lightning does."""
    known = signature(kind).parameters
    return kind(**{name: value for name, value in settings.items() if name in known})


def _pipeline(segmentation: Any, embedding: Any) -> Any:
    from pyannote.audio.pipelines import SpeakerDiarization

    pipeline = SpeakerDiarization(
        segmentation=segmentation,
        embedding=embedding,
        embedding_exclude_overlap=True,
        clustering="AgglomerativeClustering",
        segmentation_batch_size=_BATCH,
        embedding_batch_size=_BATCH,
    )
    clustering = {
        "method": "centroid",
        "min_cluster_size": _FEWEST,
        "threshold": _MOST_ALIKE,
    }
    return pipeline.instantiate(
        {"segmentation": {"min_duration_off": 0.0}, "clustering": clustering}
    )


def _modules(pipeline: Any) -> list[Any]:
    """Return all that computes, the table that the segmentation's answers go through included."""
    inference = pipeline._segmentation
    return [inference.model, inference.conversion, pipeline._embedding.model_]


def _use(pipeline: Any, device: str) -> None:
    """Tell the pipeline where its tensors lie, which have been moved for it."""
    import torch

    place = torch.device(device)
    pipeline._segmentation.device = place
    pipeline._embedding.device = place
