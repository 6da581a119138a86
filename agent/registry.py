"""The registry of runs, told as plain values."""

import asyncio
from typing import Any

from agent import assembly
from agent.clock import SystemClock
from agent.errors import UsageError
from agent.recorder import Watch
from agent.settings import Settings
from memory.runs import ENDED, Run, RunAct, RunRegistry, RunStatus, RunStep
from memory.threads import ThreadBusyError, Threads

LOOK_S = 0.5
PATIENCE_S = 30.0
"""How long a person waits for a runner to end a run; it does so within a step."""


async def newest(settings: Settings, *, thread_id: str | None, limit: int) -> list[dict[str, Any]]:
    """Return the newest runs first."""
    async with assembly.database(settings) as pool:
        return [
            _told(run) for run in await RunRegistry(pool).newest(thread_id=thread_id, limit=limit)
        ]


async def one(settings: Settings, beginning: str) -> dict[str, Any]:
    """Return a run by its id or the beginning of it, with the way it took."""
    async with assembly.database(settings) as pool:
        registry = RunRegistry(pool)
        run = await found(registry, beginning)
        return {
            **_told(run),
            "route": [_step(step) for step in await registry.steps(run.run_id)],
            "acts": [_act(act) for act in await registry.acts(run.run_id)],
        }


async def watch(settings: Settings, beginning: str, *, tell: Watch) -> dict[str, Any]:
    """Tell of each step of a run as it ends, until it ends, waits, or nobody works on it."""
    async with assembly.database(settings) as pool:
        registry, threads = RunRegistry(pool), Threads(pool)
        run = await found(registry, beginning)
        told: set[tuple[str, str]] = set()
        while True:
            # Its state is read before its steps, so that the last of them is not missed.
            run = await _again(registry, run)
            held = await threads.worked_on(run.thread_id)
            for step in await registry.steps(run.run_id):
                if (step.node, step.task_id) not in told:
                    told.add((step.node, step.task_id))
                    tell({"event": "step", **_step(step)})
            left = run.status in (RunStatus.ACCEPTED, RunStatus.RUNNING) and not held
            if left or run.status not in (RunStatus.ACCEPTED, RunStatus.RUNNING):
                return {**_told(run), "left": left}
            await asyncio.sleep(LOOK_S)


async def cancel(settings: Settings, beginning: str) -> dict[str, Any]:
    """End a run, whoever runs it, and wait until it has ended; tell how it then stands."""
    async with assembly.database(settings) as pool:
        registry, threads, clock = RunRegistry(pool), Threads(pool), SystemClock()
        run = await found(registry, beginning)
        if not await registry.ask_to_cancel(run.run_id, now=clock.now()):
            raise UsageError(f"Run {run.run_id} has ended already: it is {run.status}.")
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while run.status not in ENDED and asyncio.get_running_loop().time() < deadline:
            try:
                async with threads.held(run.thread_id) as fence:
                    await registry.move(
                        run.run_id, RunStatus.CANCELLED, now=clock.now(), token=fence.token
                    )
            except ThreadBusyError:
                await asyncio.sleep(LOOK_S)
            run = await _again(registry, run)
        return {**_told(run), "acts": [_act(act) for act in await registry.acts(run.run_id)]}


async def found(registry: RunRegistry, beginning: str) -> Run:
    """Return the run whose id begins so. Raises UsageError unless there is just one."""
    matching = await registry.find(beginning)
    if len(matching) != 1:
        word = "No run's" if not matching else "More than one run's"
        raise UsageError(f"{word} id begins with {beginning!r}. `cortical runs list` has them.")
    return matching[0]


async def _again(registry: RunRegistry, run: Run) -> Run:
    again = await registry.get(run.run_id)
    if again is None:
        raise UsageError(f"Run {run.run_id} is not there any more: its thread was forgotten.")
    return again


def _told(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "thread_id": run.thread_id,
        "graph": run.graph,
        "status": run.status,
        "token": run.token,
        "parent_id": run.parent_id,
        "input": run.input,
        "error": run.error,
        "ended_by": run.ended_by,
        "cancel_asked_at": (
            None if run.cancel_asked_at is None else run.cancel_asked_at.isoformat()
        ),
        "prompt_tokens": run.prompt_tokens,
        "answer_tokens": run.answer_tokens,
        "created_at": run.created_at.isoformat(),
        "started_at": None if run.started_at is None else run.started_at.isoformat(),
        "ended_at": None if run.ended_at is None else run.ended_at.isoformat(),
    }


def _act(act: RunAct) -> dict[str, Any]:
    return {
        "tool": act.tool,
        "target": act.target,
        "state": act.state,
        "intended_at": act.intended_at.isoformat(),
        "ended_at": None if act.ended_at is None else act.ended_at.isoformat(),
    }


def _step(step: RunStep) -> dict[str, Any]:
    return {
        "node": step.node,
        "started_at": step.started_at.isoformat(),
        "seconds": round(step.seconds, 4),
        "error": step.error,
    }
