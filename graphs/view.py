"""What the executive has in view: passages and results, with the join of their labels."""

from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from graphs import prompts
from graphs.context import Step
from graphs.executive import Prompt, Wish
from graphs.state import Task, TurnState
from memory.artifacts import Artifact
from memory.documents import Chunk
from memory.labels import Label, joined


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """The bodies that the state refers to."""

    question: str
    asked_by: Label
    """Label of the question alone."""
    passages: tuple[Chunk, ...]
    """In the order of their numbers."""
    scores: tuple[float, ...]
    results: dict[str, Artifact]
    label: Label


async def opened(state: TurnState, step: Step) -> View:
    """Fetch the bodies of all that is in view."""
    ids = [passage["chunk"] for passage in state["passages"]]
    chunks = await step.services.recollection.chunks(ids)
    scores = {passage["chunk"]: passage["score"] for passage in state["passages"]}
    results = await step.services.artifacts.get(
        [task["artifact"] for task in state["tasks"] if task["artifact"]]
    )
    asked_by = Label.from_json(state["asked_by"])
    labels = [chunk.label for chunk in chunks] + [result.label for result in results.values()]
    return View(
        question=state["asked"],
        asked_by=asked_by,
        passages=tuple(chunks),
        scores=tuple(scores[chunk.id] for chunk in chunks),
        results=dict(results),
        label=joined([asked_by, *labels]),
    )


def _heading(number: int, chunk: Chunk) -> str:
    where = str(chunk.place)
    return f"[{number}] {chunk.document.title}{f', {where}' if where else ''}"


def material(view: View, kept: Sequence[int]) -> str:
    """Write the passages of these positions, and how many were left out."""
    parts = [
        f"{_heading(index + 1, view.passages[index])}\n{view.passages[index].text}"
        for index in sorted(kept)
    ]
    left_out = len(view.passages) - len(kept)
    if left_out:
        parts.append(f"({left_out} of {len(view.passages)} passages left out for want of room)")
    return "\n\n".join(parts) if parts else "(memory holds no passage on this)"


def worked(tasks: Sequence[Task], results: dict[str, Artifact]) -> list[AnyMessage]:
    """Return calls and results as messages, a pair of turns for each round."""
    messages: list[AnyMessage] = []
    done = [task for task in tasks if task["artifact"]]
    for number in sorted({task["round"] for task in done}):
        group = [task for task in done if task["round"] == number]
        calls = [
            {"id": task["id"], "name": task["name"], "args": task["arguments"]} for task in group
        ]
        messages.append(AIMessage(content="", tool_calls=calls))
        messages.extend(
            ToolMessage(
                content=results[task["artifact"] or ""].body["text"],
                tool_call_id=task["id"],
                name=task["name"],
            )
            for task in group
        )
    return messages


async def fitted(
    state: TurnState, step: Step, view: View, wish: Wish, *, more: Sequence[AnyMessage] = ()
) -> Prompt:
    """Lay the prompt out, leaving out the lowest passages until it fits the loaded context.

    What is left out is said in the prompt and to whoever watches. A prompt that is too long even
    without passages is handed on as it is: the executive refuses it with both figures.
    """
    executive = step.services.executive
    room = executive.profile.context_tokens - wish.max_tokens
    kept = sorted(range(len(view.passages)), key=lambda index: -view.scores[index])
    while True:
        prompt = _laid_out(state, step, view, kept, more)
        count = await executive.count(prompt, wish)
        if count.tokens <= room or not kept:
            break
        kept.pop()
    if len(kept) < len(view.passages):
        step.emit(
            {
                "event": "left_out",
                "what": "passages",
                "count": len(view.passages) - len(kept),
                "of": len(view.passages),
            }
        )
    return prompt


def _laid_out(
    state: TurnState, step: Step, view: View, kept: Sequence[int], more: Sequence[AnyMessage]
) -> Prompt:
    """History first, since it stays the same; then what this turn brought, the question last."""
    history = [message for message in state["messages"] if message.id != f"{step.run_id}:question"]
    shown = history[-step.services.limits.history_messages :]
    question = HumanMessage(f"Passages:\n\n{material(view, kept)}\n\nQuestion: {view.question}")
    return Prompt(
        system=prompts.ANSWER,
        messages=(*shown, question, *worked(state["tasks"], view.results), *more),
    )
