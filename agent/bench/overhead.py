"""What cortical adds to a step: the same no-op graph on bare LangGraph and as a run of ours.

Both write checkpoints with durability `sync` by the same checkpointer into the same database, and
take turns in one process, so that the machine's other work falls on both alike.
"""

import itertools
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Any, TypedDict

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import DictRow

from agent import assembly
from agent.clock import SystemClock
from agent.errors import AgentError
from agent.settings import Settings
from agent.turns import Turns
from graphs import prompts
from graphs.executive import Executive, Prompt, Wish
from memory.checkpoints import FencedSaver
from memory.database import Pool, open_pool
from memory.runs import RunRegistry
from memory.threads import Threads


class _Counted(AsyncCursor[DictRow]):
    """Counts the statements that go through it."""

    statements = itertools.count()

    async def execute(self, *arguments: Any, **more: Any) -> "_Counted":
        next(_Counted.statements)
        return await super().execute(*arguments, **more)

    async def executemany(self, *arguments: Any, **more: Any) -> None:
        next(_Counted.statements)
        await super().executemany(*arguments, **more)


class _CountedConnection(AsyncConnection[DictRow]):
    """A connection whose statements are counted."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.cursor_factory = _Counted


class _State(TypedDict):
    left: int


async def _nothing(state: _State) -> _State:
    return {"left": state["left"] - 1}


def _graph() -> StateGraph[_State, None, _State, _State]:
    graph = StateGraph(_State)
    graph.add_node("nothing", _nothing)
    graph.add_edge(START, "nothing")
    graph.add_conditional_edges("nothing", lambda state: "nothing" if state["left"] else END)
    return graph


async def measure(settings: Settings, *, steps: int, rounds: int) -> dict[str, Any]:
    """Return milliseconds and statements a step of both kinds, and the tokens that we add."""
    url = await assembly.database_url(settings)
    async with (
        assembly.database(settings),
        open_pool(url, connection_class=_CountedConnection) as pool,
    ):
        turns = Turns(
            pool=pool,
            registry=RunRegistry(pool),
            threads=Threads(pool),
            graphs={"nothing": _graph},
            clock=SystemClock(),
            new_id=lambda: str(uuid.uuid4()),
        )
        kinds = {"langgraph": _bare(pool, steps), "cortical": _ours(turns, steps)}
        figures = await _alternating(kinds, steps=steps, rounds=rounds)
    async with aclosing(await assembly.executive(settings)) as executive:
        tokens = await _prompt_tokens(executive)
    added = {
        "ms_per_step": figures["cortical"]["ms_per_step"] - figures["langgraph"]["ms_per_step"],
        "statements_per_step": figures["cortical"]["statements_per_step"]
        - figures["langgraph"]["statements_per_step"],
        "prompt_tokens": tokens,
    }
    return {"steps": steps, "rounds": rounds, **figures, "added": added}


Run = Callable[[], Awaitable[int]]
"""Runs the graph once and returns how many steps it took."""


def _bare(pool: Pool, steps: int) -> Run:
    async def run() -> int:
        graph = _graph().compile(checkpointer=FencedSaver(pool, {}))
        thread: RunnableConfig = {
            "configurable": {"thread_id": str(uuid.uuid4())},
            "recursion_limit": steps + 5,
        }
        values = await graph.ainvoke({"left": steps}, thread, durability="sync")
        return steps - int(values["left"])

    return run


def _ours(turns: Turns, steps: int) -> Run:
    async def run() -> int:
        outcome = await turns.run(
            "nothing",
            thread_id=str(uuid.uuid4()),
            values={"left": steps},
            watch=lambda event: None,  # noqa: ARG005 - nobody watches
        )
        return len(outcome.steps)

    return run


async def _alternating(
    kinds: dict[str, Run], *, steps: int, rounds: int
) -> dict[str, dict[str, float]]:
    """Run the kinds in turn; the first round warms up and is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    statements: dict[str, list[int]] = {name: [] for name in kinds}
    for number in range(rounds + 1):
        for name, run in kinds.items():
            before, began = next(_Counted.statements), time.perf_counter()
            done = await run()
            took, after = time.perf_counter() - began, next(_Counted.statements)
            if done != steps:
                raise AgentError(f"The benchmark is void: {name} took {done} of {steps} steps.")
            if number:
                seconds[name].append(took / steps)
                statements[name].append(after - before - 1)
    return {
        name: {
            "ms_per_step": 1e3 * statistics.median(seconds[name]),
            "ms_per_step_min": 1e3 * min(seconds[name]),
            "ms_per_step_max": 1e3 * max(seconds[name]),
            "statements_per_step": statistics.median(statements[name]) / steps,
        }
        for name in kinds
    }


async def _prompt_tokens(executive: Executive) -> int:
    """Return how much longer a question's prompt is for what cortical puts around it."""
    question = "How often must the filter be cleaned?"
    bare = Prompt(system="", messages=(HumanMessage(question),))
    around = f"Text: \n\nQuestion: {question}"
    system = prompts.WORDING
    if executive.profile.judgement:
        around, system = f"Passages:\n\n\n\nQuestion: {question}", prompts.ANSWER
    ours = Prompt(system=system, messages=(HumanMessage(around),))
    counts = [await executive.count(prompt, Wish()) for prompt in (bare, ours)]
    return counts[1].tokens - counts[0].tokens


def lines(report: dict[str, Any]) -> Iterator[str]:
    """Write the figures as a table."""
    yield f"{report['rounds']} runs of {report['steps']} no-op steps each, taking turns; median:"
    for name in ("langgraph", "cortical"):
        one = report[name]
        yield (
            f"  {name:<10} {one['ms_per_step']:6.2f} ms a step ({one['ms_per_step_min']:.2f} to "
            f"{one['ms_per_step_max']:.2f}), {one['statements_per_step']:.1f} statements a step"
        )
    added = report["added"]
    yield (
        f"  added      {added['ms_per_step']:6.2f} ms and {added['statements_per_step']:.1f} "
        f"statements a step; {added['prompt_tokens']} tokens around a question"
    )
