"""What LangGraph's development server loads, so that Studio runs the same nodes as production.

`langgraph.json` names `assistant`, `checkpointer`, `store` and, by `graph`, what a user adds. A run
that is begun in Studio is written down, holds its thread's fence and ends in the registry like any
other.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any

from langchain_core.runnables import RunnableConfig

from agent import assembly, settings
from agent.recorder import RunRecorder
from graphs.context import FENCE_KEY, TAKEN_UP_KEY
from memory.checkpoints import FencedSaver, Writer
from memory.graph_store import GraphStore
from memory.runs import RunRegistry, RunStatus, RunStep

_writers: dict[str, Writer] = {}
"""Who runs which thread of this server: what its checkpointer holds on to."""

_opened: dict[int, tuple[assembly.Engine, AsyncExitStack]] = {}
# Two runs that begin at once must not open two engines; a pool belongs to the loop that opened it.
_opening = asyncio.Lock()


async def _engine() -> assembly.Engine:
    """Return this server's engine, opened at its first use and kept."""
    loop = id(asyncio.get_running_loop())
    async with _opening:
        if loop not in _opened:
            stack = AsyncExitStack()
            loaded = await asyncio.to_thread(settings.load)
            engine = await stack.enter_async_context(assembly.engine(loaded))
            _opened[loop] = engine, stack
    return _opened[loop][0]


@asynccontextmanager
async def checkpointer() -> AsyncIterator[FencedSaver]:
    """Give the server our checkpoints, so that its threads are those of `cortical ask`."""
    engine = await _engine()
    yield FencedSaver(engine.pool, _writers)


@asynccontextmanager
async def store() -> AsyncIterator[GraphStore]:
    """Give the server our long-term memory, so that its graphs remember what others do."""
    yield (await _engine()).store


def graph(name: str) -> Callable[[RunnableConfig], AbstractAsyncContextManager[Any]]:
    """Make the factory of a graph by its name: `my_graph = studio.graph("my_graph")`."""

    @asynccontextmanager
    async def factory(config: RunnableConfig) -> AsyncIterator[Any]:
        engine = await _engine()
        builder = engine.graphs[name]
        run = config.get("configurable", {})
        if not run.get("__is_for_execution__"):
            yield builder()
            return
        async with _recorded(engine, name, run) as overlay:
            yield builder().compile(name=name).with_config(overlay)

    return factory


@asynccontextmanager
async def _recorded(
    engine: assembly.Engine, name: str, run: dict[str, Any]
) -> AsyncIterator[RunnableConfig]:
    """Write the run down before it begins, hold its thread, and write down how it ended."""
    registry, clock = engine.turns.registry, engine.services.clock
    run_id, thread_id = str(run["run_id"]), str(run["thread_id"])
    async with engine.threads.held(thread_id) as fence:
        await _superseded(registry, thread_id, run_id, fence.token, clock.now())
        await registry.accept(
            run_id=run_id,
            thread_id=thread_id,
            graph=name,
            input={},
            context={"server": "langgraph dev"},
            token=fence.token,
            now=clock.now(),
        )
        await registry.move(run_id, RunStatus.RUNNING, now=clock.now(), token=fence.token)
        writer = _writers[thread_id] = Writer(token=fence.token)

        def note(step: RunStep) -> None:
            writer.riders.append(registry.step(run_id, step))

        async def ended(status: RunStatus, error: str | None) -> None:
            await registry.move(
                run_id,
                status,
                now=clock.now(),
                token=fence.token,
                error=error,
                riders=writer.riders,
            )

        recorder = RunRecorder(note, clock, lambda _: None)
        try:
            facts = {FENCE_KEY: fence.token, TAKEN_UP_KEY: clock.now().isoformat()}
            yield {"callbacks": [recorder], "configurable": facts}
        except BaseException as error:
            status = (
                RunStatus.CANCELLED
                if isinstance(error, asyncio.CancelledError)
                else RunStatus.FAILED
            )
            await asyncio.shield(ended(status, f"{type(error).__name__}: {error}"))
            raise
        else:
            await ended(await _status(engine, name, thread_id), recorder.failed)
        finally:
            del _writers[thread_id]


async def _superseded(
    registry: RunRegistry, thread_id: str, run_id: str, token: int, now: datetime
) -> None:
    """End the run that stands open on the thread: the server goes on with the thread itself."""
    left = await registry.unfinished(thread_id)
    if left is not None and left.run_id != run_id:
        words = f"The development server went on with the thread in run {run_id}."
        await registry.move(left.run_id, RunStatus.CANCELLED, now=now, token=token, error=words)


async def _status(engine: assembly.Engine, name: str, thread_id: str) -> RunStatus:
    """Tell from the thread's checkpoint how a run has ended."""
    compiled = engine.graphs[name]().compile(checkpointer=FencedSaver(engine.pool, {}))
    state = await compiled.aget_state({"configurable": {"thread_id": thread_id}})
    if any(task.interrupts for task in state.tasks):
        return RunStatus.WAITING
    if any(task.error for task in state.tasks):
        return RunStatus.FAILED
    return RunStatus.WAITING if state.next else RunStatus.DONE


assistant = graph("assistant")


def __getattr__(name: str) -> Callable[[RunnableConfig], AbstractAsyncContextManager[Any]]:
    """Give `langgraph.json` the factory of a user's own graph by the name it has in settings."""
    if name.startswith("_"):
        raise AttributeError(name)
    return graph(name)
