"""Runs of graphs on threads: begun, continued after a kill, resumed with a person's answer."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import is_invalid_resume
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.store.base import BaseStore
from langgraph.types import Command, StateSnapshot

from agent.errors import UsageError
from agent.recorder import RunRecorder, Watch
from graphs.context import FENCE_KEY, TAKEN_UP_KEY
from memory.characters import storable_json
from memory.checkpoints import FencedSaver, Writer
from memory.database import Pool
from memory.errors import FenceLostError, MemoryStoreError
from memory.runs import ENDED, Run, RunRegistry, RunStatus, RunStep
from memory.threads import Fence, Threads
from tools.base import Clock

LOOK_S = 0.5
"""How often a runner looks whether its run was told to end."""
STEPS_LIMIT = 200
"""Supersteps of one run; LangGraph's own default is 10,007."""

Graph = StateGraph[Any, Any, Any, Any]
Builder = Callable[[], Graph]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """A question that a run waits with."""

    interrupt_id: str
    payload: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a run."""

    run: Run
    output: dict[str, Any]
    """Values of the graph's output channels, as far as it came."""
    pending: tuple[Pending, ...]
    steps: tuple[RunStep, ...]
    continued: bool
    """It had been begun by a process that did not end it."""


class Turns:
    """Runs graphs: one runner a thread, each run written down before its first checkpoint."""

    def __init__(
        self,
        *,
        pool: Pool,
        store: BaseStore | None = None,
        registry: RunRegistry,
        threads: Threads,
        graphs: Mapping[str, Builder],
        clock: Clock,
        new_id: Callable[[], str],
        admission: Callable[[Watch], AbstractAsyncContextManager[object]] = nullcontext,
    ) -> None:
        self._pool = pool
        self._store = store
        self.registry = registry
        self._threads = threads
        self._graphs = graphs
        self._clock = clock
        self._new_id = new_id
        self._admission = admission

    async def run(
        self,
        graph: str,
        *,
        thread_id: str,
        values: dict[str, Any],
        watch: Watch,
    ) -> Outcome:
        """Run a graph with an input on a thread.

        A run that was stopped, or that a killed process left, is brought to its end first; if it
        had the same input, its outcome is the answer. One that waits for a person comes back as it
        is. One that failed is gone on with where the same input is given again: what it had
        finished, acts above all, is not done twice. A run that is cancelled is paused: what it has
        written is kept, and the next call goes on with it.
        """
        self._known(graph)
        wanted = (graph, storable_json(values))
        async with self._threads.held(thread_id) as fence:
            await self._of(graph, thread_id)
            left = await self._left(thread_id, wanted, fence)
            if left is not None:
                outcome = await self._go_on(left, fence, watch)
                if outcome.pending or (left.graph, left.input) == wanted:
                    return outcome
            run_id = self._new_id()
            await self.registry.accept(
                run_id=run_id,
                thread_id=thread_id,
                graph=graph,
                input=values,
                context={},
                token=fence.token,
                now=self._clock.now(),
            )
            return await self._drive(await self._run(run_id), fence, values, watch)

    async def finish(self, graph: str, *, thread_id: str, watch: Watch) -> Outcome:
        """Bring what is unfinished on a graph's thread to its end, or to where it waits."""
        async with self._threads.held(thread_id) as fence:
            await self._of(graph, thread_id)
            left = await self._unfinished(thread_id, fence)
            if left is None:
                raise UsageError(f"Nothing is left to do on thread {thread_id!r}. Ask a question.")
            return await self._go_on(left, fence, watch)

    async def take_up(self, run: Run, *, watch: Watch) -> Outcome:
        """Go on with a run that was stopped, that failed, or that a killed process left.

        Raises UsageError if it has ended otherwise, or its thread has gone on without it.
        """
        self._known(run.graph)
        async with self._threads.held(run.thread_id) as fence:
            run = await self._open(run, fence)
            (newest,) = await self.registry.newest(thread_id=run.thread_id, limit=1)
            if newest.run_id != run.run_id:
                raise UsageError(
                    f"Thread {run.thread_id!r} has gone on with run {newest.run_id}; run "
                    f"{run.run_id} cannot be taken up any more."
                )
            return await self._go_on(run, fence, watch)

    async def _open(self, run: Run, fence: Fence) -> Run:
        """Return a run as it stands now. Raises UsageError if nobody may go on with it."""
        run = await self._run(run.run_id)
        if run.cancel_asked_at is not None and run.status not in ENDED:
            await self._unwanted(run, fence)
            run = await self._run(run.run_id)
        told_to_end = run.cancel_asked_at is not None
        if told_to_end or run.status in (RunStatus.DONE, RunStatus.CANCELLED):
            raise UsageError(f"Run {run.run_id} has ended ({run.status}). Begin another.")
        return run

    async def _unwanted(self, run: Run, fence: Fence) -> None:
        await self.registry.move(
            run.run_id, RunStatus.CANCELLED, now=self._clock.now(), token=fence.token
        )

    async def resume(self, run: Run, answers: Mapping[str, Any], *, watch: Watch) -> Outcome:
        """Go on with a run that waits, handing over answers by interrupt id.

        An answer of the wrong shape raises pydantic's ValidationError; nothing is saved then, and
        the question stays open. An answer to a question that is not open is a `UsageError`.
        """
        async with self._threads.held(run.thread_id) as fence:
            run = await self._open(run, fence)
            graph = self._compiled(run, Writer(token=fence.token))
            state = await graph.aget_state(self._config(run, fence, []))
            if not answers or answers.keys() - {one.interrupt_id for one in _pending(state)}:
                raise UsageError(
                    f"Run {run.run_id} does not wait for this answer: it was given before, or the "
                    "thread has gone on. Look with `cortical runs show`."
                )
            return await self._drive(run, fence, Command(resume=dict(answers)), watch)

    async def interrupt(
        self,
        graph: str,
        *,
        thread_id: str,
        values: dict[str, Any],
        amend: Callable[[Mapping[str, Any], str], dict[str, Any]],
        node: str,
    ) -> None:
        """End the newest run of a thread where a person broke in, if it has this input.

        `amend` makes of its state and its id the update that is written instead of what was still
        to come, as if `node`, its graph's last one, had given it. What had ended is amended alike.
        """
        async with self._threads.held(thread_id) as fence:
            newest = await self.registry.newest(thread_id=thread_id, limit=1)
            for run in newest:
                if (run.graph, run.input) == (graph, storable_json(values)):
                    await self._interrupted(run, fence, amend, node)

    async def _interrupted(
        self,
        run: Run,
        fence: Fence,
        amend: Callable[[Mapping[str, Any], str], dict[str, Any]],
        node: str,
    ) -> None:
        """Write the update and the run's end, both or neither."""
        writer = Writer(token=fence.token)
        moved = self.registry.cancelled(run.run_id, now=self._clock.now(), token=fence.token)
        graph, config = self._compiled(run, writer), self._config(run, fence, [])
        state = await graph.aget_state(config)
        if (state.metadata or {}).get("run_id") != run.run_id:
            # It was stopped before its first checkpoint: the state is that of an earlier turn.
            await self.registry.move(
                run.run_id, RunStatus.CANCELLED, now=self._clock.now(), token=fence.token
            )
            return
        writer.riders.append(moved)
        await graph.aupdate_state(config, amend(state.values, run.run_id), as_node=node)

    async def _of(self, graph: str, thread_id: str) -> None:
        """Raise UsageError if a thread is another graph's: its state has another shape."""
        for last in await self.registry.newest(thread_id=thread_id, limit=1):
            if last.graph != graph:
                raise UsageError(
                    f"Thread {thread_id!r} is one of the graph {last.graph!r}, not of {graph!r}. "
                    f"Take another thread, or go on with `cortical run {last.graph} --thread "
                    f"{thread_id}`."
                )

    async def _unfinished(self, thread_id: str, fence: Fence) -> Run | None:
        """Return the run of a thread that has not ended; those that were told to end do so now."""
        while (run := await self.registry.unfinished(thread_id)) is not None:
            if run.cancel_asked_at is None:
                return run
            await self._unwanted(run, fence)
        return None

    async def _left(self, thread_id: str, wanted: tuple[str, Any], fence: Fence) -> Run | None:
        """Return the run that has to be gone on with before anything new."""
        unfinished = await self._unfinished(thread_id, fence)
        if unfinished is not None:
            return unfinished
        last = await self.registry.newest(thread_id=thread_id, limit=1)
        for run in last:
            failed = run.status is RunStatus.FAILED and run.cancel_asked_at is None
            if failed and (run.graph, run.input) == wanted:
                return run
        return None

    async def _go_on(self, run: Run, fence: Fence, watch: Watch) -> Outcome:
        graph = self._compiled(run, Writer(token=fence.token))
        state = await graph.aget_state(self._config(run, fence, []))
        if _pending(state):
            return await self._outcome(run, state, graph, continued=True)
        watch({"event": "continuing", "run_id": run.run_id})
        taken = (state.metadata or {}).get("run_id") == run.run_id
        return await self._drive(run, fence, None if taken else run.input, watch, continued=True)

    async def _drive(
        self,
        run: Run,
        fence: Fence,
        given: Any,
        watch: Watch,
        *,
        continued: bool = False,
    ) -> Outcome:
        begun = await self.registry.move(
            run.run_id, RunStatus.RUNNING, now=self._clock.now(), token=fence.token
        )
        assert begun, "who holds the thread has looked how the run stands"
        writer = Writer(token=fence.token)
        graph = self._compiled(run, writer)

        def note(step: RunStep) -> None:
            writer.riders.append(self.registry.step(run.run_id, step))

        config = self._config(run, fence, [RunRecorder(note, self._clock, watch)])
        cost = Cost()
        try:
            await self._unless_cancelled(run, self._admitted(graph, given, config, cost, watch))
            state = await graph.aget_state(config)
        except FenceLostError:
            raise
        except _CancelledByPersonError:
            await self._ended(run, RunStatus.CANCELLED, Writer(token=fence.token), cost, None)
            watch({"event": "cancelled", "graph": run.graph, "thread_id": run.thread_id})
            state = await graph.aget_state(config)
            return await self._outcome(run, state, graph, continued=continued)
        except asyncio.CancelledError:
            # What nodes were stopped in rides along with their own writes, or is done again.
            await self._ended(run, RunStatus.PAUSED, Writer(token=fence.token), cost, None)
            watch({"event": "paused", "graph": run.graph, "thread_id": run.thread_id})
            raise
        except Exception as error:
            # What is raised over a wrong answer leaves the question open.
            if is_invalid_resume(error):
                await self._ended(run, RunStatus.WAITING, writer, cost, None)
                raise
            words = f"{type(error).__name__}: {error}"
            await self._ended(run, RunStatus.FAILED, writer, cost, words)
            raise
        waiting = bool(_pending(state)) or bool(state.next) or bool(state.tasks)
        status = RunStatus.WAITING if waiting else RunStatus.DONE
        await self._ended(run, status, writer, cost, None, ended_by=_ended_by(state))
        return await self._outcome(run, state, graph, continued=continued)

    async def _admitted(
        self,
        graph: CompiledStateGraph[Any, Any, Any, Any],
        given: Any,
        config: RunnableConfig,
        cost: "Cost",
        watch: Watch,
    ) -> None:
        """Wait for the executive, then run to the end or the next question."""
        async with self._admission(watch):
            await _streamed(graph, given, config, cost, watch)

    async def _unless_cancelled(self, run: Run, work: Coroutine[Any, Any, None]) -> None:
        """Work to the end, unless the run is told to end meanwhile.

        Raises _CancelledByPersonError then, once what was in progress has stopped.
        """
        working = asyncio.ensure_future(work)
        asked = asyncio.create_task(self._cancel_asked(run.run_id))
        try:
            await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                await _stopped(working)
            if working.cancelled():
                raise _CancelledByPersonError
            await working
        finally:
            asked.cancel()
            await _stopped(working)

    async def _cancel_asked(self, run_id: str) -> None:
        """Return when a run has been told to end; a database that is away is asked again."""
        while True:
            await asyncio.sleep(LOOK_S)
            with suppress(MemoryStoreError):
                if await self.registry.cancel_asked(run_id):
                    return

    async def _ended(
        self,
        run: Run,
        status: RunStatus,
        writer: Writer,
        cost: "Cost",
        error: str | None,
        *,
        ended_by: str | None = None,
    ) -> None:
        spent = self.registry.cost(
            run.run_id, prompt_tokens=cost.prompt_tokens, answer_tokens=cost.answer_tokens
        )
        await self.registry.move(
            run.run_id,
            status,
            now=self._clock.now(),
            token=writer.token,
            error=error,
            ended_by=ended_by,
            riders=[*writer.riders, spent],
        )

    async def _outcome(
        self, run: Run, state: StateSnapshot, graph: Any, *, continued: bool
    ) -> Outcome:
        channels = graph.output_channels
        names = [channels] if isinstance(channels, str) else channels
        return Outcome(
            run=await self._run(run.run_id),
            output={name: state.values.get(name) for name in names},
            pending=_pending(state),
            steps=tuple(await self.registry.steps(run.run_id)),
            continued=continued,
        )

    async def _run(self, run_id: str) -> Run:
        run = await self.registry.get(run_id)
        assert run is not None, "the run was written down before"
        return run

    def _known(self, name: str) -> Builder:
        if name not in self._graphs:
            known = ", ".join(sorted(self._graphs))
            raise UsageError(f"There is no graph {name!r}. The graphs are: {known}.")
        return self._graphs[name]

    def _compiled(self, run: Run, writer: Writer) -> CompiledStateGraph[Any, Any, Any, Any]:
        saver = FencedSaver(self._pool, {run.thread_id: writer})
        return self._known(run.graph)().compile(
            checkpointer=saver, store=self._store, name=run.graph
        )

    def _config(self, run: Run, fence: Fence, callbacks: list[Any]) -> RunnableConfig:
        return {
            "configurable": {
                "thread_id": run.thread_id,
                "run_id": run.run_id,
                FENCE_KEY: fence.token,
                TAKEN_UP_KEY: self._clock.now().isoformat(),
                "__pregel_strict_resume": True,
            },
            "callbacks": callbacks,
            "recursion_limit": STEPS_LIMIT,
        }


