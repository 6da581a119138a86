"""The executive at work: call tools, or answer with citations."""

from dataclasses import replace
from typing import Any, cast

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from graphs import guided, prompts, view
from graphs.act import wished
from graphs.citations import Grounded, ground
from graphs.context import Step
from graphs.executive import EndReason, Wish
from graphs.fitting.fit import Fitted
from graphs.reply import Reply
from graphs.state import Answer, TurnState
from memory.labels import Label


async def reason(state: TurnState, step: Step) -> dict[str, Any]:
    """Ask the executive once; one without judgement only words what the engine has chosen."""
    seen = await view.opened(state, step)
    if step.services.executive.profile.judgement:
        return await _deliberate(state, step, seen)
    return await guided.reason(state, step, seen)


async def _deliberate(state: TurnState, step: Step, seen: view.View) -> dict[str, Any]:
    last = state["rounds"] + 1 >= step.services.limits.rounds
    wish = _wish(step, may_call=not last)
    reply, made = await view.asked(state, step, seen, wish)
    if reply.calls and not last:
        tasks = wished(reply.calls, state, step, seen.label)
        return {"tasks": [*state["tasks"], *tasks], "rounds": state["rounds"] + 1, **made.update}
    state = _with(state, made)
    if reply.calls and not reply.text.strip():
        reply, _ = await view.asked(state, step, seen, replace(wish, tools=()))
    grounded = _grounded(reply, seen)
    if grounded.unsupported and not _not_found(reply.text) and seen.passages:
        reply, grounded = await _repaired(state, step, seen, reply, grounded)
    rounds = state["rounds"] + 1
    return {**answered(step, _answer(reply, grounded), seen.label, rounds=rounds), **made.update}


def _with(state: TurnState, made: Fitted) -> TurnState:
    return cast(TurnState, {**state, **made.update})


def _wish(step: Step, *, may_call: bool) -> Wish:
    """Return the wish of a round: the same tools each time, for the same beginning."""
    tools = step.services.executor.toolbox.specs()
    limits = step.services.limits
    return Wish(tools=tools, may_call=may_call, max_tokens=limits.answer_tokens)


async def _repaired(
    state: TurnState, step: Step, seen: view.View, reply: Reply, grounded: Grounded
) -> tuple[Reply, Grounded]:
    """Let the executive mend its citations, once; the better of both answers is kept."""
    listed = "\n".join(f"- {sentence}" for sentence in grounded.unsupported)
    more: list[AnyMessage] = [
        AIMessage(reply.text),
        HumanMessage(prompts.REPAIR.format(sentences=listed)),
    ]
    step.emit({"event": "repairing", "sentences": len(grounded.unsupported)})
    second, _ = await view.asked(state, step, seen, _wish(step, may_call=False), more=more)
    again = _grounded(second, seen)
    if second.text.strip() and len(again.unsupported) < len(grounded.unsupported):
        return second, again
    return reply, grounded


def _grounded(reply: Reply, seen: view.View) -> Grounded:
    results = [result.body["text"] for result in seen.results.values()]
    return ground(reply.text, seen.passages, seen.question, results)


def _not_found(text: str) -> bool:
    return text.strip().startswith(prompts.NOT_FOUND)


def _answer(reply: Reply, grounded: Grounded) -> Answer:
    found = not _not_found(reply.text)
    text = grounded.text.strip()
    if not found:
        text = text.removeprefix(prompts.NOT_FOUND).lstrip(" :.-") or guided.NOTHING_FOUND
    if reply.end.reason is EndReason.LENGTH:
        text += f" [cut off after {reply.end.answer_tokens} tokens]"
    return Answer(
        text=text,
        found=found,
        citations=list(grounded.citations) if found else [],
        unsupported=list(grounded.unsupported) if found else [],
    )


def answered(step: Step, answer: Answer, label: Label, *, rounds: int) -> dict[str, Any]:
    """Return the update that ends the reasoning of a turn."""
    message = view.labelled(AIMessage(answer["text"], id=f"{step.run_id}:answer"), label)
    return {"answer": answer, "messages": [message], "rounds": rounds}
