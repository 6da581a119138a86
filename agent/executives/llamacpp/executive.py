"""`LlamaCppExecutive`: a GGUF model in this process."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from agent.executives import messages
from agent.executives.counting import tokens
from agent.executives.counting.calibration import Calibration
from agent.executives.counting.counts import Counts
from agent.executives.gguf.header import GgufHeader, embedded_model, read_header
from agent.executives.judgement import JUDGEMENT_BYTES
from agent.executives.llamacpp.server import Chunk, LlamaServer, refuse
from agent.executives.replies.readers import Reader, reader_for
from agent.executives.schemas import calls
from graphs.errors import BrokenStreamError, EmptyAnswerError, PromptTooLongError
from graphs.executive import (
    EndPart,
    EndReason,
    JsonSchema,
    Profile,
    Prompt,
    ReplyPart,
    ThoughtPart,
    TokenCount,
    Wish,
    goes_on,
)
from graphs.written import ITEMS, KEYS
from memory.sizing import usable_cores

_ENDS = {"stop": EndReason.STOP, "length": EndReason.LENGTH}


class Loaded(Protocol):
    """A loaded model, as `llamacpp_server.LlamaServer` is one. Everything blocks."""

    def generate(self, body: dict[str, Any], on_chunk: Callable[[Chunk], bool]) -> None:
        """Generate until the end, or until `on_chunk` returns True."""
        ...

    def count(self, body: dict[str, Any]) -> int:
        """Return the tokens of a request's prompt."""
        ...

    def close(self) -> None:
        """Free the model."""
        ...


class Load(Protocol):
    """Loads a model."""

    def __call__(self, model: Path, *, context_tokens: int, cores: int) -> Loaded:
        """Return it. Raises ModelMissingError."""
        ...


class LlamaCppExecutive:
    """Loads its model when it is first asked; holds it until `aclose`.

    The same prompt gives the same answer, unless the part of it that was still in the cache
    differs: sums are then taken in another order, and two nearly equal words may change places.
    """

    def __init__(
        self, header: GgufHeader, *, context_tokens: int, tier: str, load: Load = LlamaServer
    ) -> None:
        self._header = header
        self._load = load
        self._profile = Profile(
            name=f"{header.path.stem} (llama.cpp)",
            tier=tier,
            context_tokens=min(context_tokens, header.trained_tokens),
            native_tools=False,
            judgement=header.size_bytes >= JUDGEMENT_BYTES,
            digest=header.digest,
        )
        # One thread, so one call at a time: the model has one slot, and the cache that a call
        # leaves in it is for the next. Callers wait in the order in which they came, on whatever
        # event loop they are.
        self._turns = ThreadPoolExecutor(max_workers=1, thread_name_prefix="llama.cpp")
        self._loading = threading.Lock()  # protects `_server`: the model is loaded once
        self._server: Loaded | None = None
        self._calibration = Calibration()
        self._counts = Counts(lambda body: self._loaded().count(body))

    @classmethod
    def embedded(cls, *, context_tokens: int = 4_096) -> "LlamaCppExecutive":
        """Return the model that comes as a wheel. Raises ModelMissingError."""
        header = read_header(embedded_model())
        return cls(header, context_tokens=context_tokens, tier="embedded")

    @classmethod
    def of(cls, path: Path, *, context_tokens: int) -> "LlamaCppExecutive":
        """Return the model of a GGUF file. Raises ModelMissingError."""
        return cls(read_header(path), context_tokens=context_tokens, tier="full")

    @property
    def profile(self) -> Profile:
        """What is known about it."""
        return self._profile

    async def count(self, prompt: Prompt, wish: Wish, *, room: int | None = None) -> TokenCount:
        """Return the exact number of tokens, counted by the model's own tokeniser.

        A bound that is within `room` takes its place: it needs no tokeniser.
        """
        body = self._body(prompt, wish)
        texts = _texts(body)
        bound = self._calibration.bound(texts)
        if room is not None and bound <= room:
            return TokenCount(tokens=bound, exact=False)
        counted = await asyncio.to_thread(self._counts.of, body)
        self._calibration.learn(texts, counted)
        return TokenCount(tokens=counted, exact=True)

    async def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        """Yield the answer as it is written; the last part is the one `EndPart`."""
        begun = goes_on(prompt, wish, self._profile)
        body = self._body(prompt, wish)
        answer = _Answer(reader_for(wish, calls_by_schema="grammar" in body), body, begun=begun)
        loop = asyncio.get_running_loop()
        chunks: asyncio.Queue[Chunk | None] = asyncio.Queue()
        closed = threading.Event()

        def on_chunk(chunk: Chunk) -> bool:
            try:
                if not closed.is_set():
                    loop.call_soon_threadsafe(chunks.put_nowait, chunk)
            except RuntimeError:  # the loop was closed, and nobody listens any more
                closed.set()
            return closed.is_set()

        call = self._turns.submit(self._generate, body, on_chunk)
        turn = asyncio.wrap_future(call)
        turn.add_done_callback(lambda _: chunks.put_nowait(None))
        try:
            while (chunk := await chunks.get()) is not None:
                for part in answer.take(chunk):
                    yield part
            await turn
            for part in answer.finish():
                if isinstance(part, EndPart):
                    self._calibration.learn(_texts(body), part.prompt_tokens)
                yield part
        except PromptTooLongError:
            # Where a bound was thought to fit, it is raised by the count, and does not again.
            await self.count(prompt, wish)
            raise
        finally:
            closed.set()
            if not call.cancel():
                await asyncio.wait([turn])

    async def aclose(self) -> None:
        """Free the model, once the call that runs has ended."""
        await asyncio.get_running_loop().run_in_executor(self._turns, self._free)

    def _generate(self, body: dict[str, Any], on_chunk: Any) -> None:
        self._loaded().generate(body, on_chunk)

    def _loaded(self) -> Loaded:
        with self._loading:
            if self._server is None:
                self._server = self._load(
                    self._header.path,
                    context_tokens=self._profile.context_tokens,
                    cores=usable_cores(),
                )
            return self._server

    def _free(self) -> None:
        with self._loading:
            if self._server is not None:
                self._server.close()
                self._server = None

    def _body(self, prompt: Prompt, wish: Wish) -> dict[str, Any]:
        """Return the request; tools become a schema, since few templates know them."""
        must_call = wish.must_call or not self._profile.judgement
        preface = calls.instructions(wish.tools, must_call=must_call) if wish.tools else ""
        callable_tools = wish.tools if wish.may_call else ()
        schema = (
            calls.union(callable_tools, must_call=must_call and wish.may_call, rich=True)
            if wish.tools
            else wish.schema and calls.constrained(wish.schema, rich=True)
        )
        if prompt.begun:
            schema = None  # what has begun in words goes on in words
        body: dict[str, Any] = {
            "messages": messages.plain_messages(prompt, preface=preface),
            "max_tokens": wish.max_tokens,
            "temperature": wish.temperature,
            "seed": wish.seed,
            "stop": list(wish.stop),
            "stream": True,
            "stream_options": {"include_usage": True},
            # A chunk for every batch of the prompt, so that it too can be cancelled.
            "return_progress": True,
            "cache_prompt": True,
            "chat_template_kwargs": {
                "enable_thinking": wish.think and not schema and not prompt.begun
            },
        }
        if schema:
            body["grammar"] = _grammar(schema)
        return body


