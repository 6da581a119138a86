"""The executive's calls: judged when they are wished for, approved where a person must, run."""

import asyncio
import re
import uuid
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, count
from typing import Any, cast

from langgraph.types import interrupt

from graphs import approvals, repeats
from graphs.context import Step, stored
from graphs.executive import CallPart
from graphs.perceive import thread_collection
from graphs.state import Passage, Task, TurnState
from memory.artifacts import Artifact
from memory.item_names import OWNERS_COLLECTION
from memory.labels import ENGINE_LABEL, Label
from tools.base import Effect, ToolContext, ToolResult
from tools.calls.faults import Fault
from tools.executor import RESULT_CHARACTERS_LIMIT, Request
from tools.policy import Ruling

UNREADABLE_NAME = "unreadable"
"""Stands in the history for a name that is none."""

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def wished(calls: Sequence[CallPart], state: TurnState, step: Step, label: Label) -> list[Task]:
    """Judge new calls and return them as tasks.

    Those beyond what a round may have are not made, and an answer with far too many is refused as a
    whole; the model is told so as the result of a call.
    """
    limits = step.services.limits
    most, number = limits.calls_per_round, state["rounds"] + 1
    names = _new_ids(calls, [task["id"] for task in state["tasks"]])
    mine = [replace(call, id=name) for call, name in zip(calls, names, strict=True)]
    if len(calls) > limits.calls_per_answer:
        tasks = [_refused(mine[0], number, label, _too_many(len(calls), most), Fault.TOO_MANY)]
    else:
        judged = [_task(call, number, step, label) for call in mine[:most]]
        tasks = [_declined(task, state["tasks"]) for task in judged]
        tasks += [_refused(call, number, label, _beyond(mine, most)) for call in mine[most:][:1]]
    _tell(tasks, len(calls), step)
    return tasks


def _too_many(count: int, most: int) -> str:
    return (
        f"The answer held {count} calls, so none of them was made. Make the most important ones, "
        f"at most {most} in one answer."
    )


def _beyond(calls: Sequence[CallPart], most: int) -> str:
    left = len(calls) - most
    which = "This call was" if left == 1 else f"This call and {left - 1} after it were"
    return f"{which} not made: one answer may have {most}. Make it again if it is still needed."


def _tell(tasks: Sequence[Task], count: int, step: Step) -> None:
    """Tell whoever watches what is not run."""
    most = step.services.limits.calls_per_round
    if count > most:
        made = 0 if tasks[0].get("fault") == Fault.TOO_MANY else most
        left = {"what": "calls", "count": count - made, "of": count}
        step.emit({"event": "left_out", **left, "why": f"a round may have {most}"})
    for task in tasks:
        if fault := task.get("fault"):
            facts = {"tool": task["name"], "fault": fault, "why": task["reason"]}
            step.emit({"event": "call_refused", **facts})


def _declined(task: Task, earlier: Sequence[Task]) -> Task:
    """Return the task with the answer that a person gave to this very call before, if it was no."""
    for one in earlier:
        if one["decision"] == "reject" and one["digest"] == task["digest"]:
            return {**task, "decision": "reject", "note": one["note"]}
    return task


def _new_ids(calls: Sequence[CallPart], taken: Sequence[str]) -> list[str]:
    """Return ids that no task of the turn has: some servers begin anew with each answer."""
    found: list[str] = []
    for call in calls:
        numbered = (f"{call.id}-{number}" for number in count(2))
        names = chain([call.id], numbered)
        found.append(next(name for name in names if name not in taken and name not in found))
    return found


def _task(call: CallPart, number: int, step: Step, label: Label) -> Task:
    if call.fault:
        return _refused(call, number, label, call.fault, Fault.UNREADABLE)
    judged = step.services.executor.judge(
        Request(id=call.id, name=call.name, arguments=call.arguments),
        purpose=step.services.purpose,
        label=label,
    )
    if judged.fault:
        why = judged.verdict.reason
        return _refused(call, number, label, why, judged.fault, judged.meant)
    return Task(
        id=call.id,
        name=call.name,
        arguments=judged.request.arguments,
        ruling=judged.verdict.ruling.value,
        reason=judged.verdict.reason,
        round=number,
        digest=judged.digest,
        decision=None,
        note=None,
        label=label.to_json(),
        artifact=None,
        ok=None,
        fault=None,
        meant=None,
    )


