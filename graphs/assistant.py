"""The assistant: perceive → recall → reason ⇄ act → speak."""

from typing import Any, Literal

from langchain_core.messages import HumanMessage
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from graphs import kept, limits
from graphs.act import act, approve, waiting
from graphs.context import Services, Step, bound
from graphs.perceive import perceive
from graphs.reason import reason
from graphs.recollect import recall
from graphs.speak import speak
from graphs.state import Kept, Passage, PerceiveInput, TurnInput, TurnOutput, TurnState
from graphs.view import fresh


async def begin(state: TurnState, step: Step) -> dict[str, Any]:
    """Take the turn out of the inbox and clear what the last one left."""
    asked = state.get("question") or ""
    messages = state.get("messages") or []
    # A message with a label is a question of ours that a turn which failed has left behind.
    if not asked and messages and isinstance(messages[-1], HumanMessage) and fresh(messages[-1]):
        asked = messages[-1].text
    turns, passages = _carried(state, step)
    return {
        "question": "",
        "files": [],
        "speak_to": None,
        "asked": asked,
        "handed": state.get("files") or [],
        "voice": state.get("speak_to"),
        "percepts": None,
        "asked_id": None,
        "kept": turns,
        "passages": passages,
        "tasks": [],
        "tools_shown": list(state.get("tools_shown") or []) if turns else [],
        "rounds": 0,
        "spent": limits.begun(step.services.clock.now()),
        "problem": None,
        "answer": None,
        "spoken": None,
    }


def _carried(state: TurnState, step: Step) -> tuple[list[Kept], list[Passage]]:
    """Return the turns that stay in view; an executive without judgement is shown no turns."""
    profile = step.services.executive.profile
    if not profile.judgement:
        return [], []
    return kept.carried(
        state,
        context_tokens=profile.context_tokens,
        answer_tokens=step.services.limits.answer_tokens,
    )


def route_files(state: TurnState) -> list[Send] | Literal["recall"]:
    """Perceive each file in a task of its own."""
    if not state["handed"]:
        return "recall"
    role: Literal["question", "material"] = "material" if state["asked"].strip() else "question"
    return [Send("perceive", PerceiveInput(file=file, role=role)) for file in state["handed"]]


def route_question(state: TurnState) -> Literal["reason", "__end__"]:
    """Reason, unless nothing was asked."""
    return "__end__" if state["problem"] else "reason"


def route_calls(state: TurnState) -> Literal["approve", "act", "speak", "__end__"]:
    """Ask a person where one must decide, run what may run, else give the answer."""
    if state["answer"] is not None:
        return "speak" if state["voice"] else "__end__"
    return "approve" if waiting(state["tasks"]) else "act"


def build(services: Services) -> StateGraph[TurnState, None, TurnInput, TurnOutput]:
    """Wire the graph. The caller compiles it with a checkpointer of its own."""
    graph: StateGraph[TurnState, None, TurnInput, TurnOutput] = StateGraph(
        TurnState, input_schema=TurnInput, output_schema=TurnOutput
    )
    graph.add_node("begin", bound(begin, services))
    graph.add_node("perceive", bound(perceive, services), input_schema=PerceiveInput)
    graph.add_node("recall", bound(recall, services))
    graph.add_node("reason", bound(reason, services))
    graph.add_node("approve", bound(approve, services))
    graph.add_node("act", bound(act, services))
    graph.add_node("speak", bound(speak, services))
    graph.add_edge(START, "begin")
    graph.add_conditional_edges("begin", route_files, ["perceive", "recall"])
    graph.add_edge("perceive", "recall")
    graph.add_conditional_edges("recall", route_question)
    graph.add_conditional_edges("reason", route_calls)
    graph.add_conditional_edges("approve", route_calls, ["approve", "act"])
    graph.add_edge("act", "reason")
    graph.add_edge("speak", END)
    return graph
