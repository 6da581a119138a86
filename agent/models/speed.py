"""How fast a model reads and writes, at a few lengths of prompt, with and without its cache."""

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import HumanMessage

from agent.errors import AgentError
from graphs.executive import EndPart, Executive, Prompt, TextPart, ThoughtPart, Wish

LENGTHS = (128, 512, 2_048, 8_192)
"""Tokens of a prompt, as far as the context holds them."""
ANSWER_TOKENS = 64
_LEAST_TOKENS = 8
"""A shorter answer tells nothing of how fast it was written."""

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Timed:
    """One answer."""

    prompt_tokens: int
    cached_tokens: int
    answer_tokens: int
    first_s: float
    """To the first sign of the answer."""
    writing_s: float
    """From there to its end."""

    @property
    def prompt_per_s(self) -> float | None:
        """Tokens evaluated in a second; None where the cache left none to speak of."""
        fresh = self.prompt_tokens - self.cached_tokens
        return fresh / self.first_s if fresh > self.cached_tokens and self.first_s else None

    @property
    def answer_per_s(self) -> float | None:
        """Tokens written in a second; None for an answer too short to tell."""
        if self.answer_tokens < _LEAST_TOKENS or not self.writing_s:
            return None
        return (self.answer_tokens - 1) / self.writing_s


@dataclass(kw_only=True, slots=True)
class Length:
    """All rounds at one length."""

    tokens: int
    fresh: list[Timed] = field(default_factory=list)
    cached: list[Timed] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return medians."""
        return {
            "prompt_tokens": int(statistics.median(one.prompt_tokens for one in self.fresh)),
            "rounds": len(self.fresh),
            "prompt_per_s": _median(one.prompt_per_s for one in self.fresh),
            "answer_per_s": _median(one.answer_per_s for one in (*self.fresh, *self.cached)),
            "first_token_s": _median(one.first_s for one in self.fresh),
            "first_token_cached_s": _median(one.first_s for one in self.cached),
            "cached_tokens": _median(one.cached_tokens for one in self.cached),
        }


def _median(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return round(statistics.median(known), 4) if known else None


async def measure(
    executive: Executive,
    *,
    rounds: int,
    lengths: tuple[int, ...] = LENGTHS,
    tell: Tell = lambda _: None,
    until: float | None = None,
) -> dict[str, Any]:
    """Time answers; each round begins with words that no cache knows, and is asked twice.

    What is not timed by `until`, on the monotonic clock, is left out. Raises TimeoutError if that
    is all, AgentError if no answer could be timed, and ExecutiveError.
    """
    began = time.monotonic()
    await _timed(executive, _prompt(0, "warm up"), max_tokens=1)
    loading_s = time.monotonic() - began
    sizes = [Length(tokens=size) for size in fitting(executive, lengths)]
    unit = await _tokens_of_a_line(executive)
    for number, size in [(number, size) for number in range(rounds) for size in sizes]:
        tell(f"{size.tokens} tokens, round {number + 1} of {rounds}")
        prompt = _prompt(max(1, int(size.tokens / unit)), f"{time.time_ns()} {number}")
        try:
            async with asyncio.timeout(None if until is None else until - time.monotonic()):
                size.fresh.append(await _timed(executive, prompt))
                size.cached.append(await _timed(executive, prompt))
        except TimeoutError:
            if not sizes[0].fresh:
                raise
            break
    figures = [size.to_json() for size in sizes if size.fresh]
    if all(one["answer_per_s"] is None for one in figures):
        raise AgentError(
            f"{executive.profile.name} wrote no answer of {_LEAST_TOKENS} tokens, so its speed "
            "cannot be told. Ask it something with `cortical ask` to see what it says."
        )
    return {
        "model": executive.profile.name,
        "digest": executive.profile.digest,
        "context_tokens": executive.profile.context_tokens,
        "first_call_s": round(loading_s, 3),
        "rounds": rounds,
        "lengths": figures,
    }


def fitting(executive: Executive, lengths: tuple[int, ...]) -> list[int]:
    """Return the lengths that the context holds beside an answer, at least one."""
    room = executive.profile.context_tokens - ANSWER_TOKENS - 64
    # A bound on the tokens of a prompt may be half as much again as what they are.
    fits = [size for size in lengths if size * 1.5 < room]
    return fits or [room // 2]


async def _tokens_of_a_line(executive: Executive) -> float:
    wish = Wish(max_tokens=1)
    short, long = [(await executive.count(_prompt(n, "x"), wish)).tokens for n in (0, 40)]
    return (long - short) / 40


def _prompt(lines: int, beginning: str) -> Prompt:
    """Return a prompt whose length is that of so many lines."""
    text = "\n".join(
        f"On day {number} the {('north', 'south', 'west')[number % 3]} gate was opened at dawn."
        for number in range(lines)
    )
    return Prompt(
        system=f"Log {beginning}. You are a storyteller.",
        messages=(HumanMessage(f"{text}\nTell a long story about a lighthouse keeper."),),
    )


async def _timed(executive: Executive, prompt: Prompt, max_tokens: int = ANSWER_TOKENS) -> Timed:
    began = time.monotonic()
    first: float | None = None
    end: EndPart | None = None
    async with aclosing(executive.stream(prompt, Wish(max_tokens=max_tokens))) as parts:
        async for part in parts:
            if first is None and isinstance(part, TextPart | ThoughtPart):
                first = time.monotonic()
            if isinstance(part, EndPart):
                end = part
    done = time.monotonic()
    assert end is not None, "a stream that ends well ends with an EndPart"
    return Timed(
        prompt_tokens=end.prompt_tokens,
        cached_tokens=end.cached_tokens,
        answer_tokens=end.answer_tokens,
        first_s=(first or done) - began,
        writing_s=done - (first or done),
    )


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Write the figures for a person: medians of the rounds."""
    yield f"{report['model']}, context {report['context_tokens']} tokens"
    yield f"first call, with loading: {report['first_call_s']:.2f} s"
    yield "prompt tokens   read/s   written/s   first token   the same, cached"
    for one in report["lengths"]:
        yield (
            f"{one['prompt_tokens']:>13} {_figure(one['prompt_per_s'], '.0f'):>8} "
            f"{_figure(one['answer_per_s'], '.1f'):>11} "
            f"{_figure(one['first_token_s'], '.2f', ' s'):>13} "
            f"{_figure(one['first_token_cached_s'], '.2f', ' s'):>18}"
        )
    yield f"medians of {report['rounds']} rounds"


def _figure(value: float | None, form: str, unit: str = "") -> str:
    return "–" if value is None else f"{value:{form}}{unit}"
