"""One of the programs that ask: `python -m agent.bench.arbiter.program`, told on standard input.

Prints the seconds from each ask to its grant, as one JSON list.
"""

import asyncio
import json
import sys
import time
from typing import Any

from agent.residency.arbiter.events import Choice
from agent.residency.client import ArbiterClient
from agent.residency.process.config import ArbiterConfig

MIB = 1 << 20
WEIGHTS_BYTES, WORKING_BYTES = 256 * MIB, 64 * MIB


async def main(told: dict[str, Any]) -> list[float]:
    """Ask, hold, give back and pause; the first ask, which loads, is not counted."""
    config = ArbiterConfig.read(told["config"])
    choice = Choice(
        variant=f"variant-{told['number']}",
        weights_bytes=WEIGHTS_BYTES,
        working_bytes=WORKING_BYTES,
    )
    waits = []
    async with ArbiterClient(config.files, None) as client:
        async with client.lease([choice]):
            pass
        for _ in range(told["asks"]):
            asked = time.perf_counter()
            async with client.lease([choice]) as grant:
                waits.append(time.perf_counter() - asked)
                assert grant.place == "cuda", "it is resident, and there is room"
                await asyncio.sleep(told["hold_s"])
            await asyncio.sleep(told["pause_s"])
    return waits


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(json.load(sys.stdin)))))  # noqa: T201 - a program of its own
