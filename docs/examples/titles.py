"""A graph and a tool of one's own: which documents speak of a topic, and a count of words."""

from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel

from graphs.context import Services, Step, bound
from tools.base import Effect, Tool, ToolContext, ToolResult


class State(TypedDict):
    topic: str
    titles: list[str]


async def look(state: State, step: Step) -> dict[str, Any]:
    memory, collection = step.services.recollection, step.services.collection
    hits = await memory.search(state["topic"], k=5, collections=[collection])
    return {"titles": sorted({hit.chunk.document.title for hit in hits})}


def build(services: Services) -> StateGraph[State]:
    graph = StateGraph(State)
    graph.add_node("look", bound(look, services))
    graph.add_edge(START, "look")
    graph.add_edge("look", END)
    return graph


class Text(BaseModel):
    text: str


async def count(words: Text, context: ToolContext) -> ToolResult:
    return ToolResult(text=f"{len(words.text.split())} words", ok=True, label=context.label)


COUNT = Tool(
    name="count_words",
    description="Count the words of a text.",
    arguments=Text,
    effect=Effect.READ,
    run=count,
)
