"""A small graph, and what runs it, for tests of runs."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, TypedDict
from uuid import uuid4

from langgraph.graph import END, START, StateGraph

from agent.clock import SystemClock
from agent.settings import DatabaseSettings, Settings
from agent.turns import Outcome, Turns
from memory.database import Pool
from memory.runs import RunRegistry
from memory.threads import Threads

THREAD = "t"


def added(old: list[str], new: list[str]) -> list[str]:
    """Return both, one after the other."""
    return [*old, *new]


class Trail(TypedDict):
    """State: what was given, and which nodes have ended."""

    given: str
    trail: Annotated[list[str], added]


class Walk:
    """A graph `first → (left, right) → last` that counts how often each node was entered."""

    def __init__(self, **nodes: Callable[[int], Any]) -> None:
        self.entered: list[str] = []
        self._nodes = nodes

    def build(self) -> Any:
        """Return the graph."""
        graph = StateGraph(Trail)
        for name in ("first", "left", "right", "last"):
            graph.add_node(name, self._node(name))
        graph.add_edge(START, "first")
        graph.add_edge("first", "left")
        graph.add_edge("first", "right")
        graph.add_edge(["left", "right"], "last")
        graph.add_edge("last", END)
        return graph

    def _node(self, name: str) -> Any:
        async def node(_: Trail) -> dict[str, Any]:
            self.entered.append(name)
            if name in self._nodes:
                await self._nodes[name](self.entered.count(name))
            return {"trail": [name]}

        return node


class Held:
    """Holds whoever comes first until it is let go; those that come later pass."""

    def __init__(self) -> None:
        self.reached, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self, time: int) -> None:
        """Hold the first time that a node is entered."""
        if time == 1:
            self.reached.set()
            await self.go.wait()


async def reached(held: Held, run: asyncio.Task[Outcome]) -> None:
    """Wait until the run is held; one that ends before it raises what ended it."""
    waiting = asyncio.create_task(held.reached.wait())
    await asyncio.wait([waiting, run], return_when=asyncio.FIRST_COMPLETED, timeout=20)
    waiting.cancel()
    if run.done():
        run.result()
    assert held.reached.is_set(), "the run ended, or stood still, before it was held"


def silent(_: dict[str, Any]) -> None:
    """Watch nothing."""


def turns_of(pool: Pool, **graphs: Callable[[], Any]) -> Turns:
    """Return what runs graphs by their names."""
    return Turns(
        pool=pool,
        registry=RunRegistry(pool),
        threads=Threads(pool),
        graphs=graphs,
        clock=SystemClock(),
        new_id=lambda: str(uuid4()),
    )


async def walked(turns: Turns, given: str = "x") -> Outcome:
    """Run the graph `walk` on the one thread."""
    values = {"given": given, "trail": []}
    return await turns.run("walk", thread_id=THREAD, values=values, watch=silent)


def database(dsn: str) -> Settings:
    """Return settings that name a database."""
    return Settings(database=DatabaseSettings(url=dsn))
