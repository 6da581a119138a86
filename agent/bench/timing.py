"""How long things take: many of them one after the other, or by several clients at once."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


async def timed(
    ask: Callable[[Item], Awaitable[Answer]], items: Sequence[Item], *, clients: int = 1
) -> tuple[list[Answer], list[float]]:
    """Ask everything, so many at a time; return the answers and the seconds each took."""
    answers: dict[int, Answer] = {}
    seconds: dict[int, float] = {}
    left = iter(enumerate(items))

    async def client() -> None:
        for number, item in left:
            began = time.perf_counter()
            answers[number] = await ask(item)
            seconds[number] = time.perf_counter() - began

    await asyncio.gather(*(client() for _ in range(clients)))
    return [answers[number] for number in sorted(answers)], list(seconds.values())


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return the median and the 95th percentile in milliseconds."""
    return {
        "p50": round(1e3 * percentile(seconds, 0.5), 2),
        "p95": round(1e3 * percentile(seconds, 0.95), 2),
    }


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1]
