"""The choke point: every call of every graph passes here, and nothing else runs a tool.

Validate, judge, record, act. An approval is evidence that `judge` is overruled for one call with
exactly these arguments; it never skips a step.
"""

import asyncio
import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel

from memory.effects import Effect, EffectState, Entry
from memory.labels import ENGINE_LABEL, Label, Origin
from tools import base, policy
from tools.base import Tool, ToolContext, ToolError, ToolResult
from tools.calls.faults import CallError, Fault
from tools.registry import Toolbox

RESULT_CHARACTERS_LIMIT = 1_000_000
"""Of a result that are kept; a prompt shows less, and `reread` gives the rest."""
ANYWHERE = Label(origins=frozenset(Origin))


class Ledger(Protocol):
    """What the choke point asks of the ledger of acts."""

    async def intend(
        self, effect: Effect, *, run_id: str, thread_id: str, token: int, now: datetime
    ) -> Entry:
        """Write the intention down unless the key is known; return what stands there."""
        ...

    async def end(
        self, key: str, state: EffectState, receipt: str | None, *, now: datetime
    ) -> None:
        """Write down what became of an act that was intended."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A call as the executive made it."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A call with its verdict."""

    request: Request
    """Its arguments have the types of the tool, if they are valid."""
    verdict: policy.Verdict
    digest: str
    """Hash of tool and canonical arguments: what an approval is bound to."""
    fault: Fault | None = None
    """Why the call is not valid."""
    meant: str | None = None
    """The tool that a call which is not valid clearly meant."""


def digest(name: str, arguments: BaseModel) -> str:
    """Return the SHA-256 of the tool's name and its arguments in canonical form."""
    canonical = json.dumps([name, arguments.model_dump(mode="json")], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


class Executor:
    """Runs tools, and only what is allowed."""

    def __init__(self, toolbox: Toolbox, ledger: Ledger, *, timeout_s: float) -> None:
        self.toolbox = toolbox
        self._ledger = ledger
        self._timeout_s = timeout_s

    def judge(self, request: Request, *, purpose: policy.Purpose, label: Label) -> Judged:
        """Validate and judge a call without running it.

        One that is not valid is refused with the reason, which `execute` tells the executive.
        """
        try:
            valid = self.toolbox.validate(request.name, request.arguments)
            target = valid.tool.target(valid.arguments)
        except CallError as error:
            return _invalid(request, str(error), error.fault, error.meant)
        except ToolError as error:
            return _invalid(request, str(error), Fault.ARGUMENTS, request.name)
        call = policy.Call(tool=valid.tool.name, effect=valid.tool.effect, target=target)
        return Judged(
            request=replace(request, arguments=valid.plain),
            verdict=policy.judge(call, purpose=purpose, label=label),
            digest=digest(valid.tool.name, valid.arguments),
        )

    async def execute(
        self,
        request: Request,
        context: ToolContext,
        *,
        purpose: policy.Purpose,
        approved: frozenset[str] = frozenset(),
    ) -> ToolResult:
        """Run one call if it is allowed or its digest was approved; otherwise say why not.

        A `ToolError` becomes a result for the executive; every other exception is ours and rises.
        """
        judged = self.judge(request, purpose=purpose, label=context.label)
        ruling = judged.verdict.ruling
        if ruling is policy.Ruling.REFUSE or (
            ruling is policy.Ruling.ASK and judged.digest not in approved
        ):
            return _refused(judged.verdict.reason)
        valid = self.toolbox.validate(request.name, request.arguments)
        tool = valid.tool
        deadline = asyncio.timeout(self._timeout_s)
        try:
            async with deadline:
                result = await self._act(tool, valid.arguments, context)
        except ToolError as error:
            # A tool may quote what it read, and only the tool knows whose words those are.
            return replace(_refused(str(error)), label=ANYWHERE)
        except TimeoutError:
            if not deadline.expired():
                raise
            return _refused(f"{tool.name!r} did not end within {self._timeout_s:g} seconds.")
        return result

    async def _act(self, tool: Tool[Any], arguments: BaseModel, context: ToolContext) -> ToolResult:
        if tool.effect is base.Effect.READ:
            return _bounded(await tool.run(arguments, context))
        effect = Effect(
            key=f"{context.run_id}/{digest(tool.name, arguments)}",
            tool=tool.name,
            target=tool.target(arguments),
            arguments=arguments.model_dump(mode="json"),
            label=context.label,
        )
        now = context.clock.now()
        entry = await self._ledger.intend(
            effect,
            run_id=context.run_id,
            thread_id=context.thread_id,
            token=context.token,
            now=now,
        )
        if entry.state is EffectState.DONE:
            return _done_before(entry)
        if entry.state is EffectState.REFUSED:
            raise ToolError(f"The user refused this call of {tool.name!r}. It is not tried again.")
        if not (entry.fresh or tool.repeatable):
            await self._ledger.end(effect.key, EffectState.UNKNOWN, None, now=now)
            raise ToolError(
                f"{tool.name!r} was begun before and nobody can know whether it was done. "
                "It is not tried again; ask the user to look."
            )
        result = _bounded(await tool.run(arguments, context))
        await self._ledger.end(
            effect.key, EffectState.DONE, _receipt(result), now=context.clock.now()
        )
        return result


def _invalid(request: Request, reason: str, fault: Fault, meant: str | None) -> Judged:
    verdict = policy.Verdict(ruling=policy.Ruling.REFUSE, reason=reason)
    return Judged(request=request, verdict=verdict, digest="", fault=fault, meant=meant)


def _receipt(result: ToolResult) -> str:
    """Write a result down with its label: read again, its words are from where they were."""
    facts = {"text": result.text, "label": result.label.to_json(), "left_out": result.left_out}
    return json.dumps(facts, ensure_ascii=False)


def _done_before(entry: Entry) -> ToolResult:
    receipt = json.loads(entry.receipt or "null")
    assert receipt is not None, "what is done has a receipt"
    return ToolResult(
        text=receipt["text"],
        ok=True,
        label=Label.from_json(receipt["label"]),
        left_out=receipt.get("left_out", 0),  # an older version wrote none down
    )


def _refused(reason: str) -> ToolResult:
    return ToolResult(text=reason, ok=False, label=ENGINE_LABEL)


def _bounded(result: ToolResult) -> ToolResult:
    """Keep what one body may hold, and say so where whoever sees only its head sees it."""
    size = len(result.text)
    spare = size - RESULT_CHARACTERS_LIMIT
    if spare <= 0:
        return result
    note = f"[the last {spare} of {size} characters of this result are not kept]"
    text = f"{note}\n{result.text[:RESULT_CHARACTERS_LIMIT]}"
    return replace(result, text=text, left_out=spare)
