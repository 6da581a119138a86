"""The model in process, made to write what a script says, and timed at its first token."""

import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from agent.bench.prefix.bound import Tokens
from agent.errors import AgentError
from agent.executives.gguf import embedded_model, read_header
from agent.executives.llamacpp import LlamaCppExecutive
from agent.executives.llamacpp_server import Chunk
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


class SteeredExecutive(LlamaCppExecutive):
    """Evaluates every prompt as the program would; only what is written is given by a script.

    The text is forced by a grammar, so that the model itself writes it, token by token, and the
    cache then holds it. It passes for a model with judgement, which makes calls and answers freely.
    """

    def __init__(self, *, context_tokens: int, script: Script) -> None:
        super().__init__(
            read_header(embedded_model()), context_tokens=context_tokens, tier="embedded"
        )
        self._profile = replace(self._profile, judgement=True)
        self._script = script
        self._forced: str | None = None
        self._first_at = 0.0
        self.took: list[Took] = []

    async def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        """Yield the text of the script, as the model writes it."""
        self._forced, self._first_at = self._script(prompt, wish), 0.0
        began = time.perf_counter()
        try:
            async with aclosing(super().stream(prompt, wish)) as parts:
                async for part in parts:
                    if isinstance(part, EndPart):
                        self.took.append(self._taken(part, began))
                    yield part
        except PromptTooLongError:
            self.took.append(_refused(await self.tokens_of(prompt, wish)))
            raise
        finally:
            self._forced = None

    async def tokens_of(self, prompt: Prompt, wish: Wish) -> int:
        """Return the size of a prompt."""
        return (await self.count(prompt, wish)).tokens

    def warm(self) -> None:
        """Load the model and let it write once; what is then in its cache begins no prompt."""
        message = {"role": "user", "content": _MARK}
        body = {"messages": [message], "max_tokens": 2, "stream": True, "cache_prompt": True}
        self._loaded().generate(body, lambda _: False)

    def tokenised(self, text: str) -> Tokens:
        """Return the tokens of a text by itself."""
        return self._loaded().tokens(text)

    def closing(self) -> int:
        """Return how many tokens the model's template puts behind the last text of a prompt."""
        messages = [{"role": "user", "content": _MARK}]
        return len(self.tokenised(self._loaded().rendered({"messages": messages}).split(_MARK)[1]))

    def _taken(self, end: EndPart, began: float) -> Took:
        if not self._first_at:
            raise AgentError("The benchmark is void: the model wrote nothing. Run it again.")
        return Took(
            prompt_tokens=end.prompt_tokens,
            cached_tokens=end.cached_tokens,
            answer_tokens=end.answer_tokens,
            first_token_s=self._first_at - began,
            seconds=end.seconds,
        )

    def _body(self, prompt: Prompt, wish: Wish) -> dict[str, Any]:
        body = super()._body(prompt, wish)
        if self._forced is not None:
            text = json.dumps(self._forced, ensure_ascii=False)
            body["grammar"] = f"%llguidance {{}}\nstart: {text}"
        return body

    def _generate(self, body: dict[str, Any], on_chunk: Callable[[Chunk], bool]) -> None:
        def noted(chunk: Chunk) -> bool:
            if not self._first_at and _writes(chunk):
                self._first_at = time.perf_counter()
            return on_chunk(chunk)

        super()._generate(body, noted)


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
