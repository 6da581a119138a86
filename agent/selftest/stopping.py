"""Stopping: how soon an answer ends when nobody listens any more, and the model is free again."""

import statistics
import time
from contextlib import aclosing

from langchain_core.messages import HumanMessage

from agent.selftest.section import Box, Section, each
from graphs.executive import Executive, Prompt, TextPart, ThoughtPart, Wish

ROUNDS = 3
_PIECES = 8
"""Of the answer before it is stopped."""
_LEAST_S = 0.25
"""A shorter wait is none to a person."""


async def section(executive: Executive, box: Box) -> Section:
    """Stop a long answer, and ask for a short one at once."""
    found = Section(name="stop", planned=ROUNDS)
    found.figures = {"stopped_at_once": 0, "freed_at_once": 0}
    alone_s = await short(executive)
    stops: list[float] = []
    waits: list[float] = []

    async def stopped(number: int) -> tuple[float, float, float]:
        token_s, stopped_s = await _stopped(executive, number)
        return token_s, stopped_s, await short(executive)

    async for _, times in each(found, box, range(ROUNDS), stopped):
        if times is None:
            continue
        token_s, stopped_s, next_s = times
        stops.append(stopped_s)
        waits.append(next_s)
        found.count("stopped_at_once", int(stopped_s <= max(_LEAST_S, 2 * token_s)))
        found.count("freed_at_once", int(next_s <= alone_s * 2 + max(_LEAST_S, 2 * token_s)))
    if stops:
        found.figures["stopped_s"] = round(statistics.median(stops), 4)
        found.figures["next_answer_s"] = round(statistics.median(waits), 4)
        found.told = [
            f"of {found.done} answers, {found.figures['stopped_at_once']} stopped within a token "
            f"(median {found.figures['stopped_s']:.3f} s); the next began to be answered after "
            f"{found.figures['next_answer_s']:.2f} s, {alone_s:.2f} s with nothing before it"
        ]
    return found


async def _stopped(executive: Executive, number: int) -> tuple[float, float]:
    """Return the time of a token, and that from the stop until nothing came any more."""
    prompt = Prompt(
        system="You tell stories.",
        messages=(HumanMessage(f"Tell the long story of ship number {number + 1}."),),
    )
    times: list[float] = []
    async with aclosing(executive.stream(prompt, Wish(max_tokens=400))) as parts:
        async for part in parts:
            if isinstance(part, TextPart | ThoughtPart):
                times.append(time.monotonic())
            if len(times) >= _PIECES:
                break
        began = time.monotonic()
    token_s = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 0.0
    return token_s, time.monotonic() - began


async def short(executive: Executive) -> float:
    """Return the time of an answer of a token or two."""
    began = time.monotonic()
    prompt = Prompt(system="You answer briefly.", messages=(HumanMessage("Say yes."),))
    async with aclosing(executive.stream(prompt, Wish(max_tokens=2))) as parts:
        async for _ in parts:
            pass
    return time.monotonic() - began
