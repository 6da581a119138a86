"""Random weights of the size of a real model's, written as its library reads them."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agent.residency.envelopes import WHISPER_FP16, Variant

VOCABULARY = 51_866
_POOL = 1 << 23
_SEED = 7
_STRIDE = 7_919
_VECTOR = 1_024
_LAYERS, _WIDTH, _HEAD, _BANDS = 32, 1_280, 64, 128
"""Of Whisper large-v3."""

TENSORS = {"hearing": 800, "segments": 600, "speech": 600}
"""About as many as Parakeet, SAM2 and Kokoro have: moving them one by one costs by their number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """Weights in a file."""

    variant: Variant
    path: Path
    bytes: int
    tensors: int


def file_bytes(variant: Variant, scale: float) -> int:
    """Return about how large the file of a variant is; Whisper's is one for all precisions."""
    whisper = variant.name.startswith("whisper")
    return int((WHISPER_FP16 if whisper else variant).weight_bytes * scale)


def module_file(folder: Path, variant: Variant, scale: float) -> Made:
    """Write the tensors of a module of torch, in 32 bits, half of them short vectors."""
    import torch
    from safetensors.torch import save_file

    count = TENSORS[variant.task]
    vectors = count // 2
    values = file_bytes(variant, scale) // 4 - vectors * _VECTOR
    each = max(_VECTOR, values // (count - vectors))
    generator = torch.Generator().manual_seed(_SEED)
    pool = torch.randn(_POOL, generator=generator)
    tensors = {f"vector.{number}": pool[:_VECTOR].clone() for number in range(vectors)}
    for number in range(count - vectors):
        whole = pool if each <= _POOL else pool.repeat(-(-each // _POOL))
        tensors[f"matrix.{number}"] = whole[:each].clone()
    path = folder / f"{variant.name}.safetensors"
    save_file(tensors, path)
    return Made(variant=variant, path=path, bytes=path.stat().st_size, tensors=count)


def whisper_folder(folder: Path, variant: Variant, scale: float) -> Made:
    """Write a Whisper of CTranslate2 in 16 bits; a smaller scale makes it narrower."""
    from ctranslate2.specs.whisper_spec import WhisperSpec

    width = max(_HEAD, round(_WIDTH * math.sqrt(scale) / _HEAD) * _HEAD)
    heads = width // _HEAD
    spec = WhisperSpec(_LAYERS, heads, _LAYERS, heads)
    fill = _Fill(width)
    fill.encoder(spec.encoder)
    fill.decoder(spec.decoder)
    spec.register_vocabulary([f"<{number}>" for number in range(VOCABULARY)])
    spec.validate()
    spec.optimize(quantization="float16")
    place = folder / variant.name
    place.mkdir()
    spec.save(str(place))
    path = place / "model.bin"
    return Made(variant=variant, path=path, bytes=path.stat().st_size, tensors=fill.count)


class _Fill:
    """Gives the layers of a Whisper random values."""

    def __init__(self, width: int) -> None:
        self.count = 0
        self._width = width
        self._pool = np.random.default_rng(_SEED).standard_normal(_POOL, np.float32) * 0.02

    def encoder(self, one: Any) -> None:
        one.conv1.weight, one.conv1.bias = self._of(self._width, _BANDS, 3), self._of(self._width)
        one.conv2.weight = self._of(self._width, self._width, 3)
        one.conv2.bias = self._of(self._width)
        one.position_encodings.encodings = self._of(1_500, self._width)
        self._norm(one.layer_norm)
        for layer in one.layer:
            self._attention(layer.self_attention, 3, 1)
            self._forward(layer.ffn)

    def decoder(self, one: Any) -> None:
        one.embeddings.weight = self._of(VOCABULARY, self._width)
        one.projection.weight = one.embeddings.weight
        one.position_encodings.encodings = self._of(448, self._width)
        self._norm(one.layer_norm)
        for layer in one.layer:
            self._attention(layer.self_attention, 3, 1)
            self._attention(layer.attention, 1, 2, 1)
            self._forward(layer.ffn)

    def _attention(self, one: Any, *widths: int) -> None:
        self._norm(one.layer_norm)
        for linear, times in zip(one.linear, widths, strict=True):
            self._linear(linear, times * self._width, self._width)

    def _forward(self, one: Any) -> None:
        self._norm(one.layer_norm)
        self._linear(one.linear_0, 4 * self._width, self._width)
        self._linear(one.linear_1, self._width, 4 * self._width)

    def _linear(self, one: Any, rows: int, columns: int) -> None:
        one.weight, one.bias = self._of(rows, columns), self._of(rows)

    def _norm(self, one: Any) -> None:
        one.gamma, one.beta = self._of(self._width), self._of(self._width)

    def _of(self, *shape: int) -> Any:
        self.count += 1
        # Each begins elsewhere in the pool: CTranslate2 keeps equal tensors once.
        size, start = math.prod(shape), self.count * _STRIDE % len(self._pool)
        times = -(-(start + size) // len(self._pool))
        values = self._pool if times == 1 else np.tile(self._pool, times)
        return values[start : start + size].copy().reshape(shape)
