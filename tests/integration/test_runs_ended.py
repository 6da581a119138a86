"""Runs that are ended, watched and taken up by others than who began them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from agent import registry
from agent.clock import SystemClock
from agent.errors import UsageError
from agent.migrate import migrate
from agent.recorder import Watch
from agent.testing_runs import THREAD, Held, Walk, database, reached, silent, turns_of, walked
from agent.turns import Turns
from memory.database import Pool
from memory.runs import Run, RunRegistry, RunStatus
from memory.threads import Threads


@pytest.fixture
async def dsn(dsn: str) -> str:
    """A database of the test's own, with the checkpointer's tables."""
    await migrate(dsn)
    return dsn


async def stopped(turns: Turns, held: Held) -> Run:
    """Stop a run where it is held, as Ctrl-C does."""
    run = asyncio.create_task(walked(turns))
    await reached(held, run)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    (paused,) = await turns.registry.newest()
    assert paused.status is RunStatus.PAUSED
    return paused


async def test_a_run_is_ended_from_elsewhere_while_it_works(pool: Pool, dsn: str) -> None:
    held = Held()
    walk = Walk(left=held)
    turns = turns_of(pool, walk=walk.build)
    run = asyncio.create_task(walked(turns))
    await reached(held, run)
    (working,) = await turns.registry.newest()
    told = await registry.cancel(database(dsn), working.run_id[:8])
    assert told["status"] == "cancelled"
    outcome = await run
    assert outcome.run.status is RunStatus.CANCELLED
    assert "last" not in walk.entered
    assert outcome.output["trail"] == ["first", "right"], "what was finished is handed out"

    again = await walked(turns, "y")
    assert again.run.status is RunStatus.DONE
    assert again.run.run_id != working.run_id
    with pytest.raises(UsageError, match="has ended already: it is cancelled"):
        await registry.cancel(database(dsn), working.run_id)
    with pytest.raises(UsageError, match=r"has ended \(cancelled\)"):
        await turns.take_up(working, watch=silent)


async def test_a_run_that_nobody_works_on_is_ended_at_once(pool: Pool, dsn: str) -> None:
    held = Held()
    paused = await stopped(turns_of(pool, walk=Walk(left=held).build), held)
    assert (await registry.cancel(database(dsn), paused.run_id))["status"] == "cancelled"


async def test_a_run_told_to_end_whose_process_was_killed_is_not_gone_on_with(pool: Pool) -> None:
    held = Held()
    walk = Walk(left=held)
    turns = turns_of(pool, walk=walk.build)
    left = await stopped(turns, held)
    await turns.registry.ask_to_cancel(left.run_id, now=SystemClock().now())
    entered = len(walk.entered)
    outcome = await walked(turns, "y")
    assert outcome.run.run_id != left.run_id
    assert sorted(walk.entered[entered:]) == ["first", "last", "left", "right"]
    ended = await turns.registry.get(left.run_id)
    assert ended is not None
    assert ended.status is RunStatus.CANCELLED


async def test_a_run_that_is_done_cannot_be_told_to_end(pool: Pool) -> None:
    turns = turns_of(pool, walk=Walk().build)
    done = await walked(turns)
    assert not await turns.registry.ask_to_cancel(done.run.run_id, now=SystemClock().now())


async def test_a_stopped_run_is_taken_up_by_its_id(pool: Pool) -> None:
    held = Held()
    walk = Walk(left=held)
    turns = turns_of(pool, walk=walk.build)
    paused = await stopped(turns, held)
    outcome = await turns.take_up(paused, watch=silent)
    assert (outcome.run.run_id, outcome.run.status) == (paused.run_id, RunStatus.DONE)
    assert walk.entered.count("first") == 1


async def test_a_run_whose_thread_has_gone_on_is_not_taken_up(pool: Pool) -> None:
    async def fails(time: int) -> None:
        if time == 1:
            raise ValueError("once")

    turns = turns_of(pool, walk=Walk(left=fails).build)
    with pytest.raises(ValueError, match="once"):
        await walked(turns)
    (failed,) = await turns.registry.newest()
    await walked(turns, "y")
    with pytest.raises(UsageError, match="has gone on with run"):
        await turns.take_up(failed, watch=silent)


async def test_steps_are_told_as_they_end_until_the_run_ends(pool: Pool, dsn: str) -> None:
    held = Held()
    turns = turns_of(pool, walk=Walk(last=held).build)
    run = asyncio.create_task(walked(turns))
    await reached(held, run)
    (working,) = await turns.registry.newest()
    told: list[str] = []
    three = asyncio.Event()

    def tell(event: dict[str, Any]) -> None:
        told.append(event["node"])
        if len(told) == 3:
            three.set()

    watching = asyncio.create_task(registry.watch(database(dsn), working.run_id, tell=tell))
    async with asyncio.timeout(20):
        await three.wait()
    assert sorted(told) == ["first", "left", "right"]
    assert not watching.done()
    held.go.set()
    await run
    stands = await watching
    assert (told[-1], stands["status"], stands["left"]) == ("last", "done", False)


async def test_who_watches_a_run_that_nobody_works_on_is_told(pool: Pool, dsn: str) -> None:
    turns = turns_of(pool, walk=Walk().build)
    async with Threads(pool).held(THREAD) as fence:
        await turns.registry.accept(
            run_id=str(uuid4()),
            thread_id=THREAD,
            graph="walk",
            input={},
            context={},
            token=fence.token,
            now=SystemClock().now(),
        )
    (accepted,) = await turns.registry.newest()
    stands = await registry.watch(database(dsn), accepted.run_id, tell=silent)
    assert (stands["status"], stands["left"]) == ("accepted", True)


async def test_a_run_told_to_end_is_ended_by_whoever_would_take_it_up(pool: Pool) -> None:
    held = Held()
    turns = turns_of(pool, walk=Walk(left=held).build)
    left = await stopped(turns, held)
    await turns.registry.ask_to_cancel(left.run_id, now=SystemClock().now())
    with pytest.raises(UsageError, match=r"has ended \(cancelled\)"):
        await turns.take_up(left, watch=silent)


async def test_a_run_that_failed_when_it_was_told_to_end_is_begun_anew(pool: Pool) -> None:
    turns = turns_of(pool)
    asked_to: list[str] = []

    async def fails(time: int) -> None:
        if time == 1:
            (run,) = await turns.registry.newest()
            asked_to.append(run.run_id)
            await turns.registry.ask_to_cancel(run.run_id, now=SystemClock().now())
            raise ValueError("at the same moment")

    turns = turns_of(pool, walk=Walk(left=fails).build)
    with pytest.raises(ValueError, match="at the same moment"):
        await walked(turns)
    again = await walked(turns)
    assert again.run.status is RunStatus.DONE
    assert again.run.run_id not in asked_to


async def test_a_run_that_waits_for_the_executive_is_ended_too(pool: Pool, dsn: str) -> None:
    waiting = asyncio.Event()

    @asynccontextmanager
    async def never(_: Watch) -> AsyncIterator[None]:
        waiting.set()
        await asyncio.Event().wait()
        yield

    walk = Walk()
    turns = Turns(
        pool=pool,
        registry=RunRegistry(pool),
        threads=Threads(pool),
        graphs={"walk": walk.build},
        clock=SystemClock(),
        new_id=lambda: str(uuid4()),
        admission=never,
    )
    run = asyncio.create_task(walked(turns))
    await waiting.wait()
    (working,) = await turns.registry.newest()
    assert (await registry.cancel(database(dsn), working.run_id))["status"] == "cancelled"
    assert (await run).run.status is RunStatus.CANCELLED
    assert walk.entered == []
