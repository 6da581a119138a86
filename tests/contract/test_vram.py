"""What a model takes is what llama.cpp itself says when it loads one: each term, to rounding."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent import testing_gguf
from agent.executives.gguf.header import embedded_model, read_contents
from agent.models.shapes import shape_of
from agent.residency.decoder import Generation
from agent.residency.vram import KvType, Load, Shape, cache_bytes, compute_bytes, need

MIB = 1 << 20

LOADING = """
import json, os, sys
os.environ["OMP_WAIT_POLICY"] = "passive"
import xllamacpp
asked = json.loads(sys.argv[2])
wanted = xllamacpp.CommonParams()
wanted.model.path, wanted.n_gpu_layers = sys.argv[1], 0
wanted.n_ctx, wanted.n_parallel = asked["cells"], asked["parallel"]
wanted.n_ubatch, wanted.n_batch = asked["micro_batch"], max(512, asked["micro_batch"])
wanted.kv_unified, wanted.swa_full = asked["shared_cache"], asked["whole_window"]
wanted.fit_params = wanted.warmup = wanted.ui = False
wanted.cache_ram_mib, wanted.verbosity = 0, 4
kind = getattr(xllamacpp.ggml_type, "GGML_TYPE_" + asked["kv_type"].upper())
wanted.cache_type_k = wanted.cache_type_v = kind
attention = "ENABLED" if asked["flash_attention"] else "DISABLED"
types = xllamacpp.llama_flash_attn_type
wanted.flash_attn_type = getattr(types, "LLAMA_FLASH_ATTN_TYPE_" + attention)
server = xllamacpp.Server(wanted)
os._exit(0)
"""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What llama.cpp wrote, in mebibytes."""

    model: float
    cache: float
    compute: float


def loaded(path: Path, load: Load) -> Sizes:
    """Load a model in a process of its own; return the buffers that it tells of."""
    asked = {
        "cells": load.context_tokens * (1 if load.shared_cache else load.parallel),
        "parallel": load.parallel,
        "shared_cache": load.shared_cache,
        "whole_window": load.whole_window,
        "micro_batch": load.micro_batch,
        "kv_type": load.kv_type.value,
        "flash_attention": load.flash_attention,
    }
    command = [sys.executable, "-c", LOADING, str(path), json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    def told(name: str) -> float:
        found = re.findall(rf"CPU(?:_Mapped)? {name} buffer size = +([\d.]+) MiB", done.stderr)
        assert found, done.stderr[-2000:]
        return sum(map(float, found))

    return Sizes(model=told("model"), cache=told("KV"), compute=told("compute"))


def shape_in(path: Path) -> Shape:
    contents = read_contents(path)
    shape = shape_of(contents.facts, contents.tensors, contents.size_bytes)
    assert shape is not None
    assert shape.exact
    return shape


def load_of(context_tokens: int, **more: Any) -> Load:
    return Load(context_tokens=context_tokens, builds=(Generation.B11500,), **more)


@pytest.mark.parametrize(
    "load",
    [
        load_of(4_096),
        load_of(1_000, kv_type=KvType.Q8_0),
        load_of(2_048, kv_type=KvType.Q4_0, micro_batch=128),
        load_of(8_192, flash_attention=False),
        load_of(8_192, micro_batch=1_024),
        load_of(4_096, micro_batch=2_048, flash_attention=False),
        load_of(2_048, parallel=3),
    ],
    ids=str,
)
def test_the_embedded_model_takes_what_llama_cpp_says(load: Load) -> None:
    shape, told = shape_in(embedded_model()), loaded(embedded_model(), load)

    assert need(shape, load).weights / MIB == pytest.approx(told.model, abs=0.01)
    assert cache_bytes(shape, load) / MIB == pytest.approx(told.cache, abs=0.01)
    assert compute_bytes(shape, load, on_card=False) / MIB == pytest.approx(told.compute, abs=0.02)


MODELS: dict[str, dict[str, Any]] = {
    "llama": {},
    "qwen2": {"width": 896, "heads": 14, "kv_heads": 2, "gate": 4_864, "biases": True},
    "qwen3": {"kv_heads": 8, "head_length": 128, "head_norms": True},
    "phi3": {"fused": True},
    "qwen3moe": {
        "head_length": 128,
        "head_norms": True,
        "experts": 32,
        "used": 8,
        "expert_gate": 384,
    },
    "gpt-oss": {
        "layers": 4,
        "width": 960,
        "kv_heads": 8,
        "biases": True,
        "experts": 32,
        "used": 4,
        "expert_gate": 960,
        "window": 128,
    },
    "gemma2": {
        "layers": 4,
        "width": 1_152,
        "heads": 8,
        "head_length": 256,
        "gate": 6_912,
        "tied": True,
        "post_norms": True,
        "window": 512,
    },
    "gemma3": {
        "layers": 7,
        "width": 1_152,
        "heads": 4,
        "kv_heads": 1,
        "head_length": 256,
        "gate": 6_912,
        "tied": True,
        "head_norms": True,
        "post_norms": True,
        "window": 512,
    },
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    paths = {name: folder / f"{name}.gguf" for name in MODELS}
    for name, path in paths.items():
        testing_gguf.write(path, *testing_gguf.decoder(name, MODELS[name]))
    return paths


@pytest.mark.parametrize("architecture", MODELS)
@pytest.mark.parametrize(
    "load",
    [
        load_of(4_096),
        load_of(8_192, flash_attention=False, micro_batch=256),
        load_of(2_048, kv_type=KvType.Q8_0, micro_batch=1_024, parallel=2),
        load_of(4_096, parallel=4, shared_cache=True, whole_window=True),
    ],
    ids=str,
)
def test_models_of_every_kind_take_what_llama_cpp_says(
    written: dict[str, Path], architecture: str, load: Load
) -> None:
    path = written[architecture]
    shape, told = shape_in(path), loaded(path, load)

    assert cache_bytes(shape, load) / MIB == pytest.approx(told.cache, abs=0.01 * 2)
    assert compute_bytes(shape, load, on_card=False) / MIB == pytest.approx(told.compute, abs=0.02)
    weights = shape.weight_bytes / MIB
    assert weights == pytest.approx(told.model, abs=0.01)
