"""How much of a card a model takes, in bytes. Pure.

`weights + cache + buffer + process`, for one llama-server with all layers on the card (Ollama
since 0.30, llama.cpp). Weights, cache and buffer are what Ollama tells as `size_vram`; the CUDA
context of the process comes on top and no server tells of it.

The terms were compared with what llama.cpp writes when it loads. Qwen3-14B Q8_0 with 32,768 tokens
of q8_0 and flash attention: cache 2,720.00 MiB, buffer 306.75 MiB and token embedding 788.24 MiB,
each exact. Phi-4 Q4_K_M with 4,096 tokens of f16 and without flash attention: cache 800.00 MiB
exact, buffer 353.01 MiB where the formula gives 320. A llama.cpp of autumn 2026 makes a smaller
buffer: it no longer keeps logits for a whole batch. An attention window that slides needs less than
is counted here.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

PROCESS_BYTES = 457 << 20
"""What Ollama reckons for a CUDA context; 0.30 to 0.45 GiB were seen."""
PADDING_TOKENS = 256
"""llama.cpp rounds a context up to a multiple of this."""
MICRO_BATCH = 512
"""Tokens evaluated in one go; Ollama raises it with the context unless `num_batch` says otherwise,
which it always does in our requests."""

_BLOCK_VALUES = 32


class KvType(StrEnum):
    """How the cache of keys and values is stored."""

    F16 = "f16"
    Q8_0 = "q8_0"
    Q4_0 = "q4_0"

    @property
    def block_bytes(self) -> int:
        """Bytes of 32 values, with their scale."""
        return {KvType.F16: 64, KvType.Q8_0: 34, KvType.Q4_0: 18}[self]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What of a model decides how much it takes."""

    weight_bytes: int
    """Of all tensors; the file's size bounds it."""
    embedding_bytes: int
    """Of the token embedding, which stays in the host's memory; 0 where it is not known."""
    tied: bool
    """Whether the token embedding serves as the output layer as well, and so lies on the card."""
    kv_heads: tuple[int, ...]
    """Of each layer; 0 for one without attention."""
    heads: int
    key_length: int
    value_length: int
    embedding_length: int
    vocabulary: int
    trained_tokens: int
    """The longest context that the model can have."""
    sliding_window: int | None = None
    """Tokens that some layers look back; the cache is then smaller than computed."""

    @property
    def exact(self) -> bool:
        """Whether the weights and the cache are computed, not bounded from above."""
        return bool(self.embedding_bytes or self.tied) and self.sliding_window is None


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """How a model is to be loaded."""

    context_tokens: int
    kv_type: KvType = KvType.F16
    parallel: int = 1
    """Requests at once, each with a context of its own."""
    micro_batch: int = MICRO_BATCH
    flash_attention: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """What a loaded model takes of the card."""

    weights: int
    cache: int
    buffer: int
    process: int = PROCESS_BYTES

    @property
    def served(self) -> int:
        """What the server itself tells: all but the CUDA context."""
        return self.weights + self.cache + self.buffer

    @property
    def total(self) -> int:
        """What the card loses."""
        return self.served + self.process


def need(shape: Shape, load: Load) -> Need:
    """Return what a model takes when it is loaded so."""
    return Need(
        weights=shape.weight_bytes - (0 if shape.tied else shape.embedding_bytes),
        cache=cache_bytes(shape, load),
        buffer=buffer_bytes(shape, load),
    )


def cache_bytes(shape: Shape, load: Load) -> int:
    """Return layers × heads × (key + value) × context × bytes of a value."""
    values = sum(shape.kv_heads) * (shape.key_length + shape.value_length)
    tokens = padded(load.context_tokens) * load.parallel
    return values * tokens * load.kv_type.block_bytes // _BLOCK_VALUES


def buffer_bytes(shape: Shape, load: Load) -> int:
    """Return the room for one batch: its logits, or the mask or scores of its attention."""
    tokens = padded(load.context_tokens)
    if not load.flash_attention:
        return 4 * load.micro_batch * tokens * shape.heads
    logits = 4 * load.micro_batch * (shape.vocabulary + shape.embedding_length)
    mask = 2 * load.micro_batch * tokens
    return max(logits, mask)


def padded(tokens: int) -> int:
    """Return the context that llama.cpp makes of a wish."""
    return -(-tokens // PADDING_TOKENS) * PADDING_TOKENS


def largest_context(shape: Shape, capacity_bytes: int, load: Load) -> int | None:
    """Return the longest context that fits, whatever `load` says of it; None: not even the least.

    It is a multiple of the padding, unless it is all that the model was trained for.
    """
    fits = 0
    low, high = 1, -(-shape.trained_tokens // PADDING_TOKENS)
    while low <= high:
        middle = (low + high) // 2
        wished = replace(load, context_tokens=middle * PADDING_TOKENS)
        if need(shape, wished).total <= capacity_bytes:
            fits, low = middle, middle + 1
        else:
            high = middle - 1
    return min(fits * PADDING_TOKENS, shape.trained_tokens) if fits else None
