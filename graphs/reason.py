"""The executive at work: call tools, or answer with citations, within the budgets of the turn."""

from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from graphs import foresight, guided, limits, prompts, view
from graphs.act import acting
from graphs.asks import Asks, OutOfTimeError, Said
from graphs.citations import Grounded, ground
from graphs.context import Step
from graphs.errors import ExecutiveError
from graphs.fitting.parts import RESULT_CHARACTERS
from graphs.limits import Left
from graphs.meter import Meter
from graphs.state import Answer, Ended, Task, TurnState


async def reason(state: TurnState, step: Step) -> dict[str, Any]:
    """Ask the executive once; one without judgement only words what the engine has chosen.

    Where a budget is spent nobody is asked: the engine answers from what is in view.
    """
    spent = state["spent"] if "spent" in state else limits.begun(step.services.clock.now())
    meter = Meter(foresight.watching(state, step), spent, taken_up=step.taken_up)
    asks = await Asks.begun(state, replace(step, emit=meter), meter)
    try:
        update = await _reasoned(asks)
    except OutOfTimeError as late:
        update = await _by_itself(asks, late.ended, late.said)
    return {**update, "spent": meter.counted(step.services.clock.now())}


async def _reasoned(asks: Asks) -> dict[str, Any]:
    if asks.verdict.left is Left.NOTHING:
        return await _by_itself(asks, asks.verdict.ended, asks.before())
    if asks.step.services.executive.profile.judgement:
        return await _deliberate(asks)
    async with asks.in_time():
        return await guided.reason(asks.state, asks.step, asks.seen)


async def _deliberate(asks: Asks) -> dict[str, Any]:
    said, ended = asks.first(), asks.verdict.ended
    if said is None and asks.verdict.left is Left.WORK:
        said = await asks.working()
        if tasks := asks.called(said):
            if not _circling(tasks, asks):
                return asks.update(
                    tasks=[*asks.state["tasks"], *tasks], tools_shown=list(asks.offer.shown)
                )
            said, ended = None, limits.same_calls(asks.step.services.limits)
    if said is None and ended is not None:
        said = await _last(asks, ended)
    if said is None or not said.text.strip():
        return await _by_itself(asks, ended)
    grounded = _grounded(said, asks)
    if grounded.unsupported and not _not_found(said.text) and asks.seen.passages:
        said, grounded = await _repaired(asks, said, grounded)
    return answered(asks, _answer(said, grounded, ended))


def _circling(tasks: list[Task], asks: Asks) -> bool:
    services = asks.step.services
    return limits.circling(tasks, asks.state["tasks"], services.limits, acting(asks.step))


async def _last(asks: Asks, ended: Ended) -> Said | None:
    """Ask a last time, without tools; None where the executive fails: the engine has an answer."""
    try:
        return await asks.last(ended)
    except ExecutiveError as error:
        asks.step.emit({"event": "model_failed", "reason": str(error)})
        return None


async def _repaired(asks: Asks, said: Said, grounded: Grounded) -> tuple[Said, Grounded]:
    """Let the executive mend its citations, once; the better of both answers is kept."""
    if not asks.repairable():
        return said, grounded
    listed = "\n".join(f"- {sentence}" for sentence in grounded.unsupported)
    more: list[AnyMessage] = [
        AIMessage(said.text),
        HumanMessage(prompts.REPAIR.format(sentences=listed)),
    ]
    asks.step.emit({"event": "repairing", "sentences": len(grounded.unsupported)})
    try:
        second = await asks.repair(said, more)
    except OutOfTimeError:
        return said, grounded
    again = _grounded(second, asks)
    if second.text.strip() and len(again.unsupported) < len(grounded.unsupported):
        return second, again
    return said, grounded


def _grounded(said: Said, asks: Asks) -> Grounded:
    # What no prompt has shown backs nothing, and a huge text would be searched for each sentence.
    results = [result.body["text"][:RESULT_CHARACTERS] for result in asks.seen.results.values()]
    return ground(said.text, asks.seen.passages, asks.seen.question, results)


def _not_found(text: str) -> bool:
    return text.strip().startswith(prompts.NOT_FOUND)


def _answer(said: Said, grounded: Grounded, ended: Ended | None) -> Answer:
    found = not _not_found(said.text)
    text = grounded.text.strip()
    if not found:
        text = text.removeprefix(prompts.NOT_FOUND).lstrip(" :.-") or guided.NOTHING_FOUND
    if said.cut:
        text += f" [cut off {said.cut}]"
    answer = Answer(
        text=text,
        found=found,
        citations=list(grounded.citations) if found else [],
        unsupported=list(grounded.unsupported) if found else [],
    )
    return _with(answer, said.ended or ended)


def _with(answer: Answer, ended: Ended | None) -> Answer:
    return answer if ended is None else {**answer, "ended": ended}


async def _by_itself(asks: Asks, ended: Ended | None, said: Said | None = None) -> dict[str, Any]:
    """Answer without the executive: with the words that it got out, or from what is in view."""
    if said is not None and said.text.strip():
        answer = _answer(said, _grounded(said, asks), ended)
    else:
        answer = _with(await guided.extracted(asks.state, asks.step, asks.seen), ended)
    return answered(asks, answer)


def answered(asks: Asks, answer: Answer) -> dict[str, Any]:
    """Return the update that ends the reasoning of a turn."""
    message = AIMessage(answer["text"], id=f"{asks.step.run_id}:answer")
    return asks.update(answer=answer, messages=[view.labelled(message, asks.seen.label)])
