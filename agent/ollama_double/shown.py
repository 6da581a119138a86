"""What the double tells of a model: the answers of `/api/tags` and `/api/show`. Pure."""

from datetime import datetime
from typing import Any

from agent.ollama_double.models import DoubleModel, stamp

_LONGEST_LIST = 5
"""A longer list comes empty unless the request is `verbose`."""


def listed(model: DoubleModel, now: datetime) -> dict[str, Any]:
    """Return an entry of `/api/tags`."""
    return {
        "name": model.name,
        "model": model.name,
        "modified_at": stamp(now),
        "size": model.size_bytes,
        "digest": model.digest,
        "details": model.details(),
    }


def shown(model: DoubleModel, now: datetime, *, verbose: bool) -> dict[str, Any]:
    """Return the answer of `/api/show`."""
    facts = {
        key: [] if isinstance(value, list) and len(value) > _LONGEST_LIST and not verbose else value
        for key, value in _facts(model).items()
    }
    words = [f"t{number}" for number in range(model.vocabulary)] if verbose else []
    facts["tokenizer.ggml.tokens"] = words
    return {
        "license": "",
        "modelfile": f"FROM {model.name}",
        "parameters": "",
        "template": "{{ .Prompt }}",
        "details": model.details(),
        "model_info": facts,
        "tensors": _tensors(model),
        "capabilities": list(model.capabilities),
        "modified_at": stamp(now),
    }


def _facts(model: DoubleModel) -> dict[str, Any]:
    prefix = model.architecture
    kv_heads = model.kv_heads
    return {
        "general.architecture": prefix,
        "general.file_type": 15,
        f"{prefix}.context_length": model.context_length,
        f"{prefix}.block_count": model.layers,
        f"{prefix}.embedding_length": model.embedding_length,
        f"{prefix}.feed_forward_length": model.embedding_length * 17 // 5,
        f"{prefix}.attention.head_count": model.heads,
        f"{prefix}.attention.head_count_kv": (
            kv_heads if isinstance(kv_heads, int) else list(kv_heads)
        ),
        f"{prefix}.attention.key_length": model.head_length,
        f"{prefix}.attention.value_length": model.head_length,
    }


def _tensors(model: DoubleModel) -> list[dict[str, Any]]:
    """Return the tensors that tell something; the layers' own are left out."""
    wide = [model.embedding_length, model.vocabulary]
    output = [] if model.tied else [{"name": "output.weight", "type": "Q6_K", "shape": wide}]
    return [
        {"name": "token_embd.weight", "type": "Q4_K", "shape": wide},
        {"name": "output_norm.weight", "type": "F32", "shape": [model.embedding_length]},
        *output,
    ]
