"""The executive's calls: judged when they are wished for, approved where a person must, run."""

import asyncio
import uuid
from collections.abc import Sequence
from itertools import chain, count
from typing import Any, cast

from langgraph.types import interrupt

from graphs import approvals
from graphs.context import Step, stored
from graphs.executive import CallPart
from graphs.perceive import thread_collection
from graphs.state import Passage, Task, TurnState
from memory.artifacts import Artifact
from memory.item_names import OWNERS_COLLECTION
from memory.labels import ENGINE_LABEL, Label
from tools.base import ToolContext, ToolResult
from tools.executor import Request
from tools.policy import Ruling


def wished(calls: Sequence[CallPart], state: TurnState, step: Step, label: Label) -> list[Task]:
    """Judge new calls and return them as tasks, no more than one round may have."""
    limit = step.services.limits.calls_per_round
    if len(calls) > limit:
        left = {"what": "calls", "count": len(calls) - limit, "of": len(calls)}
        step.emit({"event": "left_out", **left, "why": f"a round may have {limit}"})
    taken = [task["id"] for task in state["tasks"]]
    tasks = []
    for call in calls[:limit]:
        taken.append(_new_id(call.id, taken))
        mine = CallPart(id=taken[-1], name=call.name, arguments=call.arguments)
        tasks.append(_declined(_task(mine, state["rounds"] + 1, step, label), state["tasks"]))
    return tasks


def _declined(task: Task, earlier: Sequence[Task]) -> Task:
    """Return the task with the answer that a person gave to this very call before, if it was no."""
    for one in earlier:
        if one["decision"] == "reject" and one["digest"] == task["digest"]:
            return {**task, "decision": "reject", "note": one["note"]}
    return task


def _new_id(wanted: str, taken: Sequence[str]) -> str:
    """Return an id that no task of the turn has: some servers begin anew with each answer."""
    numbered = (f"{wanted}-{number}" for number in count(2))
    return next(name for name in chain([wanted], numbered) if name not in taken)


def _task(call: CallPart, number: int, step: Step, label: Label) -> Task:
    judged = step.services.executor.judge(
        Request(id=call.id, name=call.name, arguments=call.arguments),
        purpose=step.services.purpose,
        label=label,
    )
    return Task(
        id=call.id,
        name=call.name,
        arguments=call.arguments,
        ruling=judged.verdict.ruling.value,
        reason=judged.verdict.reason,
        round=number,
        digest=judged.digest,
        decision=None,
        note=None,
        label=label.to_json(),
        artifact=None,
        ok=None,
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
    return {**again, "decision": "approve"}


async def act(state: TurnState, step: Step) -> dict[str, Any]:
    """Run the calls of this round through the choke point; results become artifacts."""
    pending = [task for task in state["tasks"] if task["artifact"] is None]
    repeated = _repeated(state["tasks"])
    results = await asyncio.gather(
        *(_run(task, task["id"] in repeated, state, step) for task in pending)
    )
    passages = list(state["passages"])
    done: dict[str, Task] = {}
    for task, result in zip(pending, results, strict=True):
        number = await _keep(task, result, passages, step)
        done[task["id"]] = {**task, "artifact": number, "ok": result.ok}
    return {
        "tasks": [done.get(task["id"], task) for task in state["tasks"]],
        "passages": passages,
    }


def _repeated(tasks: Sequence[Task]) -> set[str]:
    """Return the ids of calls that one before them made as well."""
    seen: set[str] = set()
    found = set()
    for task in tasks:
        if task["digest"] in seen:
            found.add(task["id"])
        elif task["digest"] and task["decision"] != "reject":
            seen.add(task["digest"])
    return found


async def _run(task: Task, repeated: bool, state: TurnState, step: Step) -> ToolResult:  # noqa: FBT001 - private, and named at its only call
    if task["decision"] == "reject":
        note = f": {task['note'].rstrip('.')}" if task["note"] else ""
        return ToolResult(text=f"The user declined this{note}.", ok=False, label=ENGINE_LABEL)
    if repeated:
        text = "This very call was made before; its result stands there. Answer, or try another."
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


async def _keep(task: Task, result: ToolResult, passages: list[Passage], step: Step) -> str:
    """Store the result; passages that it found come into view and are told by their numbers."""
    text = result.text
    if result.chunks:
        known = {passage["chunk"]: number for number, passage in enumerate(passages, start=1)}
        before = len(known)
        for chunk in result.chunks:
            if chunk not in known:
                passages.append(Passage(chunk=chunk, score=0.0, call=task["id"]))
                known[chunk] = len(passages)
        text = _found([known[chunk] for chunk in result.chunks], before)
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
    return artifact
