"""Speed is told of what was timed, and of nothing else."""

import asyncio
import time
from collections.abc import AsyncGenerator

import pytest

from agent.errors import AgentError
from agent.models import speed
from agent.testing import ScriptedExecutive
from graphs.executive import Prompt, ReplyPart, Wish

STORY = "the keeper rose before dawn and climbed the stairs to light the lamp again"


async def test_every_length_is_timed_in_every_round() -> None:
    executive = ScriptedExecutive(["x"] + [STORY] * 8)
    report = await speed.measure(executive, rounds=2, lengths=(64, 256))

    assert [one["rounds"] for one in report["lengths"]] == [2, 2]
    assert report["lengths"][1]["prompt_tokens"] > report["lengths"][0]["prompt_tokens"] > 32
    assert executive.left == 0


async def test_each_round_begins_with_words_that_no_cache_knows_and_is_asked_twice() -> None:
    executive = ScriptedExecutive(["x"] + [STORY] * 4)
    await speed.measure(executive, rounds=2, lengths=(64,))
    systems = [prompt.system for prompt, _ in executive.asked[1:]]

    assert systems[0] == systems[1] != systems[2] == systems[3]


async def test_what_is_not_timed_by_the_end_is_left_out() -> None:
    class Slow(ScriptedExecutive):
        async def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
            if len(self.asked) >= 3:
                await asyncio.Event().wait()
            async for part in super().stream(prompt, wish):
                yield part

    slow = Slow(["x"] + [STORY] * 2)
    report = await speed.measure(
        slow,
        rounds=2,
        lengths=(64, 256),
        until=time.monotonic() + 2.0,
    )

    assert [one["rounds"] for one in report["lengths"]] == [1]


async def test_answers_too_short_to_time_void_the_measurement() -> None:
    with pytest.raises(AgentError, match="its speed cannot be told"):
        await speed.measure(ScriptedExecutive(["x"] + ["No."] * 2), rounds=1, lengths=(64,))
