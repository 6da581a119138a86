"""`MiniLmEmbedder`: all-MiniLM-L6-v2 on onnxruntime, without torch."""

import asyncio
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.embedders.minilm_files import (
    DIMENSIONS,
    MODEL,
    TOKENS,
    WHEEL,
    session,
    tokeniser,
    weights_file,
)
from agent.errors import EmbedderError
from memory.embedding import Role
from memory.sizing import usable_cores

GRAPH_VERSION = 2
"""Raised when the builder makes another graph of the same weights."""

_CHARACTERS = 20_000
"""What is handed to the tokeniser: 256 words are shorter, and a book would take it seconds."""
_MOST_THREADS = 4
_BUILD_TIMEOUT_S = 120.0

_SAMPLE_LETTERS = 2_000
_LATIN_END = "\u0250"


class MiniLmEmbedder:
    """Embeds one text a run, on threads of its own. Loads its model when it is first asked.

    Its linear layers multiply bytes where this machine proves to be faster so and as good, else
    32-bit numbers (`minilm_build`). The graph is built once, in some seconds, and kept in the
    cache; where the cache cannot be written it is built each time. All other weights are mapped
    from the wheel's own file.
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

    def precision(self) -> str:
        """Load the model and return in what its linear layers multiply: `int8` or `fp32`."""
        _, running = self._loaded()
        name: str = running.get_modelmeta().graph_name
        return name.rpartition("-")[2]

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
        words, running = self._loaded()
        # A lone surrogate, as a broken file name leaves it, is no text to the tokeniser.
        readable = text[:_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
        ids = np.array(words.encode(readable).ids, dtype=np.int64)
        (vector,) = running.run(None, {"input_ids": ids})
        assert isinstance(vector, np.ndarray)
        return vector

    def _loaded(self) -> tuple[Any, Any]:
        with self._loading:
            if self._model is None:
                weights = weights_file()
                self._model = tokeniser(weights), session(weights, self._graph(weights))
            return self._model

    def _graph(self, weights: Path) -> bytes:
        """Return the graph out of the cache, else built and put there."""
        cached = self._cache_dir / f"minilm-{GRAPH_VERSION}-{_proved_on(weights)}.onnx"
        with suppress(OSError):
            digest, _, graph = cached.read_bytes().partition(b"\n")
            if digest == _digest(graph):
                return graph
        graph = _built(weights)
        with suppress(OSError):
            self._cache_dir.mkdir(parents=True, exist_ok=True)
            _replace(cached, _digest(graph) + b"\n" + graph)
        return graph


def _built(weights: Path) -> bytes:
    """Build the graph in a process of its own: `onnx` would stay in this one's memory for good."""
    command = [sys.executable, "-P", "-m", "agent.embedders.minilm_build", str(weights)]
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


def _proved_on(weights: Path) -> str:
    """Tell weights, processor and onnxruntime: what is proved on one may not hold on another."""
    found = np.show_config(mode="dicts")["SIMD Extensions"]
    machine = [platform.machine(), version("onnxruntime"), weights.stat().st_size, found]
    return hashlib.sha256(json.dumps(machine, sort_keys=True).encode()).hexdigest()[:16]


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
