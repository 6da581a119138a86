"""Executives of each adapter whose model answers from a script, malformed calls as they are."""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.executives.gguf.header import GgufHeader
from agent.executives.judgement import JUDGEMENT_BYTES
from agent.executives.llamacpp.executive import LlamaCppExecutive, Loaded
from agent.executives.llamacpp.server import Chunk
from agent.executives.ollama.executive import OllamaExecutive
from agent.executives.ollama.server import OllamaModel
from agent.executives.openai.executive import OpenAiExecutive
from agent.executives.openai.server import Kind, OpenAiModel
from agent.executives.replies.received import received
from agent.executives.wire import Timeouts
from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.models import pieces
from agent.ollama_double.script import Say, scripted
from agent.openai_double.app import DoubleModel, OpenAiDouble
from agent.testing import ScriptedExecutive, ScriptedReply
from graphs.executive import CallPart, Executive


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One answer of a scripted model."""

    text: str = ""
    calls: Sequence[Any] = ()
    """Entries of `tool_calls`, as they are sent."""


Adapter = Callable[[Sequence[Answer]], AbstractAsyncContextManager[Executive]]
"""Opens an executive of one adapter whose server gives these answers."""


@asynccontextmanager
async def bare(answers: Sequence[Answer]) -> AsyncIterator[Executive]:
    """Give the graph the calls as they come out of any adapter, without a server."""
    yield ScriptedExecutive(
        [ScriptedReply(text=one.text, calls=_parts(one.calls)) for one in answers]
    )


def _parts(calls: Sequence[Any]) -> tuple[CallPart, ...]:
    found: list[CallPart] = []
    for one in calls:
        found.append(received(one, {part.id for part in found}))
    return tuple(found)


def ollama(serve: Callable[[Any], AbstractAsyncContextManager[str]]) -> Adapter:
    """Return the adapter of Ollama before its double; `serve` gives an application an address."""

    @asynccontextmanager
    async def opened(answers: Sequence[Answer]) -> AsyncIterator[Executive]:
        replies = [Say(text=one.text, calls=list(one.calls)) for one in answers]
        async with serve(OllamaDouble(scripted(*replies))) as url:
            yield OllamaExecutive(
                _MODEL, url=url, version="0.33.3", context_tokens=_MODEL.trained_tokens
            )

    return opened


def openai(serve: Callable[[Any], AbstractAsyncContextManager[str]]) -> Adapter:
    """Return the adapter of OpenAI's protocol before its double."""

    @asynccontextmanager
    async def opened(answers: Sequence[Answer]) -> AsyncIterator[Executive]:
        replies = [Say(text=one.text, calls=list(one.calls)) for one in answers]
        name, tokens = "qwen3-14b", _MODEL.trained_tokens
        double = OpenAiDouble(
            scripted(*replies), models=[DoubleModel(name=name, context_tokens=tokens)]
        )
        async with serve(double) as url:
            yield OpenAiExecutive(
                OpenAiModel(name=name, context_tokens=tokens, native_tools=True),
                url=url,
                kind=Kind.LLAMA_CPP,
                timeouts=Timeouts(),
            )

    return opened


_MODEL = OllamaModel(
    name="qwen3:14b",
    size_bytes=0,
    parameters="14.8B",
    quantisation="Q4_K_M",
    capabilities=frozenset({"completion", "tools"}),
    trained_tokens=40_960,
)


@asynccontextmanager
async def process(answers: Sequence[Answer]) -> AsyncIterator[Executive]:
    """Give the adapter of llama.cpp in process texts that its grammar would not have let through.

    It writes one call an answer, so of several only the first is given.
    """

    def load(model: Path, *, context_tokens: int, cores: int) -> Loaded:  # noqa: ARG001 - its place
        return _Scripted(answers)

    executive = LlamaCppExecutive(
        _HEADER, context_tokens=_HEADER.trained_tokens, tier="full", load=load
    )
    async with aclosing(executive):
        yield executive


_HEADER = GgufHeader(
    path=Path("scripted.gguf"),
    name="scripted",
    architecture="llama",
    trained_tokens=40_960,
    size_bytes=JUDGEMENT_BYTES,
)


class _Scripted:
    """A loaded model that writes its answers in their order."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self._texts = [_written(one) for one in answers]

    def generate(self, body: dict[str, Any], on_chunk: Callable[[Chunk], bool]) -> None:
        for chunk in _chunks(self._texts.pop(0), self.count(body)):
            if on_chunk(chunk):
                return

    def count(self, body: dict[str, Any]) -> int:
        return sum(4 + len(pieces(message["content"])) for message in body["messages"])

    def close(self) -> None:
        pass


def _written(answer: Answer) -> str:
    """Return an answer as the text that a model bound to a schema writes."""
    if not answer.calls:
        return json.dumps({"answer": answer.text})
    function = answer.calls[0].get("function")
    if not isinstance(function, dict):
        return json.dumps(answer.calls[0])
    named = {"tool": function["name"]} if "name" in function else {}
    return json.dumps({**named, "arguments": function.get("arguments")})


def _chunks(text: str, prompt_tokens: int) -> Iterator[Chunk]:
    for delta, finish in (({"content": text}, None), ({}, "stop")):
        yield {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    yield {"choices": [], "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": 8}}