def _refused(
    call: CallPart,
    number: int,
    label: Label,
    reason: str,
    fault: Fault | None = None,
    meant: str | None = None,
) -> Task:
    """Return a call that is never run: the reason is its result.

    History is shown to servers that check it, so it holds no name that is none, and nothing huge.
    """
    huge = fault is Fault.TOO_LARGE
    return Task(
        id=call.id,
        name=call.name if _NAME.fullmatch(call.name) else UNREADABLE_NAME,
        arguments={} if huge else call.arguments,
        ruling=Ruling.REFUSE.value,
        reason=reason,
        round=number,
        digest="",
        decision=None,
        note=None,
        label=label.to_json(),
        artifact=None,
        ok=None,
        fault=fault.value if fault else None,
        meant=meant,
    )


def waiting(tasks: Sequence[Task]) -> Task | None:
    """Return the first task that a person has to decide on."""
    undecided = (task for task in tasks if task["ruling"] == Ruling.ASK and not task["decision"])
    return next(undecided, None)


async def approve(state: TurnState, step: Step) -> dict[str, Any]:
    """Ask a person about one call, and do nothing else: the node runs again on the answer."""
    task = waiting(state["tasks"])
    assert task is not None, "the router leads here only where a task waits"
    # mypy cannot express that an annotated union is a schema; LangGraph makes an adapter of it.
    decision = interrupt(approvals.payload(task), response_schema=cast(Any, approvals.Decision))
    decided = _decided(task, decision, step)
    return {"tasks": [decided if one["id"] == task["id"] else one for one in state["tasks"]]}


def _decided(
    task: Task, decision: approvals.Approve | approvals.Edit | approvals.Reject, step: Step
) -> Task:
    """Return the task with the person's answer; an edited call is judged anew."""
    if isinstance(decision, approvals.Reject):
        return {**task, "decision": "reject", "note": decision.message}
    if isinstance(decision, approvals.Approve):
        return {**task, "decision": "approve"}
    action = decision.edited_action
    if action.name != task["name"]:
        note = f"The edit names another tool, {action.name!r}; only the arguments can be edited."
        return {**task, "decision": "reject", "note": note}
    # Clients hand edited fields over as text; a field that is no text is read as JSON.
    forms = (action.args, approvals.read_as_json(action.args))
    label = Label.from_json(task["label"])
    edited = [
        _task(CallPart(id=task["id"], name=action.name, arguments=form), task["round"], step, label)
        for form in forms
    ]
    again = next((one for one in edited if one["digest"]), edited[0])
    # The model is not asked again for what a person has written.
    return {**again, "decision": "approve", "fault": None}


async def act(state: TurnState, step: Step) -> dict[str, Any]:
    """Run the calls of this round through the choke point; results become artifacts."""
    pending = [task for task in state["tasks"] if task["artifact"] is None]
    changes = acting(step)
    stands = {task["id"]: repeats.standing(task, state["tasks"], changes) for task in pending}
    results = await asyncio.gather(
        *(_run(task, stands[task["id"]], state, step) for task in pending)
    )
    passages = list(state["passages"])
    done: dict[str, Task] = {}
    for task, result in zip(pending, results, strict=True):
        number, mark = await _keep(task, result, passages, state, step)
        earlier = stands[task["id"]]
        if earlier is not None:
            mark = done.get(earlier["id"], earlier).get("result") or mark
        done[task["id"]] = {**task, "artifact": number, "ok": result.ok, "result": mark}
    shown = state.get("tools_shown") or []
    found = [name for result in results for name in result.tools if name not in shown]
    return {
        "tasks": [done.get(task["id"], task) for task in state["tasks"]],
        "passages": passages,
        "tools_shown": [*shown, *dict.fromkeys(found)],
    }


