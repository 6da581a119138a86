"""What the executive has in view: history, passages and results, with the join of their labels."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from graphs import marks, prompts
from graphs.context import Step
from graphs.executive import Wish
from graphs.fitting.fit import Fitted, fit
from graphs.fitting.parts import (
    RESULT_CHARACTERS,
    Earlier,
    Parts,
    Result,
    Round,
    Shown,
    Whole,
)
from graphs.state import Passage, Summary, Task, TurnState
from memory.artifacts import Artifact
from memory.documents import Chunk, Document
from memory.labels import ENGINE_LABEL, USER_LABEL, Label, Origin, joined
from memory.places import Place
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
    """How well this turn's question has found each."""
    results: dict[str, Artifact]
    label: Label


async def opened(state: TurnState, step: Step) -> View:
    """Fetch the bodies of all that is in view."""
    ids = [passage["chunk"] for passage in state["passages"]]
    tasks = [*state["tasks"], *(task for one in state.get("kept") or [] for task in one["tasks"])]
    found, results = await asyncio.gather(
        step.services.recollection.chunks(ids),
        step.services.artifacts.get([task["artifact"] for task in tasks if task["artifact"]]),
    )
    there = {chunk.id: chunk for chunk in found}
    # A passage keeps its number also where one before it is gone.
    chunks = [there.get(one) or _gone(one) for one in ids]
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
        scores=tuple(_score(passage) for passage in state["passages"]),
        results=dict(results),
        label=joined([asked_by, *labels]),
    )


def _score(passage: Passage) -> float:
    return passage.get("again", 0.0) if passage.get("earlier") else passage["score"]


def _gone(chunk_id: int) -> Chunk:
    """Stand for a passage that memory holds no longer. Nothing in it can be cited."""
    document = Document(
        id=0,
        collection="",
        uri="",
        title="(this passage is no longer stored)",
        kind="",
        language="und",
        label=ENGINE_LABEL,
        modified_at=None,
    )
    return Chunk(
        id=chunk_id,
        document=document,
        ordinal=0,
        text="",
        context="",
        place=Place(),
        label=ENGINE_LABEL,
    )


def _heading(number: int, chunk: Chunk) -> str:
    where = str(chunk.place)
    return f"[{number}] {chunk.document.title}{f', {where}' if where else ''}{remembered(chunk)}"


def _shown(view: View, passages: Sequence[tuple[int, float]]) -> tuple[Shown, ...]:
    """Return passages by number and score, each with its rank among them."""
    order = sorted(passages, key=lambda one: -one[1])
    ranks = {number: rank for rank, (number, _) in enumerate(order)}
    return tuple(
        Shown(number=number, text=_text(view, number), rank=ranks[number]) for number, _ in passages
    )


def _text(view: View, number: int) -> str:
    chunk = view.passages[number - 1]
    return f"{_heading(number, chunk)}\n{chunk.text}"


def _found(
    view: View, numbered: Sequence[tuple[int, Passage]]
) -> dict[str | None, tuple[Shown, ...]]:
    """Return passages by the call that found them; None: before the executive was asked."""
    found: dict[str | None, list[tuple[int, float]]] = {}
    for number, passage in numbered:
        found.setdefault(passage.get("call"), []).append((number, passage["score"]))
    return {call: _shown(view, passages) for call, passages in found.items()}


def worked(
    tasks: Sequence[Task],
    results: Mapping[str, Artifact],
    found: Mapping[str | None, tuple[Shown, ...]],
) -> tuple[Round, ...]:
    """Return the calls that have a result, by the round in which they were made."""
    rounds: dict[int, list[Result]] = {}
    for task in tasks:
        if artifact := task["artifact"]:
            text = _told(results.get(artifact))
            result = Result(
                call=task["id"],
                name=task["name"],
                arguments=task["arguments"],
                text=text[:RESULT_CHARACTERS],
                characters=len(text),
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
    summary = _standing(state, earlier)
    numbered = list(enumerate(state["passages"], start=1))
    found = _found(view, [one for one in numbered if not one[1].get("earlier")])
    again = [one for one in numbered if one[1].get("earlier")]
    wholes = _wholes(state, view, earlier, summary, numbered)
    parts = Parts(
        thread_id=step.thread_id,
        system=prompts.ANSWER,
        earlier=tuple(Earlier(message=_unmarked(one), label=label_of(one)) for one in earlier),
        summary=summary,
        passages=found.get(None, ()),
        question=view.question,
        asked_by=view.asked_by,
        rounds=worked(state["tasks"], view.results, found),
        wholes=wholes,
        above=_shown(view, [(number, one["again"]) for number, one in again if "again" in one]),
        recalled=_shown(
            view,
            [(at, 0.0) for at, one in again if one.get("recalled") and "again" not in one],
        ),
        more=tuple(more),
        tools=len(wish.tools),
    )
    return parts if wholes else parts.alone()


def _wholes(
    state: TurnState,
    view: View,
    earlier: Sequence[AnyMessage],
    summary: Summary | None,
    numbered: Sequence[tuple[int, Passage]],
) -> tuple[Whole, ...]:
    """Return the turns that are kept; none if a client has taken the question of one away."""
    places = {message.id: at for at, message in enumerate(earlier)}
    covered = summary["covers"] if summary else 0
    turns, start = [], 0
    for one in state.get("kept") or []:
        at = places.get(one["question"], -1)
        if at < covered:
            return ()
        found = _found(view, numbered[start : start + one["passages"]])
        start += one["passages"]
        turns.append(
            Whole(
                at=at,
                asked=one["asked"],
                passages=found.get(None, ()),
                above=tuple(one["above"]),
                rounds=worked(one["tasks"], view.results, found),
                answers=tuple(_answers(earlier[at + 1 :])),
            )
        )
    return tuple(turns)


def _answers(messages: Iterable[AnyMessage]) -> Iterable[AnyMessage]:
    return takewhile(lambda one: not isinstance(one, HumanMessage), messages)


def _unmarked(message: AnyMessage) -> AnyMessage:
    """Return an answer without its marks: they point to passages that are not shown any more."""
    if not isinstance(message, AIMessage):
        return message
    text = str(message.text)
    plain = marks.without(text)
    return message if plain == text else message.model_copy(update={"content": plain})


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
