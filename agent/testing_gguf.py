"""Writes GGUF files of any shape whose weights are holes: no room taken, loaded in a moment."""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.executives.gguf.header import embedded_model, read_contents

BLOCKS = {"F32": (1, 4, 0), "F16": (1, 2, 1)}
"""Values of a block, its bytes, and the number of the type."""
_ALIGNMENT = 32

Weights = Mapping[str, tuple[str, tuple[int, ...]]]


def tokenizer() -> dict[str, Any]:
    """Return the vocabulary of the embedded model."""
    facts = read_contents(embedded_model()).facts
    kept = ("tokenizer.ggml.model", "tokenizer.ggml.pre", "tokenizer.ggml.tokens")
    more = ("tokenizer.ggml.token_type", "tokenizer.ggml.merges", "tokenizer.ggml.bos_token_id")
    return {key: facts[key] for key in (*kept, *more) if key in facts}


def write(path: Path, facts: Mapping[str, Any], weights: Weights) -> None:
    """Write a model of these facts and tensors."""
    head = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(weights), len(facts)))
    for key, value in facts.items():
        head += _text(key) + _value(value)
    offset = 0
    for name, (kind, dimensions) in weights.items():
        values, size, number = BLOCKS[kind]
        head += _text(name) + struct.pack("<I", len(dimensions))
        head += struct.pack(f"<{len(dimensions)}Q", *dimensions)
        head += struct.pack("<IQ", number, offset)
        for dimension in dimensions:
            size *= dimension
        offset += _padded(size // values)
    with path.open("wb") as file:
        file.write(head)
        file.truncate(_padded(len(head)) + offset)


def _padded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _value(value: Any) -> bytes:
    match value:
        case int():
            return struct.pack("<II", 4, value)
        case float():
            return struct.pack("<If", 6, value)
        case str():
            return struct.pack("<I", 8) + _text(value)
        case [str(), *_]:
            return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(_text, value))
    return struct.pack(f"<IIQ{len(value)}i", 9, 5, len(value), *value)


def decoder(architecture: str, config: Mapping[str, Any]) -> tuple[dict[str, Any], Weights]:
    """Return the facts and tensors of a small decoder; `config` is its `Config` by names."""
    small = {**_SMALL, **config}
    words = tokenizer()
    vocabulary = len(words["tokenizer.ggml.tokens"])
    facts: dict[str, Any] = {"general.architecture": architecture, "general.name": "hollow"}
    for key, name in _KEYS.items():
        if small[name]:
            facts[f"{architecture}.{key}"] = small[name]
    facts[f"{architecture}.attention.layer_norm_rms_epsilon"] = 1e-6
    facts[f"{architecture}.vocab_size"] = vocabulary
    width = small["width"]
    weights = {
        "token_embd.weight": ("F16", (width, vocabulary)),
        "output_norm.weight": ("F32", (width,)),
    }
    if not small["tied"]:
        weights["output.weight"] = ("F16", (width, vocabulary))
    for number in range(small["layers"]):
        own = {**_attention(architecture, small), **_gates(small)}
        weights |= {f"blk.{number}.{name}": tensor for name, tensor in own.items()}
    return {**facts, **words}, weights


_SMALL: dict[str, Any] = {
    "layers": 3,
    "width": 1_024,
    "heads": 16,
    "kv_heads": 4,
    "head_length": 64,
    "gate": 3_584,
    "trained": 131_072,
    "window": 0,
    "experts": 0,
    "used": 0,
    "expert_gate": 0,
    "tied": False,
    "head_norms": False,
    "biases": False,
    "fused": False,
    "post_norms": False,
}
_KEYS = {
    "context_length": "trained",
    "embedding_length": "width",
    "block_count": "layers",
    "feed_forward_length": "gate",
    "attention.head_count": "heads",
    "attention.head_count_kv": "kv_heads",
    "attention.key_length": "head_length",
    "attention.value_length": "head_length",
    "rope.dimension_count": "head_length",
    "attention.sliding_window": "window",
    "expert_count": "experts",
    "expert_used_count": "used",
    "expert_feed_forward_length": "expert_gate",
}


def _attention(architecture: str, small: Mapping[str, Any]) -> dict[str, Any]:
    width, length = small["width"], small["head_length"]
    query, key = small["heads"] * length, small["kv_heads"] * length
    own: dict[str, Any] = {
        "attn_norm.weight": ("F32", (width,)),
        "attn_output.weight": ("F16", (query, width)),
    }
    if small["fused"]:
        own["attn_qkv.weight"] = ("F16", (width, query + 2 * key))
    for letter, size in () if small["fused"] else (("q", query), ("k", key), ("v", key)):
        own[f"attn_{letter}.weight"] = ("F16", (width, size))
        if small["biases"]:
            own[f"attn_{letter}.bias"] = ("F32", (size,))
    if small["head_norms"]:
        own |= {f"attn_{letter}_norm.weight": ("F32", (length,)) for letter in "qk"}
    if architecture == "gpt-oss":
        own["attn_output.bias"] = ("F32", (width,))
        own["attn_sinks.weight"] = ("F32", (small["heads"],))
        own["post_attention_norm.weight"] = ("F32", (width,))
        return own
    own["ffn_norm.weight"] = ("F32", (width,))
    if small["post_norms"]:
        own |= {
            f"{name}.weight": ("F32", (width,)) for name in ("post_attention_norm", "post_ffw_norm")
        }
    return own


def _gates(small: Mapping[str, Any]) -> dict[str, Any]:
    width, gate = small["width"], small["gate"]
    if small["fused"]:
        return {
            "ffn_up.weight": ("F16", (width, 2 * gate)),
            "ffn_down.weight": ("F16", (gate, width)),
        }
    if not small["experts"]:
        return {
            "ffn_gate.weight": ("F16", (width, gate)),
            "ffn_up.weight": ("F16", (width, gate)),
            "ffn_down.weight": ("F16", (gate, width)),
        }
    experts, gate = small["experts"], small["expert_gate"]
    own: dict[str, Any] = {
        "ffn_gate_inp.weight": ("F32", (width, experts)),
        "ffn_gate_exps.weight": ("F16", (width, gate, experts)),
        "ffn_up_exps.weight": ("F16", (width, gate, experts)),
        "ffn_down_exps.weight": ("F16", (gate, width, experts)),
    }
    if small["biases"]:
        own |= {
            "ffn_gate_inp.bias": ("F32", (experts,)),
            "ffn_gate_exps.bias": ("F32", (gate, experts)),
            "ffn_up_exps.bias": ("F32", (gate, experts)),
            "ffn_down_exps.bias": ("F32", (width, experts)),
        }
    return own
