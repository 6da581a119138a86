"""Which class loads which kind of weights."""

import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from agent.senses.config import WorkerConfig
from tools.senses.errors import WeightsError
from tools.senses.models import weights
from tools.senses.models.base import Kind, Model
from tools.senses.models.weights import Manifest

_CLASSES: Mapping[Kind, str] = {
    "whisperx": "tools.senses.models.whisper:WhisperX",
    "parakeet": "tools.senses.models.parakeet:Parakeet",
    "sam2": "tools.senses.models.sam2:Sam2Model",
    "kokoro": "tools.senses.models.kokoro:KokoroModel",
}


Make = Callable[[str, str], tuple[object, Model]]
"""Makes a model by its name, for a device; nothing is loaded yet. Beside it stands what tells its
weights from others of that name. Raises WeightsError."""


def maker(config: WorkerConfig) -> Make:
    """Return what makes models of the weights that are here."""

    def make(variant: str, device: str) -> tuple[Manifest, Model]:
        if not weights.is_variant(variant):
            raise WeightsError(f"{variant!r:.80} is no name of weights.")
        folder = Path(config.weights_dir, variant)
        manifest = weights.read(folder)
        module, _, name = _CLASSES[manifest.kind].partition(":")
        options: dict[str, Any] = {"lock": device != "cpu"}
        if manifest.kind == "whisperx":
            options["who"] = config.speakers and _tells_speakers(manifest)
        made: Model = getattr(import_module(module), name)(folder, manifest, **options)
        return manifest, made

    return make


def _tells_speakers(manifest: Manifest) -> bool:
    return any(name.startswith("speakers/") for name in manifest.files)


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
