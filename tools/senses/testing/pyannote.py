"""pyannote's two models with weights at random, as it saves them."""

from pathlib import Path
from typing import Any

from tools.senses.models.speakers import EMBEDDING, SEGMENTATION

_HEARD_S = 3.0


def make(folder: Path, *, seed: int = 0) -> None:
    """Write both files. The one finds three people, the other tells their voices apart."""
    import torch
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import WeSpeakerResNet34
    from pyannote.audio.models.segmentation import PyanNet

    torch.manual_seed(seed)
    people = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=_HEARD_S,
        min_duration=_HEARD_S,
        classes=["speaker#1", "speaker#2", "speaker#3"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    voice = Specifications(
        problem=Problem.REPRESENTATION,
        resolution=Resolution.CHUNK,
        duration=_HEARD_S,
        min_duration=_HEARD_S,
        classes=["one", "other"],
    )
    small = {"hidden_size": 8, "num_layers": 1}
    _save(PyanNet(lstm=small, linear=small), people, folder / SEGMENTATION)
    _save(WeSpeakerResNet34(), voice, folder / EMBEDDING)


def _save(model: Any, specifications: Any, path: Path) -> None:
    import torch

    model.specifications = specifications
    model.setup()
    told: dict[str, Any] = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
        "pytorch-lightning_version": "2.0",
    }
    model.on_save_checkpoint(told)
    path.parent.mkdir(exist_ok=True)
    torch.save(told, path)
