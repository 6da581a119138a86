"""Valid and right calls of the embedded model: bound to the tools' schema, and as a bare chat."""

import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from agent.bench.calls.asking import TOKENS, Called, bare, bound
from agent.bench.calls.requests import Request, generated
from agent.bench.calls.tools import TOOLS
from agent.errors import AgentError
from agent.executives.llamacpp.executive import LlamaCppExecutive
from graphs.executive import Executive
from tools.registry import Toolbox

Watch = Callable[[dict[str, Any]], None]


class Way(Protocol):
    """Has a model make a call."""

    def __call__(
        self, executive: Executive, box: Toolbox, text: str, /, *, max_tokens: int
    ) -> Awaitable[Called]:
        """Return what came of a request."""
        ...


WAYS: Mapping[str, Way] = {"engine": bound, "bare chat": bare}


@dataclass(kw_only=True, slots=True)
class Score:
    """What one way came to."""

    requests: int = 0
    valid: int = 0
    tool: int = 0
    """Valid calls of the right tool."""
    right: int = 0
    """Valid calls of the right tool with the right arguments."""
    asked: int = 0
    seconds: float = 0.0
    by_tool: dict[str, list[int]] = field(default_factory=dict)
    """Of each tool: requests, right tool, right arguments too."""

    def add(self, request: Request, called: Called, expected: Mapping[str, Any]) -> None:
        """Count one request."""
        tool = called.valid and called.tool == request.tool
        right = (
            tool
            and called.arguments is not None
            and same(called.arguments.model_dump(mode="json"), expected)
        )
        self.requests += 1
        self.valid += called.valid
        self.tool += tool
        self.right += right
        self.asked += called.asked
        row = self.by_tool.setdefault(request.tool, [0, 0, 0])
        for index, one in enumerate((True, tool, right)):
            row[index] += one

    def told(self) -> dict[str, Any]:
        """Return the shares with their intervals."""
        shares = {"valid": self.valid, "right_tool": self.tool, "right_call": self.right}
        return {
            "requests": self.requests,
            **{name: share(count, self.requests) for name, count in shares.items()},
            "asked_per_request": self.asked / self.requests,
            "seconds_per_request": self.seconds / self.requests,
            "by_tool": self.by_tool,
        }


def same(one: Any, other: Any) -> bool:
    """Whether two arguments are the same, but for the case and the final point of words."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return set(one) == set(other) and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, str) and isinstance(other, str):
        return _plain(one) == _plain(other)
    return type(one) is type(other) and bool(one == other)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .!?\"'")


def share(count: int, of: int) -> dict[str, float]:
    """Return a share with Wilson's 95 % interval."""
    z, part = 1.96, count / of
    middle = (part + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(part * (1 - part) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    low = 0.0 if count == 0 else middle - half
    high = 1.0 if count == of else middle + half
    return {"count": count, "share": part, "low": low, "high": high}


async def measure(
    *, requests: int, seed: int, watch: Watch, max_tokens: int = TOKENS
) -> dict[str, Any]:
    """Ask the embedded model for so many calls in both ways."""
    asked = generated(requests, seed=seed)
    async with _embedded() as executive:
        scores = await scored(executive, asked, watch=watch, max_tokens=max_tokens)
    return {
        "model": executive.profile.name,
        "tools": len(TOOLS),
        "seed": seed,
        "tokens": max_tokens,
        **{name: score.told() for name, score in scores.items()},
    }


@asynccontextmanager
async def _embedded() -> AsyncIterator[LlamaCppExecutive]:
    executive = LlamaCppExecutive.embedded()
    try:
        yield executive
    finally:
        await executive.aclose()


async def scored(
    executive: Executive, asked: list[Request], *, watch: Watch, max_tokens: int = TOKENS
) -> dict[str, Score]:
    """Put each request in each way and count. Raises AgentError if nothing was put."""
    if not asked:
        raise AgentError("The benchmark is void: no request was made.")
    box = Toolbox(TOOLS)
    expected = [
        box.validate(one.tool, dict(one.arguments)).arguments.model_dump(mode="json")
        for one in asked
    ]
    scores = {name: Score() for name in WAYS}
    for name, way in WAYS.items():
        began = time.perf_counter()
        for number, (request, right) in enumerate(zip(asked, expected, strict=True), start=1):
            called = await way(executive, box, request.text, max_tokens=max_tokens)
            scores[name].add(request, called, right)
            watch({"event": "measuring", "text": f"{name}: {number} of {len(asked)} requests"})
        scores[name].seconds = time.perf_counter() - began
    return scores


def lines(report: dict[str, Any]) -> Iterator[str]:
    """Write the figures as a table."""
    yield (
        f"{report['engine']['requests']} requests over {report['tools']} tools, {report['model']}, "
        f"seed {report['seed']}; share and 95 % interval:"
    )
    yield f"  {'':<10} {'valid call':>22} {'right tool':>22} {'right arguments too':>22}"
    for name in WAYS:
        one = report[name]
        shares = " ".join(
            f"{_shown(one[key]):>22}" for key in ("valid", "right_tool", "right_call")
        )
        yield f"  {name:<10} {shares}"
    yield "right tool, and right arguments too, by tool (engine; bare chat):"
    for tool, row in report["engine"]["by_tool"].items():
        other = report["bare chat"]["by_tool"][tool]
        yield (
            f"  {tool:<14} {row[1]:>3} {row[2]:>3} of {row[0]:<3}; "
            f"{other[1]:>3} {other[2]:>3} of {other[0]}"
        )
    for name in WAYS:
        one = report[name]
        yield (
            f"{name}: asked {one['asked_per_request']:.2f} times a request, "
            f"{one['seconds_per_request']:.2f} s a request"
        )


def _shown(one: Mapping[str, float]) -> str:
    return f"{100 * one['share']:.1f} % ({100 * one['low']:.1f} to {100 * one['high']:.1f})"
