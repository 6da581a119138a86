"""The shape of a model out of what its file or its server tells. Pure.

Ollama's `/api/show` hands on the metadata of the file under the same keys, each with the name of
the architecture before it, so one reading serves both.
"""

from collections.abc import Mapping
from typing import Any

from agent.executives.gguf.ggml import Tensors
from agent.models.windows import windowed_layers
from agent.residency.decoder import Layer
from agent.residency.vram import Shape

EMBEDDING, OUTPUT = "token_embd.weight", "output.weight"
VOCABULARY = "tokenizer.ggml.tokens"
FUSED_ATTENTION, GATE = "blk.{}.attn_qkv.weight", "blk.{}.ffn_gate.weight"

DECODERS = frozenset(
    "gemma gemma2 gemma3 glm4 gpt-oss granite internlm2 llama mistral3 phi3 qwen2 qwen2moe qwen2vl "
    "qwen3 qwen3moe qwen3vl smollm3".split()
)
"""Architectures whose batches `decoder` lays out as llama.cpp does; each was compared with it."""

_FLOAT_BYTES = 4
_METADATA_SHARE = 0.9
"""Metadata and vocabulary are a tenth of the smallest models, at most."""


def shape_of(facts: Mapping[str, Any], tensors: Tensors, file_bytes: int) -> Shape | None:
    """Return the shape; None where the facts do not tell it."""
    told = _Told(facts)
    length, trained = told.number("embedding_length"), told.number("context_length")
    layers = _layers(told, tensors)
    if not (layers and length and trained):
        return None
    embedding = tensors.get(EMBEDDING)
    return Shape(
        weight_bytes=_weights(tensors, file_bytes),
        embedding_bytes=(embedding.size_bytes or 0) if embedding else 0,
        tied=embedding is not None and OUTPUT not in tensors,
        layers=layers,
        embedding_length=length,
        vocabulary=embedding.values // length if embedding else told.vocabulary,
        trained_tokens=trained,
        sliding_window=told.number("attention.sliding_window") or 0,
        state_bytes=_state_bytes(told, layers),
        known=told.architecture in DECODERS and all(layer.feed_forward for layer in layers),
    )


def _layers(told: "_Told", tensors: Tensors) -> tuple[Layer, ...] | None:
    """Return each layer; None where their number or their heads are not told."""
    count, heads = told.number("block_count"), told.largest("attention.head_count")
    length = told.number("embedding_length")
    if not (count and heads and length):
        return None
    kv_heads = told.by_layer("attention.head_count_kv", count, otherwise=heads)
    gates = told.by_layer("feed_forward_length", count, otherwise=0)
    if kv_heads is None or gates is None:
        return None
    windowed = windowed_layers(told.architecture, told.get, count)
    experts = told.number("expert_count") or 0
    dense = told.number("leading_dense_block_count") or 0
    attends = _attending(told, count)
    return tuple(
        Layer(
            heads=heads,
            kv_heads=kv_heads[number] if attends[number] else 0,
            key_length=_key_length(told, length // heads, windowed=windowed[number]),
            value_length=_value_length(told, length // heads, windowed=windowed[number]),
            feed_forward=_width(told, gates[number], experts=experts and number >= dense),
            experts=experts if number >= dense else 0,
            experts_used=(told.number("expert_used_count") or 0) if number >= dense else 0,
            shared_feed_forward=told.number("expert_shared_feed_forward_length") or 0,
            windowed=windowed[number],
            fused_attention=FUSED_ATTENTION.format(number) in tensors,
            fused_gate=bool(tensors) and not experts and GATE.format(number) not in tensors,
        )
        for number in range(count)
    )


def _attending(told: "_Told", count: int) -> list[bool]:
    """Return for each layer whether it keeps keys of its own; recurrent and sharing ones do not."""
    interval = told.number("full_attention_interval") or 1
    own = count - (told.number("attention.shared_kv_layers") or 0)
    recurrent = told.number("ssm.inner_size") is not None and interval > 1
    return [
        number < own and (not recurrent or (number + 1) % interval == 0) for number in range(count)
    ]


def _key_length(told: "_Told", otherwise: int, *, windowed: bool) -> int:
    own = told.number("attention.key_length_swa") if windowed else None
    return own or told.number("attention.key_length") or otherwise


def _value_length(told: "_Told", otherwise: int, *, windowed: bool) -> int:
    """Return the length of a value; 0 where it is a part of the key, as in latent attention."""
    if told.number("attention.key_length_mla"):
        return 0
    own = told.number("attention.value_length_swa") if windowed else None
    return own or told.number("attention.value_length") or otherwise


def _width(told: "_Told", gate: int, *, experts: int) -> int:
    return (told.number("expert_feed_forward_length") or gate) if experts else gate


def _state_bytes(told: "_Told", layers: tuple[Layer, ...]) -> int:
    """Return what recurrent layers keep of one request (`llama-hparams.cpp`)."""
    inner, state = told.number("ssm.inner_size"), told.number("ssm.state_size")
    if not (inner and state):
        return 0
    kernel, groups = told.number("ssm.conv_kernel") or 1, told.number("ssm.group_count") or 0
    rolling = (kernel - 1) * (inner + 2 * groups * state)
    recurrent = sum(not layer.kv_heads for layer in layers)
    return recurrent * (rolling + state * inner) * _FLOAT_BYTES


def _weights(tensors: Tensors, file_bytes: int) -> int:
    """Return the bytes of all tensors, or of the file where not all of them are told."""
    sizes = [tensor.size_bytes for tensor in tensors.values()]
    counted = sum(size for size in sizes if size is not None)
    whole = None not in sizes and _METADATA_SHARE * file_bytes <= counted <= file_bytes
    return counted if whole else file_bytes


def trained_tokens(facts: Mapping[str, Any]) -> int | None:
    """Return the longest context that a model can have."""
    return _Told(facts).number("context_length")


_LISTS = (
    "attention.head_count",
    "attention.head_count_kv",
    "attention.sliding_window_pattern",
    "feed_forward_length",
)


def incomplete(facts: Mapping[str, Any]) -> bool:
    """Whether the server left out lists that the shape needs, as it does unless asked for all."""
    told = _Told(facts)
    return any(told.get(key) == [] for key in _LISTS)


class _Told:
    """Metadata, read by keys without the architecture."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._facts = facts
        self.architecture = str(facts.get("general.architecture", ""))

    def get(self, key: str) -> Any:
        return self._facts.get(f"{self.architecture}.{key}")

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
