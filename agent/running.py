"""A run of any graph, told as plain values."""

import json
import uuid
from typing import Any

from agent import assembly, registry
from agent.errors import UsageError
from agent.recorder import Watch
from agent.settings import Settings
from agent.turns import Outcome


async def run(
    settings: Settings, graph: str, values: str, *, thread_id: str | None, watch: Watch
) -> dict[str, Any]:
    """Run a graph with an input given as a JSON object."""
    try:
        given = json.loads(values)
    except json.JSONDecodeError as error:
        raise UsageError(f"The input is not JSON: {error}. Put it in single quotes.") from error
    if not isinstance(given, dict):
        raise UsageError(f"The input has to be a JSON object, not {values[:40]!r}.")
    async with assembly.engine(settings, watch=watch) as engine:
        outcome = await engine.turns.run(
            graph, thread_id=thread_id or str(uuid.uuid4()), values=given, watch=watch
        )
    return _told(outcome)


async def take_up(settings: Settings, beginning: str, *, watch: Watch) -> dict[str, Any]:
    """Go on with a run that was stopped, that failed, or that a killed process left."""
    async with assembly.engine(settings, watch=watch) as engine:
        run = await registry.found(engine.turns.registry, beginning)
        outcome = await engine.turns.take_up(run, watch=watch)
    return _told(outcome)


def _told(outcome: Outcome) -> dict[str, Any]:
    return {
        "output": outcome.output,
        "route": [
            {"node": step.node, "seconds": round(step.seconds, 4), "error": step.error}
            for step in outcome.steps
        ],
        "thread_id": outcome.run.thread_id,
        "run_id": outcome.run.run_id,
        "status": outcome.run.status,
        "waiting": [pending.payload for pending in outcome.pending],
        "continued": outcome.continued,
    }
