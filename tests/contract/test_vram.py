"""What a model takes is what llama.cpp itself says when it loads one."""

import re
import subprocess
import sys

import pytest

from agent.executives.gguf.header import embedded_model, read_contents
from agent.models.shapes import shape_of
from agent.residency.vram import KvType, Load, need

MIB = 1 << 20

LOADING = """
import os, sys
os.environ["OMP_WAIT_POLICY"] = "passive"
import xllamacpp
wanted = xllamacpp.CommonParams()
wanted.model.path, wanted.n_ctx, wanted.n_parallel = sys.argv[1], int(sys.argv[2]), 1
wanted.n_gpu_layers, wanted.n_batch, wanted.n_ubatch = 0, 512, 512
wanted.fit_params = wanted.warmup = wanted.ui = False
wanted.cache_ram_mib, wanted.verbosity = 0, 4
kind = getattr(xllamacpp.ggml_type, f"GGML_TYPE_{sys.argv[3].upper()}")
wanted.cache_type_k = wanted.cache_type_v = kind
server = xllamacpp.Server(wanted)
os._exit(0)
"""


def sizes(context_tokens: int, kv_type: KvType) -> dict[str, float]:
    """Load the embedded model in a process of its own; return the buffers that it tells of."""
    command = [sys.executable, "-c", LOADING, str(embedded_model()), str(context_tokens), kv_type]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    told = re.findall(r"CPU(?:_Mapped)? (\w+) buffer size = +([\d.]+) MiB", done.stderr)
    return {name: float(size) for name, size in told}


@pytest.mark.parametrize(
    ("context_tokens", "kv_type"),
    [(4_096, KvType.F16), (1_000, KvType.Q8_0), (2_048, KvType.Q4_0)],
)
def test_weights_and_cache_are_those_of_llama_cpp_and_the_buffer_bounds_its(
    context_tokens: int, kv_type: KvType
) -> None:
    contents = read_contents(embedded_model())
    shape = shape_of(contents.facts, contents.tensors, contents.size_bytes)
    assert shape is not None
    found = need(shape, Load(context_tokens=context_tokens, kv_type=kv_type))
    told = sizes(context_tokens, kv_type)

    assert found.weights / MIB == pytest.approx(told["model"], abs=0.01)
    assert found.cache / MIB == pytest.approx(told["KV"], abs=0.01)
    assert found.buffer / MIB >= told["compute"]