class _CancelledByPersonError(Exception):
    """The run was told to end; never seen outside."""


async def _stopped(work: asyncio.Future[Any]) -> None:
    """Stop work that is not done, and wait until it is."""
    work.cancel()
    await asyncio.wait({work})


@dataclass(kw_only=True, slots=True)
class Cost:
    """What a run has taken so far."""

    prompt_tokens: int = 0
    answer_tokens: int = 0


async def _streamed(
    graph: CompiledStateGraph[Any, Any, Any, Any],
    given: Any,
    config: RunnableConfig,
    cost: Cost,
    watch: Watch,
) -> None:
    """Run to the end or the next question, handing on what nodes tell."""
    stream = graph.astream(given, config, stream_mode="custom", durability="sync")
    async for event in stream:
        if not isinstance(event, dict) or "event" not in event:
            continue  # a user's own node may stream what it likes
        if event["event"] == "usage":
            cost.prompt_tokens += event["prompt_tokens"]
            cost.answer_tokens += event["answer_tokens"]
        watch(event)


def _ended_by(state: StateSnapshot) -> str | None:
    """Return the budget that ended a run, where its graph's answer names one."""
    answer = state.values.get("answer") if isinstance(state.values, Mapping) else None
    ended = answer.get("ended") if isinstance(answer, Mapping) else None
    return ended.get("reason") if isinstance(ended, Mapping) else None


def _pending(state: StateSnapshot) -> tuple[Pending, ...]:
    return tuple(
        Pending(interrupt_id=interrupt.id, payload=interrupt.value)
        for task in state.tasks
        for interrupt in task.interrupts
    )
