"""Requests that were laid out by somebody, and what it takes to have them evaluated."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from agent.bench.prefix.steered import SteeredExecutive, Took
from graphs.errors import PromptTooLongError
from graphs.executive import Prompt, Wish


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request with the answer that is written to it."""

    prompt: Prompt
    wish: Wish
    reply: str


class Replay:
    """Has requests evaluated one after the other by a model whose cache holds nothing else."""

    def __init__(self, *, context_tokens: int) -> None:
        self._reply = ""
        self.executive = SteeredExecutive(
            context_tokens=context_tokens, script=lambda _prompt, _wish: self._reply
        )

    async def ask(self, requests: Sequence[Request]) -> list[Took]:
        """Return what each took; one that does not fit the context is told as refused."""
        before = len(self.executive.took)
        for request in requests:
            self._reply = request.reply
            try:
                async with aclosing(self.executive.stream(request.prompt, request.wish)) as parts:
                    async for _ in parts:
                        pass
            except PromptTooLongError:
                continue
        return self.executive.took[before:]

    async def aclose(self) -> None:
        """Free the model."""
        await self.executive.aclose()
