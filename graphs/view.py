"""What the executive has in view: history, passages and results, with the join of their labels."""

from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from graphs import prompts
from graphs.context import Step
from graphs.executive import Prompt, Wish
from graphs.state import Task, TurnState
from memory.artifacts import Artifact
from memory.documents import Chunk
from memory.labels import USER_LABEL, Label, Origin, joined
from tools.recall import remembered

_LABEL = "label"
"""Where a message of the history carries its label."""


def labelled(message: AnyMessage, label: Label) -> AnyMessage:
    """Return the message with its label: it is in view in later turns too."""
    return message.model_copy(
        update={"additional_kwargs": {**message.additional_kwargs, _LABEL: label.to_json()}}
    )


def fresh(message: AnyMessage) -> bool:
    """Whether a client has put the message there and no turn has taken it up yet."""
    return _LABEL not in message.additional_kwargs


def label_of(message: AnyMessage) -> Label:
    """Return a message's label; a chat client's own answers may come from anywhere."""
    known = message.additional_kwargs.get(_LABEL)
    if known is not None:
        return Label.from_json(known)
    return USER_LABEL if isinstance(message, HumanMessage) else Label(origins=frozenset(Origin))


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
    labels += [label_of(message) for message in _history(state, step)]
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
    return f"[{number}] {chunk.document.title}{f', {where}' if where else ''}{remembered(chunk)}"


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


def posed(passages: str, question: str) -> str:
    """Put the question behind its material: what is read last is followed best."""
    return f"Passages:\n\n{passages}\n\nQuestion: {question}"


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
                content=_told(results.get(task["artifact"] or "")),
                tool_call_id=task["id"],
                name=task["name"],
            )
            for task in group
        )
    return messages


def _told(result: Artifact | None) -> str:
    return "(this result is no longer stored)" if result is None else str(result.body["text"])


async def fitted(
    state: TurnState, step: Step, view: View, wish: Wish, *, more: Sequence[AnyMessage] = ()
) -> Prompt:
    """Lay the prompt out, leaving out the lowest passages until it fits the loaded context.

    What is left out, of the history too, is said in the prompt and to whoever watches. A prompt
    that is too long even without passages is handed on as it is: the executive refuses it with both
    figures.
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
    _say_left_out(step, "passages", len(view.passages) - len(kept), len(view.passages))
    _say_left_out(step, "earlier messages", *_beyond(state, step))
    return prompt


def _say_left_out(step: Step, what: str, count: int, of: int) -> None:
    if count:
        step.emit({"event": "left_out", "what": what, "count": count, "of": of})


def _earlier(state: TurnState) -> list[AnyMessage]:
    """Return the messages before this turn's question."""
    messages = list(state["messages"])
    while messages and _asks(messages[-1], state["asked"]):
        messages.pop()
    return messages


def _asks(message: AnyMessage, asked: str) -> bool:
    return isinstance(message, HumanMessage) and message.text.strip() == asked


def _history(state: TurnState, step: Step) -> list[AnyMessage]:
    """Return the earlier messages that are shown."""
    return _earlier(state)[_beyond(state, step)[0] :]


def _beyond(state: TurnState, step: Step) -> tuple[int, int]:
    """Return how many earlier messages are not shown, and how many there are."""
    count = len(_earlier(state))
    return max(0, count - step.services.limits.history_messages), count


def _laid_out(
    state: TurnState, step: Step, view: View, kept: Sequence[int], more: Sequence[AnyMessage]
) -> Prompt:
    """History first, since it stays the same; then what this turn brought, the question last."""
    hidden, count = _beyond(state, step)
    note = f"({hidden} of {count} earlier messages left out)\n\n" if hidden else ""
    text = note + posed(material(view, kept), view.question)
    return Prompt(
        system=prompts.ANSWER,
        messages=(
            *_history(state, step),
            HumanMessage(text),
            *worked(state["tasks"], view.results),
            *more,
        ),
    )
