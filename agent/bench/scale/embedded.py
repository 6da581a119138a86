"""Vectors of real texts, made once and kept: embedding them takes longer than all the rest."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from memory.embedding import Embedder, Role

_BATCH = 64
Progress = Callable[[int, int], None]


async def vectors_of(
    texts: Sequence[str], embedder: Embedder, *, role: Role, cache: Path, on_progress: Progress
) -> NDArray[np.float32]:
    """Return an array of shape (len(texts), dimensions), out of the cache or put there."""
    digest = hashlib.sha256(f"{embedder.model}\0{role}".encode())
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    kept = cache / "bench" / f"{digest.hexdigest()[:32]}.npy"
    if kept.is_file():
        stored: NDArray[np.float32] = np.load(kept)
        return stored
    rows = []
    for start in range(0, len(texts), _BATCH):
        rows.append(await embedder.embed(texts[start : start + _BATCH], role=role))
        on_progress(min(start + _BATCH, len(texts)), len(texts))
    vectors = np.concatenate(rows)
    kept.parent.mkdir(parents=True, exist_ok=True)
    half_made = kept.with_suffix(".part.npy")
    np.save(half_made, vectors)
    half_made.rename(kept)
    return vectors