def _texts(body: dict[str, Any]) -> list[str]:
    return [message["content"] for message in body["messages"]]


def _grammar(schema: JsonSchema) -> str:
    """Return a grammar that writes the schema in one way only: free white space costs tokens."""
    ways = {"whitespace_flexible": False, "item_separator": ITEMS, "key_separator": KEYS}
    bound = {**schema, "x-guidance": ways}
    return f"%llguidance {{}}\nstart: %json {json.dumps(bound, ensure_ascii=False)}"


class _Answer:
    """Turns chunks into parts."""

    def __init__(self, reader: Reader, body: dict[str, Any], *, begun: bool) -> None:
        self._reader = reader
        self._body = body
        self._began = time.monotonic()
        # An answer that stands already may have nothing to add.
        self._spoke = begun
        self._reason: EndReason | None = None
        self._usage: dict[str, Any] | None = None

    def take(self, chunk: Chunk) -> list[ReplyPart]:
        """Take one chunk. Raises an ExecutiveError if it holds an error."""
        refuse(chunk, midway=self._spoke)
        self._usage = chunk.get("usage") or self._usage
        parts: list[ReplyPart] = []
        for choice in chunk.get("choices", ()):
            delta = choice.get("delta", {})
            if thought := delta.get("reasoning_content"):
                parts.append(ThoughtPart(text=thought))
            if text := delta.get("content"):
                self._spoke = self._spoke or bool(text.strip())
                parts += self._reader.feed(text)
            if reason := choice.get("finish_reason"):
                self._reason = _ENDS.get(reason)
        return parts

    def finish(self) -> list[ReplyPart]:
        """Return what is known only at the end. Raises BrokenStreamError or EmptyAnswerError."""
        if self._reason is None or self._usage is None:
            raise BrokenStreamError("llama.cpp ended its answer without saying why. Ask again.")
        self._verify(self._usage["prompt_tokens"])
        reason = self._reason
        parts: list[ReplyPart] = []
        if reason is EndReason.STOP:
            if not self._spoke:
                raise EmptyAnswerError(
                    "The model in process ended without a word. Put the request in other words."
                )
            if call := self._reader.finish():
                parts.append(call)
                reason = EndReason.CALLS
        cached = (self._usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0)
        end = EndPart(
            reason=reason,
            prompt_tokens=self._usage["prompt_tokens"],
            cached_tokens=cached,
            answer_tokens=self._usage["completion_tokens"],
            seconds=time.monotonic() - self._began,
        )
        return [*parts, end]

    def _verify(self, read: int) -> None:
        """Raise PromptTooLongError if less was read than the prompt must have."""
        texts = [message["content"] for message in self._body["messages"]]
        least = sum(tokens.lower_bound(text) for text in texts)
        if read < least:
            raise PromptTooLongError(
                f"llama.cpp read {read} tokens of a prompt that has at least {least}, and dropped "
                "the rest without a word. Shorten the prompt, and report it: it should refuse."
            )
