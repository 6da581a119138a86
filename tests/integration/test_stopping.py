"""A stop ends the generation of a real model within one token, and the words go on as tokens."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from agent.executives.llamacpp.executive import LlamaCppExecutive
from agent.executives.llamacpp.server import LlamaServer
from agent.migrate import migrate
from agent.turns import Turns
from graphs.executive import Profile, Prompt, ReplyPart, TokenCount, Wish
from memory.runs import RunStatus

THREAD = "t"


def silent(_: dict[str, Any]) -> None:
    """Watch nothing."""


class Relied:
    """The embedded model, as if its words could be relied on: they are shown and kept."""

    def __init__(self, inner: LlamaCppExecutive) -> None:
        self._inner = inner
        self.asked: list[Prompt] = []

    @property
    def profile(self) -> Profile:
        return replace(self._inner.profile, judgement=True)

    async def count(self, prompt: Prompt, wish: Wish, *, room: int | None = None) -> TokenCount:
        return await self._inner.count(prompt, wish, room=room)

    def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        self.asked.append(prompt)
        return self._inner.stream(prompt, wish)


@pytest.fixture
async def dsn(dsn: str) -> str:
    """A database of the test's own, with the checkpointer's tables."""
    await migrate(dsn)
    return dsn


@pytest.fixture
async def model() -> AsyncIterator[LlamaCppExecutive]:
    executive = LlamaCppExecutive.embedded(context_tokens=2_048)
    yield executive
    await executive.aclose()


@pytest.fixture
def generated(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each piece that llama.cpp generated, whether it was told to end."""
    told: list[bool] = []
    real = LlamaServer.generate

    def generate(self: LlamaServer, body: Any, on_chunk: Callable[[Any], bool]) -> None:
        def heard(chunk: Any) -> bool:
            ended = on_chunk(chunk)
            told.append(ended)
            return ended

        real(self, body, heard)

    monkeypatch.setattr(LlamaServer, "generate", generate)
    return told


async def test_a_stop_ends_generation_within_one_token_and_the_answer_goes_on_from_its_words(
    turns_of: Callable[..., Turns], model: LlamaCppExecutive, generated: list[bool]
) -> None:
    executive = Relied(model)
    turns = turns_of(executive, answer_tokens=60)
    shown: list[str] = []

    def watch(event: dict[str, Any]) -> None:
        if event["event"] == "text":
            shown.append(event["text"])
            if len(shown) == 8:
                task.cancel()

    values = {"question": "Tell me about the sea and its ships.", "files": []}
    task = asyncio.create_task(turns.run("assistant", thread_id=THREAD, values=values, watch=watch))
    with pytest.raises(asyncio.CancelledError):
        await task
    (paused,) = await turns.registry.newest(thread_id=THREAD)
    pieces, ends = len(generated), sum(generated)
    outcome = await turns.finish("assistant", thread_id=THREAD, watch=silent)

    assert ends == 1, "of all pieces one came behind the stop, and it was the last"
    assert pieces < 60
    assert paused.status is RunStatus.PAUSED
    begun = executive.asked[-1].begun
    assert begun.startswith("".join(shown).rstrip())
    assert outcome.output["answer"]["text"].startswith(begun)
    assert len(outcome.output["answer"]["text"]) > len(begun)
    assert outcome.run.status is RunStatus.DONE
