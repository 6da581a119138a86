"""Well-known models by their published configuration, for a plan without server and file. Pure.

The numbers are those of each model's `config.json`; a test compares the parameters that follow from
them with what llama.cpp counts in the files. The weights are computed (`quantisation`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

from agent.models.quantisation import Place, sized
from agent.models.windows import PATTERN, WINDOW, windowed_layers
from agent.residency.decoder import Layer
from agent.residency.vram import Shape


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """A model as its maker describes it."""

    name: str
    """As Ollama names it."""
    mix: str
    """Quantisation that Ollama serves under that name."""
    architecture: str
    layers: int
    embedding: int
    heads: int
    kv_heads: int
    head_length: int
    feed_forward: int
    """Of one expert where there are experts."""
    vocabulary: int
    trained_tokens: int
    tied: bool = False
    experts: int = 0
    experts_used: int = 0
    window: int = 0
    fused_attention: bool = False
    fused_gate: bool = False
    biases: int = 0
    """Numbers of a layer that are neither matrices nor norms of its width."""
    norms: int = 2
    """Norms of the width of the embedding in a layer."""
    head_norms: bool = False
    """Queries and keys are normed by heads."""
    value_type: str = ""
    """What Ollama keeps values in, where its own quantiser differs from llama.cpp's."""
    beside_bytes: int = 0
    """Of an encoder of pictures that is loaded with it."""

    @property
    def parameters(self) -> int:
        """How many numbers it has."""
        return sum(prod(dimensions) for _, dimensions in self._tensors())

    def shape(self, mix: str | None = None) -> Shape:
        """Return the shape, with weights computed for a mix."""
        chosen = mix or self.mix
        value_type = self.value_type if chosen == self.mix else ""
        sizes = [
            (place.role, sized(chosen, place, dimensions, value_type=value_type))
            for place, dimensions in self._tensors()
        ]
        embedding = next(size for role, size in sizes if role in {"embedding", "output"})
        return Shape(
            weight_bytes=sum(size for _, size in sizes) + self.beside_bytes,
            embedding_bytes=embedding,
            tied=self.tied,
            layers=self._layers(),
            embedding_length=self.embedding,
            vocabulary=self.vocabulary,
            trained_tokens=self.trained_tokens,
            sliding_window=self.window,
        )

    def _layers(self) -> tuple[Layer, ...]:
        told: dict[str, int | None] = {WINDOW: self.window, PATTERN: None}
        windowed = windowed_layers(self.architecture, told.get, self.layers)
        return tuple(
            Layer(
                heads=self.heads,
                kv_heads=self.kv_heads,
                key_length=self.head_length,
                value_length=self.head_length,
                feed_forward=self.feed_forward,
                experts=self.experts,
                experts_used=self.experts_used,
                windowed=one,
                fused_attention=self.fused_attention,
                fused_gate=self.fused_gate,
            )
            for one in windowed
        )

    def _tensors(self) -> Iterator[tuple[Place, tuple[int, ...]]]:
        wide = (self.embedding, self.vocabulary)
        if self.tied:
            yield Place(role="output"), wide
        else:
            yield Place(role="embedding"), wide
            yield Place(role="output"), wide
        yield Place(role="norm"), (self.embedding,)
        for layer in range(self.layers):
            for role, dimensions in (*self._attention(), *self._gates()):
                place = Place(role=role, layer=layer, layers=self.layers, experts=self.experts)
                yield place, dimensions

    def _attention(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        query, key = self.heads * self.head_length, self.kv_heads * self.head_length
        yield "norm", (self.norms * self.embedding + self.biases,)
        if self.head_norms:
            yield "norm", (2 * self.head_length,)
        if self.fused_attention:
            yield "fused", (self.embedding, query + 2 * key)
        else:
            yield "other", (self.embedding, query)
            yield "other", (self.embedding, key)
            yield "value", (self.embedding, key)
        yield "attention_out", (query, self.embedding)

    def _gates(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        width = self.feed_forward
        if not self.experts:
            yield "other", (self.embedding, 2 * width)
            yield "down", (width, self.embedding)
            return
        quantised = self.mix == "MXFP4"
        yield "norm", (self.embedding, self.experts)
        yield "expert" if quantised else "other", (self.embedding, 2 * width, self.experts)
        yield "expert" if quantised else "down", (width, self.embedding, self.experts)


_QWEN3 = Published(
    name="qwen3:14b",
    mix="Q4_K_M",
    architecture="qwen3",
    layers=40,
    embedding=5_120,
    heads=40,
    kv_heads=8,
    head_length=128,
    feed_forward=17_408,
    vocabulary=151_936,
    trained_tokens=40_960,
    head_norms=True,
    value_type="F16",
)
_GEMMA3 = Published(
    name="gemma3:12b",
    mix="Q4_K_M",
    architecture="gemma3",
    layers=48,
    embedding=3_840,
    heads=16,
    kv_heads=8,
    head_length=256,
    feed_forward=15_360,
    vocabulary=262_144,
    trained_tokens=131_072,
    tied=True,
    window=1_024,
    norms=4,
    head_norms=True,
    beside_bytes=851_251_104,
)

MODELS = (
    replace(
        _QWEN3,
        name="qwen3:4b",
        layers=36,
        embedding=2_560,
        heads=32,
        feed_forward=9_728,
        tied=True,
    ),
    replace(_QWEN3, name="qwen3:8b", layers=36, embedding=4_096, heads=32, feed_forward=12_288),
    _QWEN3,
    replace(_QWEN3, name="qwen3:32b", layers=64, heads=64, feed_forward=25_600),
    replace(
        _QWEN3,
        name="qwen3:30b-a3b",
        architecture="qwen3moe",
        layers=48,
        embedding=2_048,
        heads=32,
        kv_heads=4,
        feed_forward=768,
        experts=128,
        experts_used=8,
    ),
    Published(
        name="phi4",
        mix="Q4_K_M",
        architecture="phi3",
        layers=40,
        embedding=5_120,
        heads=40,
        kv_heads=10,
        head_length=128,
        feed_forward=17_920,
        vocabulary=100_352,
        trained_tokens=16_384,
        fused_attention=True,
        fused_gate=True,
    ),
    Published(
        name="llama3.1:8b",
        mix="Q4_K_M",
        architecture="llama",
        layers=32,
        embedding=4_096,
        heads=32,
        kv_heads=8,
        head_length=128,
        feed_forward=14_336,
        vocabulary=128_256,
        trained_tokens=131_072,
    ),
    Published(
        name="llama3.2:3b",
        mix="Q4_K_M",
        architecture="llama",
        layers=28,
        embedding=3_072,
        heads=24,
        kv_heads=8,
        head_length=128,
        feed_forward=8_192,
        vocabulary=128_256,
        trained_tokens=131_072,
        tied=True,
    ),
    Published(
        name="qwen2.5:7b",
        mix="Q4_K_M",
        architecture="qwen2",
        layers=28,
        embedding=3_584,
        heads=28,
        kv_heads=4,
        head_length=128,
        feed_forward=18_944,
        vocabulary=152_064,
        trained_tokens=32_768,
        biases=3_584 + 2 * 512,
    ),
    Published(
        name="mistral-nemo",
        mix="Q4_0",
        architecture="llama",
        layers=40,
        embedding=5_120,
        heads=32,
        kv_heads=8,
        head_length=128,
        feed_forward=14_336,
        vocabulary=131_072,
        trained_tokens=131_072,
    ),
    Published(
        name="mistral-small:24b",
        mix="Q4_K_M",
        architecture="llama",
        layers=40,
        embedding=5_120,
        heads=32,
        kv_heads=8,
        head_length=128,
        feed_forward=32_768,
        vocabulary=131_072,
        trained_tokens=32_768,
    ),
    replace(
        _GEMMA3,
        name="gemma3:4b",
        layers=34,
        embedding=2_560,
        heads=8,
        kv_heads=4,
        feed_forward=10_240,
    ),
    _GEMMA3,
    replace(
        _GEMMA3,
        name="gemma3:27b",
        layers=62,
        embedding=5_376,
        heads=32,
        kv_heads=16,
        head_length=128,
        feed_forward=21_504,
    ),
    Published(
        name="gpt-oss:20b",
        mix="MXFP4",
        architecture="gpt-oss",
        layers=24,
        embedding=2_880,
        heads=64,
        kv_heads=8,
        head_length=64,
        feed_forward=2_880,
        vocabulary=201_088,
        trained_tokens=131_072,
        experts=32,
        experts_used=4,
        window=128,
        biases=4_096 + 2 * 512 + 2_880 + 64 + 32 + 32 * 3 * 2_880,
    ),
)

_OTHER_NAMES = {
    "phi4:14b": "phi4",
    "mistral-nemo:12b": "mistral-nemo",
    "mistral-small": "mistral-small:24b",
    "gpt-oss": "gpt-oss:20b",
    "qwen3": "qwen3:8b",
    "llama3.1": "llama3.1:8b",
    "llama3.2": "llama3.2:3b",
    "qwen2.5": "qwen2.5:7b",
    "gemma3": "gemma3:4b",
}


def named(name: str) -> Published | None:
    """Return a model by Ollama's name for it; `:latest` is the bare name."""
    bare = name.removesuffix(":latest").lower()
    wanted = _OTHER_NAMES.get(bare, bare)
    return next((one for one in MODELS if one.name == wanted), None)


def names() -> list[str]:
    """Return the names of all."""
    return [one.name for one in MODELS]
