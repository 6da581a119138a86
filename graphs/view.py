"""What the executive has in view: history, passages and results, with the join of their labels."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from langchain_core.messages import AnyMessage, HumanMessage

from graphs import prompts
from graphs.context import Step
from graphs.executive import Wish
from graphs.fitting.fit import Fitted, fit
from graphs.fitting.parts import Earlier, Parts, Result, Round, Shown
from graphs.state import Summary, Task, TurnState
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
    calls: tuple[str | None, ...]
    """The call that found each passage; None: it was found before the executive was asked."""
    results: dict[str, Artifact]
    label: Label


async def opened(state: TurnState, step: Step) -> View:
    """Fetch the bodies of all that is in view."""
    ids = [passage["chunk"] for passage in state["passages"]]
    kept = [task["artifact"] for task in state["tasks"] if task["artifact"]]
    chunks, results = await asyncio.gather(
        step.services.recollection.chunks(ids), step.services.artifacts.get(kept)
    )
    found = {passage["chunk"]: passage for passage in state["passages"]}
    asked_by = Label.from_json(state["asked_by"])
    labels = [chunk.label for chunk in chunks] + [result.label for result in results.values()]
    earlier = _earlier(state)
    summary = _standing(state, earlier)
    labels += [label_of(message) for message in earlier[summary["covers"] if summary else 0 :]]
    labels += [Label.from_json(summary["label"])] if summary else []
    return View(
        question=state["asked"],
        asked_by=asked_by,
        passages=tuple(chunks),
        scores=tuple(found[chunk.id]["score"] for chunk in chunks),
        calls=tuple(found[chunk.id].get("call") for chunk in chunks),
        results=dict(results),
        label=joined([asked_by, *labels]),
    )


def _heading(number: int, chunk: Chunk) -> str:
    where = str(chunk.place)
    return f"[{number}] {chunk.document.title}{f', {where}' if where else ''}{remembered(chunk)}"


def _shown(view: View) -> dict[str | None, tuple[Shown, ...]]:
    """Return the passages by the call that found them, each with its rank in that search."""
    found: dict[str | None, list[int]] = {}
    for at, call in enumerate(view.calls):
        found.setdefault(call, []).append(at)
    return {call: tuple(_ranked(view, positions)) for call, positions in found.items()}


def _ranked(view: View, positions: Sequence[int]) -> Iterable[Shown]:
    order = sorted(positions, key=lambda at: -view.scores[at])
    ranks = {at: rank for rank, at in enumerate(order)}
    for at in positions:
        chunk = view.passages[at]
        text = f"{_heading(at + 1, chunk)}\n{chunk.text}"
        yield Shown(number=at + 1, text=text, rank=ranks[at])


def worked(
    tasks: Sequence[Task],
    results: Mapping[str, Artifact],
    found: Mapping[str | None, tuple[Shown, ...]],
) -> tuple[Round, ...]:
    """Return the calls that have a result, by the round in which they were made."""
    rounds: dict[int, list[Result]] = {}
    for task in tasks:
        if artifact := task["artifact"]:
            result = Result(
                call=task["id"],
                name=task["name"],
                arguments=task["arguments"],
                text=_told(results.get(artifact)),
                artifact=artifact,
                passages=found.get(task["id"], ()),
            )
            rounds.setdefault(task["round"], []).append(result)
    return tuple(tuple(rounds[number]) for number in sorted(rounds))


def _told(result: Artifact | None) -> str:
    return "(this result is no longer stored)" if result is None else str(result.body["text"])


async def fitted(
    state: TurnState, step: Step, view: View, wish: Wish, *, more: Sequence[AnyMessage] = ()
) -> Fitted:
    """Return the prompt as it fits the loaded context, saying what was left out."""
    return await fit(_parts(state, step, view, wish, more), step, wish)


def _parts(
    state: TurnState, step: Step, view: View, wish: Wish, more: Sequence[AnyMessage]
) -> Parts:
    earlier = _earlier(state)
    found = _shown(view)
    return Parts(
        thread_id=step.thread_id,
        system=prompts.ANSWER,
        earlier=tuple(Earlier(message=one, label=label_of(one)) for one in earlier),
        summary=_standing(state, earlier),
        passages=found.get(None, ()),
        question=view.question,
        asked_by=view.asked_by,
        rounds=worked(state["tasks"], view.results, found),
        more=tuple(more),
        tools=len(wish.tools),
    )


def _earlier(state: TurnState) -> list[AnyMessage]:
    """Return the messages before this turn's question."""
    messages = list(state["messages"])
    while messages and _asks(messages[-1], state["asked"]):
        messages.pop()
    return messages


def _asks(message: AnyMessage, asked: str) -> bool:
    return isinstance(message, HumanMessage) and message.text.strip() == asked


def _standing(state: TurnState, earlier: Sequence[AnyMessage]) -> Summary | None:
    """Return the summary, if the messages that it was made of still stand there."""
    summary = state.get("summary")
    if not summary or not 0 < summary["covers"] <= len(earlier):
        return None
    return summary if earlier[summary["covers"] - 1].id == summary["last"] else None
