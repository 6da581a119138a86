"""The model in process, made to write what a script says, and timed at its first token."""

import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent.bench.prefix.bound import Template, Tokens
from agent.errors import AgentError
from agent.executives.gguf.header import embedded_model, read_header
from agent.executives.llamacpp.executive import LlamaCppExecutive
from agent.executives.llamacpp.server import Chunk, LlamaServer
from graphs.errors import PromptTooLongError
from graphs.executive import EndPart, Prompt, ReplyPart, Wish

Script = Callable[[Prompt, Wish], str]
"""Returns the very text that the model is to write."""

_MARK = "\u2042"


@dataclass(frozen=True, kw_only=True, slots=True)
class Took:
    """What one request took."""

    prompt_tokens: int
    cached_tokens: int
    answer_tokens: int
    first_token_s: float
    """From the request to the first token of the answer."""
    seconds: float
    refused: bool = False
    """The prompt is longer than the context: nothing was evaluated."""

    @property
    def evaluated_tokens(self) -> int:
        """Tokens of the prompt that were not found in the cache."""
        return self.prompt_tokens - self.cached_tokens


class SteeredServer(LlamaServer):
    """A loaded model that writes a text which is given, and notes when its first token came."""

    forced: str | None = None
    first_at = 0.0

    def generate(self, body: dict[str, Any], on_chunk: Callable[[Chunk], bool]) -> None:
        """Generate under a grammar that allows the text and nothing else."""
        if self.forced is not None:
            text = json.dumps(self.forced, ensure_ascii=False)
            body = {**body, "grammar": f"%llguidance {{}}\nstart: {text}"}

        def noted(chunk: Chunk) -> bool:
            if not self.first_at and _writes(chunk):
                self.first_at = time.perf_counter()
            return on_chunk(chunk)

        super().generate(body, noted)


class SteeredExecutive(LlamaCppExecutive):
    """Evaluates every prompt as the program would; only what is written is given by a script.

    The text is forced by a grammar, so that the model itself writes it, token by token, and the
    cache then holds it. It passes for a model with judgement, which makes calls and answers freely.
    """

    def __init__(self, *, context_tokens: int, script: Script) -> None:
        super().__init__(
            read_header(embedded_model()),
            context_tokens=context_tokens,
            tier="embedded",
            load=self._open,
        )
        self._profile = replace(self._profile, judgement=True)
        self._script = script
        self._steered: SteeredServer | None = None
        self.took: list[Took] = []

    def _open(self, model: Path, *, context_tokens: int, cores: int) -> SteeredServer:
        self._steered = SteeredServer(model, context_tokens=context_tokens, cores=cores)
        return self._steered

    @property
    def server(self) -> SteeredServer:
        """The loaded model; loads it where it is not. Blocks."""
        self._loaded()
        assert self._steered is not None, "what is loaded was opened here"
        return self._steered

    async def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        """Yield the text of the script, as the model writes it."""
        server = self.server
        server.forced, server.first_at = self._script(prompt, wish), 0.0
        began = time.perf_counter()
        try:
            async with aclosing(super().stream(prompt, wish)) as parts:
                async for part in parts:
                    if isinstance(part, EndPart):
                        self.took.append(self._taken(part, began))
                    yield part
        except PromptTooLongError:
            self.took.append(_refused((await self.count(prompt, wish)).tokens))
            raise

    def warm(self) -> None:
        """Load the model and let it write once; what is then in its cache begins no prompt."""
        messages = [{"role": "system", "content": _MARK}, {"role": "user", "content": _MARK}]
        body = {"messages": messages, "max_tokens": 2, "stream": True, "cache_prompt": True}
        self.server.generate(body, lambda _: False)

    def tokenised(self, text: str) -> Tokens:
        """Return the tokens of a text by itself."""
        return self.server.tokens(text)

    def template(self) -> Template:
        """Return what the model's template puts behind the last text, and behind an answer."""
        said = {"role": "user", "content": _MARK}
        once = self.server.rendered({"messages": [said]})
        answered = {"role": "assistant", "content": _MARK}
        twice = self.server.rendered({"messages": [said, answered, said]})
        closing, opening = once.split(_MARK)[1], twice.split(_MARK)[2]
        return Template(closing=len(self.tokenised(closing)), opening=len(self.tokenised(opening)))

    def _taken(self, end: EndPart, began: float) -> Took:
        first_at = self.server.first_at
        if not first_at:
            raise AgentError("The benchmark is void: the model wrote nothing. Run it again.")
        return Took(
            prompt_tokens=end.prompt_tokens,
            cached_tokens=end.cached_tokens,
            answer_tokens=end.answer_tokens,
            first_token_s=first_at - began,
            seconds=end.seconds,
        )


def _writes(chunk: Chunk) -> bool:
    return any(choice.get("delta", {}).get("content") for choice in chunk.get("choices", ()))


def _refused(prompt_tokens: int) -> Took:
    return Took(
        prompt_tokens=prompt_tokens,
        cached_tokens=0,
        answer_tokens=0,
        first_token_s=0.0,
        seconds=0.0,
        refused=True,
    )
