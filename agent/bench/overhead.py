"""What cortical adds to a step: the same no-op graph on bare LangGraph and as a run of ours.

Both write checkpoints with durability `sync` by the same checkpointer into the same database, and
take turns in one process, so that the machine's other work falls on both alike.
"""

import statistics
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypedDict

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph

from agent import assembly
from agent.bench import own_time, turn
from agent.bench.lent import Lent
from agent.bench.statements import TALLY, CountedConnection
from agent.clock import SystemClock
from agent.errors import AgentError
from agent.settings import Settings
from agent.turns import Turns
from graphs import guided, prompts
from graphs.executive import Executive, Prompt, Wish
from graphs.fitting import said
from memory.checkpoints import FencedSaver
from memory.database import Pool, open_pool
from memory.runs import RunRegistry
from memory.threads import Threads


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
        open_pool(url, connection_class=CountedConnection) as pool,
    ):
        turns = Turns(
            pool=pool,
            registry=RunRegistry(pool),
            threads=Threads(pool),
            graphs={"nothing": _graph},
            clock=SystemClock(),
            new_id=lambda: str(uuid.uuid4()),
        )
        threads = Lent()
        kinds = {
            "langgraph": _bare(pool, steps, threads),
            "cortical": _ours(turns, steps, threads),
        }
        try:
            figures = await _alternating(kinds, steps=steps, rounds=rounds)
            warm = await turn.measure(pool, threads, rounds=rounds)
        finally:
            await threads.forget(pool)
    async with aclosing(await assembly.executive(settings)) as executive:
        tokens = await _prompt_tokens(executive)
    calls = await own_time.measure(settings)
    pairs = zip(figures["cortical"].seconds, figures["langgraph"].seconds, strict=True)
    added = {
        "ms_per_step": 1e3 * statistics.median(ours - bare for ours, bare in pairs),
        "statements_per_step": figures["cortical"].per_step - figures["langgraph"].per_step,
        "prompt_tokens": tokens,
    }
    told = {name: figure.told() for name, figure in figures.items()}
    return {
        "steps": steps,
        "rounds": rounds,
        **told,
        "added": added,
        "turn": warm,
        "model_call": calls,
    }


Run = Callable[[], Awaitable[int]]
"""Runs the graph once and returns how many steps it took."""


def _bare(pool: Pool, steps: int, threads: Lent) -> Run:
    async def run() -> int:
        graph = _graph().compile(checkpointer=FencedSaver(pool, {}))
        thread: RunnableConfig = {
            "configurable": {"thread_id": threads.new()},
            "recursion_limit": steps + 5,
        }
        values = await graph.ainvoke({"left": steps}, thread, durability="sync")
        return steps - int(values["left"])

    return run


def _ours(turns: Turns, steps: int, threads: Lent) -> Run:
    async def run() -> int:
        outcome = await turns.run(
            "nothing",
            thread_id=threads.new(),
            values={"left": steps},
            watch=lambda event: None,  # noqa: ARG005 - nobody watches
        )
        return len(outcome.steps)

    return run


@dataclass(kw_only=True, slots=True)
class Figure:
    """What the runs of one kind took, round by round."""

    seconds: list[float] = field(default_factory=list)
    """Of a step."""
    statements: list[float] = field(default_factory=list)
    """Of a step."""

    @property
    def per_step(self) -> float:
        """Statements a step."""
        return statistics.median(self.statements)

    def told(self) -> dict[str, float]:
        """Return the figures in milliseconds."""
        return {
            "ms_per_step": 1e3 * statistics.median(self.seconds),
            "ms_per_step_min": 1e3 * min(self.seconds),
            "ms_per_step_max": 1e3 * max(self.seconds),
            "statements_per_step": self.per_step,
        }


async def _alternating(kinds: dict[str, Run], *, steps: int, rounds: int) -> dict[str, Figure]:
    """Run the kinds in turn, each first in every other round; the first round only warms up."""
    figures = {name: Figure() for name in kinds}
    for number in range(rounds + 1):
        for name in sorted(kinds, reverse=bool(number % 2)):
            before, began = TALLY.statements, time.perf_counter()
            done = await kinds[name]()
            took, after = time.perf_counter() - began, TALLY.statements
            if done != steps:
                raise AgentError(f"The benchmark is void: {name} took {done} of {steps} steps.")
            if number:
                figures[name].seconds.append(took / steps)
                figures[name].statements.append((after - before) / steps)
    return figures


async def _prompt_tokens(executive: Executive) -> int:
    """Return how much longer a question's prompt is for what cortical puts around it."""
    question = "How often must the filter be cleaned?"
    bare = Prompt(system="", messages=(HumanMessage(question),))
    ours = guided.wording("", question)
    if executive.profile.judgement:
        around = said.posed("", question)
        ours = Prompt(system=prompts.ANSWER, messages=(HumanMessage(around),))
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
    warm = report["turn"]
    yield (
        f"a warm turn of the assistant with a model that answers at once: {warm['ms']:.1f} ms, of "
        f"which {warm['ms'] - warm['sql_ms']:.1f} ms outside SQL"
    )
    yield from own_time.lines(report["model_call"])
