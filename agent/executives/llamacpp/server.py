"""llama.cpp in this process. Everything here blocks; `LlamaCppExecutive` keeps it off the loop."""

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from graphs.errors import (
    BrokenStreamError,
    ExecutiveError,
    ModelMissingError,
    PromptTooLongError,
)

Chunk = dict[str, Any]

_PROMPT_BATCH = 256
"""Tokens of a prompt that are evaluated in one go: the longest that a cancellation waits for."""


_LONGEST_SOCKET = 103
"""Bytes of a socket's path that every system takes."""


class LlamaServer:
    """One loaded model with one slot.

    It generates through a call, and counts through a socket of its own: the bindings have no call
    for the tokeniser. The socket lies in a directory that only this user may enter.
    """

    def __init__(self, model: Path, *, context_tokens: int, cores: int) -> None:
        self._room, socket = _socket()
        key = secrets.token_hex(16)
        try:
            self._server: Any = _started(
                model, socket, key=key, context_tokens=context_tokens, cores=cores
            )
        except ExecutiveError:
            self._room.cleanup()
            raise
        self._http = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(socket)),
            base_url="http://llama",
            headers={"Authorization": f"Bearer {key}"},
            timeout=30.0,
        )

    def generate(self, body: dict[str, Any], on_chunk: Callable[[Chunk], bool]) -> None:
        """Generate until the end, or until `on_chunk` returns True.

        Chunks are those of the OpenAI protocol; a request that cannot be served gives one chunk
        with an `error`, or raises ExecutiveError.
        """
        try:
            self._server.handle_chat_completions(body, on_chunk)
        except (ValueError, RuntimeError) as error:
            raise ExecutiveError(
                f"llama.cpp refuses the request: {error}. If a tool or a schema of your own is in "
                "use, simplify its JSON schema."
            ) from error

    def count(self, body: dict[str, Any]) -> int:
        """Return the tokens of a request's prompt with its template, without evaluating it."""
        try:
            answer = self._http.post("/v1/chat/completions/input_tokens", json=body)
            return int(answer.raise_for_status().json()["input_tokens"])
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise ExecutiveError(
                f"llama.cpp cannot count the tokens of the prompt: {error}."
            ) from error

    def tokens(self, text: str) -> tuple[int, ...]:
        """Return the tokens of a text alone; control tokens in it are read as such."""
        asked = {"content": text, "parse_special": True}
        return tuple(self._told("/tokenize", asked)["tokens"])

    def rendered(self, body: dict[str, Any]) -> str:
        """Return a request's prompt as the model's template writes it."""
        return str(self._told("/apply-template", body)["prompt"])

    def _told(self, path: str, body: dict[str, Any]) -> Any:
        try:
            return self._http.post(path, json=body).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise ExecutiveError(f"llama.cpp does not answer {path}: {error}.") from error

    def close(self) -> None:
        """Free the model."""
        self._http.close()
        self._server = None
        self._room.cleanup()


class LlamaPort:
    """The same on a port of this machine, for who speaks OpenAI's protocol and knows the key."""

    def __init__(self, model: Path, *, context_tokens: int, cores: int) -> None:
        self.key = secrets.token_hex(16)
        self._server: Any = _started(
            model, None, key=self.key, context_tokens=context_tokens, cores=cores
        )
        self.url = str(self._server.listening_address)

    def close(self) -> None:
        """Free the model and the port."""
        self._server = None


def _socket() -> tuple[tempfile.TemporaryDirectory[str], Path]:
    try:
        room = tempfile.TemporaryDirectory(prefix="cortical-", ignore_cleanup_errors=True)
    except OSError as error:
        raise ExecutiveError(
            f"There is no place for llama.cpp's socket ({error}). Make room, or set TMPDIR."
        ) from error
    path = Path(room.name) / "llama.sock"
    if len(os.fsencode(path)) > _LONGEST_SOCKET:
        room.cleanup()
        raise ExecutiveError(
            f"The path {path} is too long for a socket. Set TMPDIR to a shorter directory."
        )
    return room, path


def _started(model: Path, socket: Path | None, *, key: str, context_tokens: int, cores: int) -> Any:
    """Load a model and serve it at a socket or a free port. Raises ModelMissingError."""
    llama = _bindings()
    wanted = llama.CommonParams()
    wanted.model.path = str(model)
    wanted.n_ctx = context_tokens
    wanted.n_parallel = 1
    # A context that is full ends the answer; it is never shifted to make room.
    wanted.ctx_shift = False
    # A word is written in hundreds of small steps that all threads wait for, so half of the cores
    # write faster than all of them; a prompt is read in few large ones.
    wanted.cpuparams.n_threads = max(1, cores // 2)
    wanted.cpuparams_batch.n_threads = cores
    wanted.n_batch = _PROMPT_BATCH
    wanted.n_ubatch = _PROMPT_BATCH // 2
    wanted.n_gpu_layers = 0
    # The slot keeps the last prompt. A store of earlier ones beside it may grow to 8 GiB.
    wanted.cache_ram_mib = 0
    wanted.fit_params = False
    wanted.warmup = False
    wanted.verbosity = -1
    wanted.ui = False
    if socket is not None:
        wanted.hostnames = [str(socket)]
    wanted.api_keys = [key]
    try:
        return llama.Server(wanted)
    except RuntimeError as error:
        raise ModelMissingError(
            f"llama.cpp cannot load {model} with a context of {context_tokens} tokens: {error} "
            "Check that the file is whole and that there is memory for it, or give another one."
        ) from error


def _bindings() -> Any:
    # Threads of OpenMP spin while they wait for each other, and where other work wants the cores
    # they stop it and themselves: 5 tokens a second instead of 60. It reads this when it is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        import xllamacpp
    except ImportError as error:
        raise ModelMissingError(
            f"llama.cpp cannot be loaded ({error}). If a shared library is missing, install it "
            "(on Debian `apt-get install libgomp1`), or use an Ollama server."
        ) from error
    return xllamacpp


def refuse(chunk: Chunk, *, midway: bool = False) -> None:
    """Raise what an error that a chunk tells of means; `midway`: words came before it."""
    error = chunk.get("error")
    if error is None:
        return
    facts = error if isinstance(error, dict) else {"message": error}
    if facts.get("type") == "exceed_context_size_error":
        raise PromptTooLongError(
            f"The prompt has {facts['n_prompt_tokens']} tokens, but the context that is loaded "
            f"holds {facts['n_ctx']}. Shorten the prompt, or raise the setting "
            "executive.context_tokens."
        )
    kind = BrokenStreamError if midway else ExecutiveError
    raise kind(f"llama.cpp failed: {facts.get('message', facts)}. Ask again, or use another model.")
