"""Which class loads which kind of weights."""

import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from tools.senses.models import weights
from tools.senses.models.base import Kind, Model

_CLASSES: Mapping[Kind, str] = {
    "whisperx": "tools.senses.models.whisper:WhisperModel",
    "parakeet": "tools.senses.models.parakeet:ParakeetModel",
    "sam2": "tools.senses.models.sam2:Sam2Model",
    "kokoro": "tools.senses.models.kokoro:KokoroModel",
}


def maker(weights_dir: Path) -> Callable[[str], Model]:
    """Return what makes a model by its name; nothing is loaded yet.

    It raises WeightsError where the weights are not there.
    """

    def make(variant: str) -> Model:
        folder = weights_dir / variant
        manifest = weights.read(folder)
        module, _, name = _CLASSES[manifest.kind].partition(":")
        made: Model = getattr(import_module(module), name)(folder, manifest)
        return made

    return make


def prepare(card: str | None) -> None:
    """Set what libraries read when they are imported: the card, and that no hub is asked."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_OFFLINE"] = "1"
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    os.environ["CUDA_VISIBLE_DEVICES"] = card or ""
    os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")


def card_bytes() -> int:
    """Return what torch holds of the card; nothing is imported for it."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return 0
    return int(torch.cuda.memory_reserved())
