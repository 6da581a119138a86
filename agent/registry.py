"""The registry of runs, told as plain values."""

from typing import Any

from agent import assembly
from agent.errors import UsageError
from agent.settings import Settings
from memory.runs import Run, RunRegistry, RunStep


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
        found = await registry.find(beginning)
        if len(found) != 1:
            word = "No run's" if not found else "More than one run's"
            raise UsageError(f"{word} id begins with {beginning!r}. `cortical runs list` has them.")
        return {
            **_told(found[0]),
            "route": [_step(step) for step in await registry.steps(found[0].run_id)],
        }


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
        "prompt_tokens": run.prompt_tokens,
        "answer_tokens": run.answer_tokens,
        "created_at": run.created_at.isoformat(),
        "started_at": None if run.started_at is None else run.started_at.isoformat(),
        "ended_at": None if run.ended_at is None else run.ended_at.isoformat(),
    }


def _step(step: RunStep) -> dict[str, Any]:
    return {
        "node": step.node,
        "started_at": step.started_at.isoformat(),
        "seconds": round(step.seconds, 4),
        "error": step.error,
    }
