"""Faults of a model in process: what llama.cpp's bindings may give."""

import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from agent.bench.faults.stage import ANSWER, CONTEXT_TOKENS, FIRST, rest_of
from agent.bench.faults.table import Fault
from agent.executives.gguf.header import GgufHeader
from agent.executives.judgement import JUDGEMENT_BYTES
from agent.executives.llamacpp.executive import LlamaCppExecutive, Loaded
from agent.executives.llamacpp.server import Chunk
from agent.ollama_double.models import pieces
from graphs.errors import ExecutiveError, ModelMissingError
from graphs.executive import Executive

_HEADER = GgufHeader(
    path=Path("scripted.gguf"),
    name="scripted",
    architecture="llama",
    trained_tokens=40_960,
    size_bytes=JUDGEMENT_BYTES,
)


class ScriptedModel:
    """A loaded model whose first generation is a fault and whose others are sound."""

    def __init__(self, fault: str) -> None:
        self._fault = fault
        self._generations = 0

    def generate(self, body: dict[str, Any], on_chunk: Callable[[Chunk], bool]) -> None:
        """Generate what the script says."""
        self._generations += 1
        first = self._generations == 1
        chunks = _faulty(self._fault, self.count(body)) if first else None
        if chunks is None:
            chunks = _said(rest_of(body), self.count(body))
        for chunk in chunks:
            if on_chunk(chunk):
                return

    def count(self, body: dict[str, Any]) -> int:
        """Return the tokens of a request's prompt, by the rule of the doubles."""
        return sum(4 + len(pieces(message["content"])) for message in body["messages"])

    def close(self) -> None:
        """Do nothing."""


@asynccontextmanager
async def staged(fault: Fault) -> AsyncIterator[Executive]:
    """Set a fault up."""

    def load(model: Path, *, context_tokens: int, cores: int) -> Loaded:  # noqa: ARG001 - its place
        if fault.name == "gone":
            raise ModelMissingError(f"llama.cpp cannot load {model}: the file is gone.")
        return ScriptedModel(fault.name)

    executive = LlamaCppExecutive(_HEADER, context_tokens=CONTEXT_TOKENS, tier="full", load=load)
    async with aclosing(executive):
        yield executive


def _faulty(fault: str, prompt_tokens: int) -> Iterable[Chunk] | None:
    """Return the chunks of a fault; None where the generation itself is sound."""
    begun, usage = list(_words(FIRST)), _usage(prompt_tokens)
    thought = _delta(reasoning_content="It may be two years.")
    too_long = {"type": "exceed_context_size_error", "n_prompt_tokens": 1_000, "n_ctx": 512}
    chunks: dict[str, Iterable[Chunk]] = {
        "cut-first": [],
        "cut-later": begun,
        "no-end": [*begun, usage],
        "length": [*begun, _delta(finish="length"), usage],
        "error-midway": [*begun, {"error": {"message": "failed to decode", "code": 500}}],
        "empty": [_delta(finish="stop"), usage],
        "only-thoughts": [thought, _delta(finish="stop"), usage],
        "thought-away": [thought, _delta(finish="length"), usage],
        "failed": _failing(),
        "truncated": _said(ANSWER, 300),
        "overfull": [{"error": too_long}],
    }
    return chunks.get(fault)


def _failing() -> Iterator[Chunk]:
    raise ExecutiveError("llama.cpp refuses the request: failed to initialize samplers.")
    yield {}


def _said(text: str, prompt_tokens: int) -> Iterator[Chunk]:
    yield from _words(text)
    yield _delta(finish="stop")
    yield _usage(prompt_tokens)


def _words(text: str) -> Iterator[Chunk]:
    yield from (_delta(content=word) for word in re.findall(r"\s*\S+", text))


def _delta(*, finish: str | None = None, **delta: str) -> Chunk:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def _usage(prompt_tokens: int) -> Chunk:
    return {"choices": [], "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": 8}}
