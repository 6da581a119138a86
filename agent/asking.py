"""One turn of the assistant for a person: input checked, run, and told as plain values."""

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent import assembly
from agent.errors import UsageError
from agent.recorder import Watch
from agent.settings import Settings
from agent.turns import Outcome, Pending, Turns
from agent.usage import Usage

Decide = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Asks a person about one act; returns an answer in a form of `graphs.approvals`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What a person asks."""

    text: str
    files: tuple[Path, ...]
    thread_id: str | None
    speak_to: Path | None


async def ask(
    settings: Settings, question: Question, *, watch: Watch, decide: Decide | None
) -> dict[str, Any]:
    """Run a turn and return everything that is known of it, ready for JSON."""
    values = await asyncio.to_thread(_input, settings, question)
    thread_id = question.thread_id or str(uuid.uuid4())
    async with assembly.engine(settings, watch=watch) as engine:
        watch({"event": "tiers", "text": engine.greeting})
        return await turn(engine, values, thread_id=thread_id, watch=watch, decide=decide)


async def turn(
    engine: assembly.Engine,
    values: dict[str, Any],
    *,
    thread_id: str,
    watch: Watch,
    decide: Decide | None,
) -> dict[str, Any]:
    """Run a turn; what an earlier one of the thread waits for is decided first."""
    usage = Usage()
    watch = usage.watching(watch)
    outcome = await _run(engine, values, thread_id, watch, decide)
    waited = _asks(values) and outcome.run.input != values
    if waited and not outcome.pending:
        outcome = await _run(engine, values, thread_id, watch, decide)
    told = _told(outcome)
    if waited and outcome.pending and outcome.run.input != values:
        told["problem"] = (
            "This was not asked: an earlier turn of the thread waits for a decision. Decide on a "
            f"terminal with `cortical ask --thread {thread_id}`, then ask again."
        )
    tiers = [capability.to_json() for capability in engine.capabilities]
    heard = await _heard(engine, outcome)
    return {**told, "heard": heard, "usage": usage.told(), "tiers": tiers}


async def _run(
    engine: assembly.Engine,
    values: dict[str, Any],
    thread_id: str,
    watch: Watch,
    decide: Decide | None,
) -> Outcome:
    turns = engine.turns
    if _asks(values):
        outcome = await turns.run("assistant", thread_id=thread_id, values=values, watch=watch)
    else:
        outcome = await turns.finish("assistant", thread_id=thread_id, watch=watch)
    return outcome if decide is None else await _decided(turns, outcome, watch, decide)


def _asks(values: Mapping[str, Any]) -> bool:
    return bool(values["question"].strip() or values["files"])


def _input(settings: Settings, question: Question) -> dict[str, Any]:
    """Check what can be known to be wrong before anything is loaded."""
    # Without a question, a thread that waits for a person is gone on with.
    if not (question.text.strip() or question.files or question.thread_id):
        raise UsageError("Nothing was asked. Give a question, or a recording with --file.")
    for file in question.files:
        if not file.exists():
            raise UsageError(f"There is no file {str(file)!r}. Is the path right?")
        if file.is_dir():
            raise UsageError(f"{str(file)!r} is a folder. `cortical ingest` takes folders.")
    target = question.speak_to
    if target is not None and target.is_dir():
        raise UsageError(f"{str(target)!r} is a folder. Name a file for --speak.")
    if target is not None and not target.resolve().parent.is_dir():
        raise UsageError(f"There is no folder {str(target.resolve().parent)!r} for --speak.")
    return {
        "question": question.text,
        "files": [{"path": str(file.resolve()), "name": file.name} for file in question.files],
        "collection": settings.collection,
        "speak_to": None if target is None else str(target.resolve()),
    }


async def _decided(turns: Turns, outcome: Outcome, watch: Watch, decide: Decide) -> Outcome:
    """Ask the person about each act that waits, one after the other."""
    while outcome.pending:
        pending: Pending = outcome.pending[0]
        answer = await asyncio.to_thread(decide, pending.payload)
        outcome = await turns.resume(outcome.run, {pending.interrupt_id: answer}, watch=watch)
    return outcome


async def _heard(engine: assembly.Engine, outcome: Outcome) -> str | None:
    """Return the raw transcript of a spoken question, with its errors."""
    percepts = outcome.output["percepts"] or []
    ids = [percept["artifact"] for percept in percepts if percept["artifact"]]
    if not ids:
        return None
    found = await engine.artifacts.get(ids)
    return " ".join(found[one].body["text"] for one in ids if one in found)


def _told(outcome: Outcome) -> dict[str, Any]:
    output, run = outcome.output, outcome.run
    answer: Mapping[str, Any] = output["answer"] or {}
    percepts: Sequence[Mapping[str, Any]] = output["percepts"] or []
    return {
        "question": output["asked"],
        "answer": answer.get("text"),
        "found": answer.get("found", False),
        "citations": [
            {
                "number": one["number"],
                "source": one["source"],
                "title": one["title"],
                "place": one["place"],
                "where": one["where"],
                "quote": one["quote"],
            }
            for one in answer.get("citations", ())
        ],
        "unsupported": list(answer.get("unsupported", ())),
        "ended_by": answer.get("ended"),
        "problem": output["problem"],
        "failed": [
            {"name": one["name"], "reason": one["error"]} for one in percepts if one["error"]
        ],
        "flaws": [{"name": one["name"], "flaw": flaw} for one in percepts for flaw in one["flaws"]],
        "spoken": output["spoken"],
        "waiting": [pending.payload for pending in outcome.pending],
        "calls": [
            {"tool": one["name"], "arguments": one["arguments"], "ok": one["ok"]}
            for one in output["tasks"] or ()
        ],
        "route": [
            {"node": step.node, "seconds": round(step.seconds, 4), "error": step.error}
            for step in outcome.steps
        ],
        "thread_id": run.thread_id,
        "run_id": run.run_id,
        "status": run.status,
        "continued": outcome.continued,
        "tokens": {"read": run.prompt_tokens, "written": run.answer_tokens},
    }
