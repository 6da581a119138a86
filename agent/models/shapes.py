"""The shape of a model out of what its file or its server tells. Pure.

Ollama's `/api/show` hands on the metadata of the file under the same keys, each with the name of
the architecture before it, so one reading serves both.
"""

from collections.abc import Mapping
from typing import Any

from agent.executives.gguf.ggml import Tensors
from agent.residency.vram import Shape

EMBEDDING, OUTPUT = "token_embd.weight", "output.weight"
VOCABULARY = "tokenizer.ggml.tokens"


def shape_of(facts: Mapping[str, Any], tensors: Tensors, file_bytes: int) -> Shape | None:
    """Return the shape; None where the facts do not tell it."""
    told = _Told(facts)
    layers, heads = told.number("block_count"), told.largest("attention.head_count")
    length, trained = told.number("embedding_length"), told.number("context_length")
    if not (layers and heads and length and trained):
        return None
    kv_heads = told.by_layer("attention.head_count_kv", layers, otherwise=heads)
    if kv_heads is None:
        return None
    embedding = tensors.get(EMBEDDING)
    return Shape(
        weight_bytes=_weights(tensors, file_bytes),
        embedding_bytes=(embedding.size_bytes or 0) if embedding else 0,
        tied=embedding is not None and OUTPUT not in tensors,
        kv_heads=kv_heads,
        heads=heads,
        key_length=told.number("attention.key_length") or length // heads,
        value_length=told.number("attention.value_length") or length // heads,
        embedding_length=length,
        vocabulary=embedding.values // length if embedding else told.vocabulary,
        trained_tokens=trained,
        sliding_window=told.number("attention.sliding_window"),
    )


def _weights(tensors: Tensors, file_bytes: int) -> int:
    """Return the bytes of all tensors, or of the file where not all of them are told."""
    sizes = [tensor.size_bytes for tensor in tensors.values()]
    counted = sum(size for size in sizes if size is not None)
    whole = None not in sizes and _METADATA_SHARE * file_bytes <= counted <= file_bytes
    return counted if whole else file_bytes


_METADATA_SHARE = 0.9
"""Metadata and vocabulary are a tenth of the smallest models, at most."""


def trained_tokens(facts: Mapping[str, Any]) -> int | None:
    """Return the longest context that a model can have."""
    return _Told(facts).number("context_length")


def incomplete(facts: Mapping[str, Any]) -> bool:
    """Whether the server left out lists that the shape needs, as it does unless asked for all."""
    told = _Told(facts)
    return any(told.get(key) == [] for key in ("attention.head_count", "attention.head_count_kv"))


class _Told:
    """Metadata, read by keys without the architecture."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._facts = facts
        self._prefix = str(facts.get("general.architecture", ""))

    def get(self, key: str) -> Any:
        return self._facts.get(f"{self._prefix}.{key}")

    def number(self, key: str) -> int | None:
        value = self.get(key)
        return value if isinstance(value, int) and value > 0 else None

    def largest(self, key: str) -> int | None:
        value = self.get(key)
        if isinstance(value, list):
            return max((one for one in value if isinstance(one, int)), default=0) or None
        return self.number(key)

    def by_layer(self, key: str, layers: int, *, otherwise: int) -> tuple[int, ...] | None:
        """Return a number for each layer, whether one is told for all or a list; None: neither."""
        value = self.get(key)
        if value is None:
            value = otherwise
        if isinstance(value, int):
            return (value,) * layers
        if isinstance(value, list) and len(value) == layers:
            return tuple(int(one) for one in value)
        return None

    @property
    def vocabulary(self) -> int:
        told = self.number("vocab_size")
        listed = self._facts.get(VOCABULARY)
        return told or (len(listed) if isinstance(listed, list) else 0)
