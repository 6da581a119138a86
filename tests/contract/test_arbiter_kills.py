"""Arbiter and programs are killed at random moments; every trace proves that nothing broke."""

import asyncio
import json
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from agent.residency import check
from agent.residency.arbiter.events import WhilePaused
from agent.residency.client import ArbiterClient
from agent.residency.errors import UnreachableError
from agent.residency.testing import OwnArbiter, own_arbiter, until

PROGRAM = """
import asyncio, json, random, sys
from pathlib import Path
from agent.residency.arbiter.events import Choice, Priority
from agent.residency.client import ArbiterClient
from agent.residency.client import ArbiterClient
from agent.residency.errors import LeaseLostError, LeaseRefusedError
from agent.residency.process.config import ArbiterConfig

GIB = 1 << 30

async def main():
    config, number = ArbiterConfig.read(sys.argv[1]), int(sys.argv[2])
    rng = random.Random(number)
    kinds = [
        Choice(variant=f"v{n}", weights_bytes=(1 + n) * GIB, working_bytes=GIB // 2)
        for n in range(4)
    ]
    cpu = Choice(variant=f"cpu@{number}", place="cpu")
    told = {"served": 0, "lost": 0, "refused": 0}
    async with ArbiterClient(config.files, config) as client:
        for _ in range(int(sys.argv[3])):
            wishes = [rng.choice(kinds)] + ([cpu] if rng.random() < 0.7 else [])
            try:
                if rng.random() < 0.15:
                    async with client.turn(deadline_s=20):
                        await asyncio.sleep(rng.random() * 0.05)
                async with client.lease(
                    wishes,
                    priority=rng.choice(list(Priority)),
                    deadline_s=rng.choice([None, 30, 5]),
                    limit_s=rng.choice([None, 5, 0.05]),
                ):
                    await asyncio.sleep(rng.random() * 0.05)
                told["served"] += 1
            except LeaseLostError:
                told["lost"] += 1
            except LeaseRefusedError:
                told["refused"] += 1
    print(json.dumps(told))

asyncio.run(main())
"""
PROGRAMS, ASKS = 4, 25


async def test_kills_of_anybody_break_no_rule(amount: Callable[[int, int], int]) -> None:
    for seed in range(amount(1, 20)):
        with own_arbiter(regroup_s=0.3) as arbiter:
            told = await _played(arbiter, random.Random(seed), seconds=amount(4, 30))
            assert sum(one["served"] for one in told) > 0, "nobody was served: nothing is proved"
            await arbiter.end(signal.SIGTERM)
            reports = arbiter.traces()
            assert [one.violations for one in reports] == [()] * len(reports), seed
            assert reports[-1].verdict is check.Verdict.PROVED


async def _played(arbiter: OwnArbiter, rng: random.Random, *, seconds: float) -> list[Any]:
    """Kill for a while, then let all who are left come to their end; return what they tell."""
    running: list[asyncio.subprocess.Process] = []

    async def begin() -> None:
        command = [sys.executable, "-c", PROGRAM, arbiter.config.text()]
        more = [str(len(running)), str(ASKS)]
        running.append(
            await asyncio.create_subprocess_exec(*command, *more, stdout=asyncio.subprocess.PIPE)
        )

    for _ in range(PROGRAMS):
        await begin()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.sleep(rng.random())
        with suppress(UnreachableError, ProcessLookupError):
            await _disturbed(arbiter, rng, running)
        if len([one for one in running if one.returncode is None]) < PROGRAMS:
            await begin()
    async with arbiter.client() as client:
        await client.resume()
        heard = await asyncio.gather(*(one.communicate() for one in running))
        await until(lambda: _nothing_is_out(client))
    return [json.loads(out) for out, _ in heard if out]


async def _nothing_is_out(client: ArbiterClient) -> bool:
    told = await client.status()
    return not (told["leases"] or told["waiting"] or told["turns"])


async def _disturbed(
    arbiter: OwnArbiter, rng: random.Random, running: list[asyncio.subprocess.Process]
) -> None:
    what = rng.random()
    if what < 0.35:
        await arbiter.end(rng.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
    elif what < 0.8:
        rng.choice(running).kill()
    else:
        async with arbiter.client() as client:
            await client.pause(rng.choice(list(WhilePaused)))
            await asyncio.sleep(0.2)
            await client.resume()
