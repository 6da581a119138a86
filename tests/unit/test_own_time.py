"""The engine's own time is what a node takes beside the request, and nothing else's."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from agent.bench import own_time
from agent.bench.own_time import Call, Meter, Metered
from agent.errors import AgentError
from agent.testing import ScriptedExecutive
from graphs.executive import Prompt, ReplyPart, Wish

PROMPT = Prompt(system="", messages=())
BEGUN, ENDED = (
    {"event": "node_started", "node": "reason"},
    {"event": "node_ended", "node": "reason"},
)


class Slow(ScriptedExecutive):
    """Computes for a while before it answers."""

    async def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        busy(0.05)
        async with aclosing(super().stream(prompt, wish)) as parts:
            async for part in parts:
                yield part


def busy(seconds: float) -> None:
    """Compute, so that the time is this thread's own."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


async def call(meter: Meter, *, replies: int = 1, before: float = 0.0, after: float = 0.0) -> Call:
    executive = Metered(Slow(["So."] * replies), meter)
    meter.event(BEGUN)
    busy(before)
    for _ in range(replies):
        async with aclosing(executive.stream(PROMPT, Wish())) as parts:
            async for _part in parts:
                pass
    busy(after)
    meter.event(ENDED)
    return meter.calls[-1]


async def test_the_request_is_not_the_engines_own_time() -> None:
    one = await call(Meter())
    assert one.request >= 0.05
    assert one.processor < 0.03


async def test_what_is_done_before_and_behind_it_is() -> None:
    one = await call(Meter(), before=0.03, after=0.02)
    assert one.before >= 0.03
    assert one.after >= 0.02
    assert 0.05 <= one.processor < 0.08


async def test_what_is_done_between_two_requests_of_one_node_counts_once() -> None:
    one = await call(Meter(), replies=2, before=0.02)
    assert one.request >= 0.1
    assert one.before + one.after >= 0.02
    assert 0.02 <= one.processor < 0.05


async def test_other_nodes_and_nodes_that_ask_nothing_are_no_calls() -> None:
    meter = Meter()
    meter.event({"event": "node_started", "node": "act"})
    meter.event({"event": "node_ended", "node": "act"})
    meter.event(BEGUN)
    meter.event(ENDED)
    assert meter.calls == []
    with pytest.raises(AgentError, match="void"):
        own_time.figures(meter.calls)


async def test_what_is_fetched_after_the_node_is_not_the_calls() -> None:
    meter = Meter()
    one = await call(meter)
    meter.fetched(1.0)
    assert one.fetching == 0.0


def test_the_larger_half_is_told_apart() -> None:
    calls = [Call(before=0.001, prompt_tokens=100), Call(before=0.004, prompt_tokens=9_000)]
    told = own_time.figures(calls)
    assert told["usual"]["own_ms"]["p50"] == 1.0
    assert (told["large"]["own_ms"]["p50"], told["large"]["prompt_tokens"]) == (4.0, 9_000)
