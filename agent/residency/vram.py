"""How much of a card a model takes, in bytes. Pure.

`weights + cache + buffer + process`, for one llama-server with all layers on the card (Ollama
since 0.30, llama.cpp). Weights, cache and buffer are what Ollama tells as `size_vram`; the CUDA
context of the process comes on top and no server tells of it. `docs/residency.md` shows each term
beside the logs of servers.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from agent.residency.decoder import Batch, Generation, Layer, buffer_bytes

PROCESS_BYTES = 457 << 20
"""What Ollama reckons for a CUDA context; 0.30 to 0.45 GiB were seen."""
PADDING_TOKENS = 256
"""llama.cpp rounds a context up to a multiple of this."""
MICRO_BATCH = 512
"""Tokens evaluated in one go; Ollama raises it with the context unless `num_batch` says otherwise,
which it always does in our requests."""
LIVING = (Generation.B5900, Generation.B11500)
"""What bounds a server of today: `B10900`, between them, needs no more than the larger."""

_WHOLE_BATCH = (Generation.B2500, Generation.B5900)
"""Builds that keep logits for each token of a batch."""
_BLOCK_VALUES = 32


class KvType(StrEnum):
    """How the cache of keys and values is stored."""

    F16 = "f16"
    BF16 = "bf16"
    Q8_0 = "q8_0"
    Q5_1 = "q5_1"
    Q5_0 = "q5_0"
    Q4_1 = "q4_1"
    Q4_0 = "q4_0"
    IQ4_NL = "iq4_nl"

    @property
    def block_bytes(self) -> int:
        """Bytes of 32 values, with their scale."""
        return _BLOCK_BYTES[self]

    @property
    def quantised(self) -> bool:
        """Whether values share a scale; llama.cpp then insists on flash attention."""
        return self not in (KvType.F16, KvType.BF16)


_BLOCK_BYTES = {
    KvType.F16: 64,
    KvType.BF16: 64,
    KvType.Q8_0: 34,
    KvType.Q5_1: 24,
    KvType.Q5_0: 22,
    KvType.Q4_1: 20,
    KvType.Q4_0: 18,
    KvType.IQ4_NL: 18,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What of a model decides how much it takes."""

    weight_bytes: int
    """Of all tensors; the file's size bounds it."""
    embedding_bytes: int
    """Of the token embedding, which stays in the host's memory; 0 where it is not known."""
    tied: bool
    """Whether the token embedding serves as the output layer as well, and so lies on the card."""
    layers: tuple[Layer, ...]
    """In order; one without attention has no key-value heads."""
    embedding_length: int
    vocabulary: int
    trained_tokens: int
    """The longest context that the model can have."""
    sliding_window: int = 0
    """Tokens that windowed layers look back; 0 where none is."""
    state_bytes: int = 0
    """Of recurrent layers, for each request."""
    known: bool = True
    """Whether its layers are built as `decoder` builds them; if not, the buffer is an estimate."""

    @property
    def exact(self) -> bool:
        """Whether all is computed; if not, something is bounded or estimated."""
        return bool(self.embedding_bytes or self.tied) and self.known


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """How a model is to be loaded."""

    context_tokens: int
    """Of each request, or of all together where they share a cache."""
    kv_type: KvType = KvType.F16
    parallel: int = 1
    """Requests at once, each with a context of its own unless they share one."""
    shared_cache: bool = False
    """Requests share one cache (`--kv-unified`, as llama-server does unless told how many)."""
    micro_batch: int = MICRO_BATCH
    flash_attention: bool = True
    whole_window: bool = False
    """Windowed layers keep the whole context (`--swa-full`)."""
    builds: tuple[Generation, ...] = LIVING
    """What may serve it; the larger buffer counts."""


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
        buffer=compute_bytes(shape, load),
    )


def cache_bytes(shape: Shape, load: Load) -> int:
    """Return what all layers keep: keys and values of their cells, and recurrent states."""
    values = sum((layer.key + layer.value) * cells(shape, load, layer) for layer in shape.layers)
    kept = values * load.kv_type.block_bytes // _BLOCK_VALUES
    caches = 1 if load.shared_cache else load.parallel
    return kept * caches + shape.state_bytes * load.parallel


def cells(shape: Shape, load: Load, layer: Layer) -> int:
    """Return the tokens that a layer keeps in one cache.

    A windowed layer keeps its window, of each request in it, and one batch
    (`llama-kv-cache-iswa.cpp`).
    """
    whole = padded(load.context_tokens)
    if not layer.windowed or load.whole_window or not shape.sliding_window:
        return whole
    windows = shape.sliding_window * (load.parallel if load.shared_cache else 1)
    return padded(min(whole, windows + load.micro_batch))


def compute_bytes(shape: Shape, load: Load, *, on_card: bool = True) -> int:
    """Return the buffer that llama.cpp computes one batch in, on a card or on a CPU."""
    batches = (_batch(shape, load, build) for build in load.builds)
    return max(_laid_out(shape, replace(batch, on_card=on_card)) for batch in batches)


def _batch(shape: Shape, load: Load, build: Generation) -> Batch:
    whole = padded(load.context_tokens)
    caches = 1 if load.shared_cache else load.parallel
    least = min(whole * caches, load.micro_batch)
    tokens = -(-least // load.parallel) * load.parallel
    windowed = next((layer for layer in shape.layers if layer.windowed), None)
    return Batch(
        tokens=tokens,
        outputs=tokens if build in _WHOLE_BATCH else load.parallel,
        cells=whole,
        window_cells=0 if windowed is None else cells(shape, load, windowed),
        flash_attention=load.flash_attention,
        quantised_cache=load.kv_type.quantised,
        generation=build,
    )


@lru_cache(maxsize=4096)
def _laid_out(shape: Shape, batch: Batch) -> int:
    layers = tuple(layer for layer in shape.layers if layer.kv_heads)
    return buffer_bytes(
        layers, embedding=shape.embedding_length, vocabulary=shape.vocabulary, batch=batch
    )


def padded(tokens: int) -> int:
    """Return the context that llama.cpp makes of a wish."""
    return -(-tokens // PADDING_TOKENS) * PADDING_TOKENS


def largest_context(shape: Shape, capacity_bytes: int, load: Load) -> int | None:
    """Return the longest context that fits, whatever `load` says of it; None: not even the least.

    It is a multiple of the padding, unless it is all that the model was trained for.
    """

    def of(steps: int) -> Load:
        return replace(load, context_tokens=steps * PADDING_TOKENS)

    def fits(steps: int) -> bool:
        return need(shape, of(steps)).total <= capacity_bytes

    def within(buffer: int, most: int) -> int:
        """Return the steps whose cache fits beside a buffer, which is quick to tell."""
        fixed = need(shape, of(1)).weights + PROCESS_BYTES + buffer
        return _last(lambda steps: fixed + cache_bytes(shape, of(steps)) <= capacity_bytes, most)

    most = within(compute_bytes(shape, of(1)), -(-shape.trained_tokens // PADDING_TOKENS))
    if most and not fits(most):
        least = within(compute_bytes(shape, of(most)), most)
        if not (least and fits(least)):
            most = _last(fits, most - 1)
        elif fits(least + 1):
            most = _last(fits, most - 1, least=least + 1)
        else:
            most = least
    return min(most * PADDING_TOKENS, shape.trained_tokens) if most else None


def _last(holds: Callable[[int], bool], most: int, *, least: int = 0) -> int:
    """Return the last number up to `most` for which something holds that ends once.

    It holds for `least`, unless that is 0: then 0 says that it holds for none.
    """
    low, high = least, most
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low