def acting(step: Step) -> repeats.Acts:
    """Tell the tasks whose tools change something from those that only read."""
    effects = {spec.name: spec.effect for spec in step.services.executor.toolbox.specs()}
    return lambda task: effects.get(task["name"]) is not Effect.READ


async def _run(task: Task, stands: Task | None, state: TurnState, step: Step) -> ToolResult:
    if task["decision"] == "reject":
        note = f": {task['note'].rstrip('.')}" if task["note"] else ""
        return ToolResult(text=f"The user declined this{note}.", ok=False, label=ENGINE_LABEL)
    if task["ruling"] == Ruling.REFUSE and not task["digest"]:
        return ToolResult(text=task["reason"], ok=False, label=ENGINE_LABEL)
    if stands is not None:
        text = (
            f"This very call was made before, in step {stands['round']}; its result stands there, "
            "and nothing has changed since. Answer, or try another."
        )
        return ToolResult(text=text, ok=False, label=ENGINE_LABEL)
    step.emit({"event": "calling", "tool": task["name"], "arguments": task["arguments"]})
    collection = state.get("collection") or step.services.collection
    context = ToolContext(
        run_id=step.run_id,
        thread_id=step.thread_id,
        token=step.token,
        collections=(collection, OWNERS_COLLECTION, thread_collection(step.thread_id)),
        clock=step.services.clock,
        label=Label.from_json(task["label"]),
    )
    return await step.services.executor.execute(
        Request(id=task["id"], name=task["name"], arguments=task["arguments"]),
        context,
        purpose=step.services.purpose,
        approved=frozenset({task["digest"]} if task["decision"] == "approve" else ()),
    )


def _found(numbers: Sequence[int], before: int) -> str:
    """Name passages by their numbers: those in view before, then those that are new.

    New ones stand below and follow each other, so that first and last are enough.
    """
    marks = [f"[{number}]" for number in sorted(numbers)]
    shown = sum(number <= before for number in numbers)
    old, new = marks[:shown], marks[shown:]
    if len(new) > 2:
        new = [new[0], "to", new[-1]]
    return f"Found the passages {' '.join([*old, *new])}."


async def _keep(
    task: Task, result: ToolResult, passages: list[Passage], state: TurnState, step: Step
) -> tuple[str, str]:
    """Store the result; passages that it found come into view and are told by their numbers.

    Return the id of what was stored, and the result's fingerprint.
    """
    text = told = result.text
    if result.chunks:
        known = {passage["chunk"]: number for number, passage in enumerate(passages, start=1)}
        before = len(known)
        for chunk in result.chunks:
            if chunk not in known:
                passages.append(Passage(chunk=chunk, score=0.0, call=task["id"]))
                known[chunk] = len(passages)
            elif passages[known[chunk] - 1].get("earlier"):
                at = known[chunk] - 1
                passages[at] = {**passages[at], "recalled": True}
        numbers = [known[chunk] for chunk in result.chunks]
        text, told = _found(numbers, before), f"passages {numbers}"
    # The same search again finds all of it in view: it is told in other words, and is no news.
    mark = repeats.fingerprint(told, ok=result.ok)
    since = repeats.unchanged_since(task, mark, state["tasks"])
    if since is not None:
        text += f" (This result has not changed since step {since}.)"
    if result.left_out:
        size = {"count": result.left_out, "of": result.left_out + RESULT_CHARACTERS_LIMIT}
        what = f"characters of the result of {task['name']}"
        step.emit({"event": "left_out", "what": what, **size, "why": "a result has a bound"})
    artifact = str(uuid.uuid5(uuid.UUID(step.run_id), f"result:{task['round']}:{task['id']}"))
    await stored(
        step,
        Artifact(
            id=artifact,
            kind="result",
            body={"tool": task["name"], "text": text, "ok": result.ok},
            label=result.label,
        ),
    )
    step.emit({"event": "called", "tool": task["name"], "ok": result.ok, "text": text[:400]})
    return artifact, mark
