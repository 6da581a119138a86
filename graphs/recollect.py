"""Make out what is asked, and bring what memory holds on it into view."""

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import HumanMessage

from graphs.context import Step
from graphs.perceive import thread_collection
from graphs.state import Passage, Percept, TurnState
from graphs.view import labelled
from memory.item_names import OWNERS_COLLECTION
from memory.labels import USER_LABEL, Label, joined

HANDED_BONUS = 0.15
"""A file handed over with the question is more likely meant than one that lies in memory."""


async def recall(state: TurnState, step: Step) -> dict[str, Any]:
    """Search with the question: in the collection, in memories, in the thread's own files."""
    asked, label, problem = await _asked(state, step)
    if problem is not None:
        return {"problem": problem, "asked": asked, "asked_by": label.to_json()}
    collection = state.get("collection") or step.services.collection
    hits = await step.services.recollection.search(
        asked,
        k=step.services.limits.passages,
        collections=[collection, OWNERS_COLLECTION, thread_collection(step.thread_id)],
    )
    handed = {chunk for percept in state["percepts"] for chunk in percept["chunks"]}
    scores = {
        hit.chunk.id: hit.score + (HANDED_BONUS if hit.chunk.id in handed else 0.0) for hit in hits
    }
    step.emit({"event": "recalled", "passages": len(scores)})
    messages = state["messages"]
    # A chat client has put its question into the history itself.
    known = bool(messages) and isinstance(messages[-1], HumanMessage) and messages[-1].text == asked
    question = messages[-1] if known else HumanMessage(asked, id=f"{step.run_id}:question")
    return {
        "asked": asked,
        "asked_by": label.to_json(),
        "asked_id": question.id,
        "passages": _viewed(state["passages"], scores),
        "messages": [labelled(question, label)],
    }


def _viewed(earlier: Sequence[Passage], scores: Mapping[int, float]) -> list[Passage]:
    """Return the passages of earlier turns, then those that are new, best first."""
    known = {passage["chunk"] for passage in earlier}
    stay = [
        Passage(**{**passage, "again": scores[passage["chunk"]]})
        if passage["chunk"] in scores
        else passage
        for passage in earlier
    ]
    new = [Passage(chunk=one, score=score) for one, score in scores.items() if one not in known]
    return [*stay, *sorted(new, key=lambda passage: -passage["score"])]


async def _asked(state: TurnState, step: Step) -> tuple[str, Label, str | None]:
    """Return the question, its label, and what is wrong if there is none."""
    typed = state["asked"].strip()
    if typed:
        return typed, USER_LABEL, None
    spoken = [percept for percept in state["percepts"] if percept["role"] == "question"]
    artifacts = await step.services.artifacts.get(
        [percept["artifact"] for percept in spoken if percept["artifact"]]
    )
    ordered = [artifacts[percept["artifact"]] for percept in spoken if percept["artifact"]]
    heard = " ".join(artifact.body["text"] for artifact in ordered).strip()
    label = joined(artifact.label for artifact in ordered) if ordered else USER_LABEL
    return heard, label, None if heard else _nothing_asked(state["percepts"], spoken)


def _nothing_asked(percepts: list[Percept], spoken: list[Percept]) -> str:
    faults = [percept["error"] for percept in percepts if percept["error"]]
    if spoken:
        names = ", ".join(percept["name"] for percept in spoken)
        return (
            f"No words were heard in {names}. Speak closer to the microphone, or type the question."
        )
    if faults:
        return " ".join(faults)
    return "Nothing was asked. Type a question, or hand over a recording that asks one."
