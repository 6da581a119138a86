"""The executive at work: call tools, or answer with citations."""

from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from graphs import guided, offers, prompts, view
from graphs.citations import Grounded, ground
from graphs.context import Step
from graphs.executive import EndReason, Wish
from graphs.reply import Reply, ask
from graphs.state import Answer, TurnState
from memory.labels import Label


async def reason(state: TurnState, step: Step) -> dict[str, Any]:
    """Ask the executive once; one without judgement only words what the engine has chosen."""
    seen = await view.opened(state, step)
    if step.services.executive.profile.judgement:
        return await _deliberate(state, step, seen)
    return await guided.reason(state, step, seen)


async def _deliberate(state: TurnState, step: Step, seen: view.View) -> dict[str, Any]:
    offer = offers.offered(state, step)
    wish = Wish(
        tools=offer.tools,
        must_call=offer.must_call,
        max_tokens=step.services.limits.answer_tokens,
    )
    prompt = await view.fitted(state, step, seen, wish)
    reply = await ask(step.services.executive, prompt, wish, step.emit)
    if tasks := offers.taken(reply, offer, state, step, seen.label):
        return {
            "tasks": [*state["tasks"], *tasks],
            "tools_shown": list(offer.shown),
            "rounds": state["rounds"] + 1,
        }
    grounded = _grounded(reply, seen)
    if grounded.unsupported and not _not_found(reply.text) and seen.passages:
        reply, grounded = await _repaired(state, step, seen, reply, grounded)
    return answered(step, _answer(reply, grounded), seen.label, rounds=state["rounds"] + 1)


async def _repaired(
    state: TurnState, step: Step, seen: view.View, reply: Reply, grounded: Grounded
) -> tuple[Reply, Grounded]:
    """Let the executive mend its citations, once; the better of both answers is kept."""
    listed = "\n".join(f"- {sentence}" for sentence in grounded.unsupported)
    more: list[AnyMessage] = [
        AIMessage(reply.text),
        HumanMessage(prompts.REPAIR.format(sentences=listed)),
    ]
    wish = Wish(max_tokens=step.services.limits.answer_tokens)
    step.emit({"event": "repairing", "sentences": len(grounded.unsupported)})
    prompt = await view.fitted(state, step, seen, wish, more=more)
    second = await ask(step.services.executive, prompt, wish, step.emit)
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
