"""Every fault on every adapter where it can occur: is it noticed, and what becomes of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agent.bench.faults import ollama, openai, process
from agent.bench.faults.stage import ANSWER, WISH, Stage, prompt_of
from agent.bench.faults.table import FAULTS, Adapter, Expected, Fault, Outcome
from agent.bench.malformed import adapters
from agent.bench.malformed import measure as malformed
from agent.errors import AgentError
from agent.loopback import serving
from graphs.errors import ExecutiveError
from graphs.executive import EndReason, Executive
from graphs.reply import Reply, ask

STAGES: dict[Adapter, Stage] = {
    Adapter.OLLAMA: ollama.staged,
    Adapter.OPENAI: openai.staged,
    Adapter.PROCESS: process.staged,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Met:
    """A fault that was met."""

    fault: Fault
    adapter: Adapter
    outcome: Outcome
    error: type[ExecutiveError] | None
    said: str
    """Words of the error, the reason of the second try, or the notice."""

    @property
    def detected(self) -> bool:
        """Whether anybody noticed."""
        return self.outcome is not Outcome.MISSED

    @property
    def right(self) -> bool:
        """Whether it became what the table says."""
        return self.fault.expected[self.adapter] == Expected(outcome=self.outcome, error=self.error)


async def meet(fault: Fault, adapter: Adapter) -> Met:
    """Set a fault up and ask through it."""
    async with STAGES[adapter](fault) as executive:
        outcome, error, said = await _met(executive, fault)
    return Met(fault=fault, adapter=adapter, outcome=outcome, error=error, said=said)


async def _met(
    executive: Executive, fault: Fault
) -> tuple[Outcome, type[ExecutiveError] | None, str]:
    events: list[dict[str, Any]] = []
    try:
        reply = await ask(executive, prompt_of(fault), WISH, events.append)
    except ExecutiveError as error:
        return Outcome.NAMED, type(error), str(error)
    return *_answered(reply, events), _said(events)


def _answered(reply: Reply, events: Sequence[dict[str, Any]]) -> tuple[Outcome, None]:
    """Tell what an answer says of its fault. One that is not whole, or twice there, missed it."""
    kinds = {event["event"] for event in events}
    shown = "".join(event["text"] for event in events if event["event"] == "text")
    if reply.end.reason is EndReason.LENGTH:
        return Outcome.CUT, None
    if reply.text != ANSWER or shown != ANSWER:
        return Outcome.MISSED, None
    if "asked_again" in kinds:
        return Outcome.MENDED, None
    return (Outcome.TOLD if "notice" in kinds else Outcome.MISSED), None


def _said(events: Sequence[dict[str, Any]]) -> str:
    told = [event.get("reason") or event.get("text") for event in events if _tells(event)]
    return " ".join(str(one) for one in told)


def _tells(event: dict[str, Any]) -> bool:
    return event["event"] in ("asked_again", "notice")


async def measure() -> dict[str, Any]:
    """Meet every fault where it can occur. Raises AgentError if there was none to meet."""
    met = [await meet(fault, adapter) for fault in FAULTS for adapter in fault.expected]
    if not met:
        raise AgentError("The benchmark is void: no fault was met.")
    return {
        "faults": len(FAULTS),
        "met": len(met),
        "detected": sum(one.detected for one in met),
        "right": sum(one.right for one in met),
        "rows": [_row(one) for one in met],
        "calls": malformed.report(await malformed.rows(_CALLS)),
    }


_CALLS: dict[str, adapters.Adapter] = {
    str(Adapter.OLLAMA): adapters.ollama(serving),
    str(Adapter.OPENAI): adapters.openai(serving),
    str(Adapter.PROCESS): adapters.process,
}


def _row(met: Met) -> dict[str, Any]:
    return {
        "fault": met.fault.name,
        "what": met.fault.what,
        "adapter": str(met.adapter),
        "detected": met.detected,
        "right": met.right,
        "outcome": str(met.outcome),
        "error": met.error.__name__ if met.error else None,
        "said": met.said,
    }


def lines(report: dict[str, Any]) -> Iterator[str]:
    """Write both matrices: faults of streams and contexts, and malformed calls."""
    yield from matrix(report)
    yield ""
    yield from malformed.lines(report["calls"])


def matrix(report: dict[str, Any]) -> Iterator[str]:
    """Write the matrix of faults: a line for each, a column for each adapter."""
    rows = {(row["fault"], row["adapter"]): row for row in report["rows"]}
    faults = {row["fault"]: row["what"] for row in report["rows"]}
    yield f"{'fault':<14}" + "".join(f"{adapter:<28}" for adapter in Adapter)
    for fault in faults:
        cells = [_cell(rows.get((fault, str(adapter)))) for adapter in Adapter]
        yield f"{fault:<14}" + "".join(f"{cell:<28}" for cell in cells).rstrip()
    yield ""
    yield from (f"{name:<14}{what}" for name, what in faults.items())
    yield ""
    yield (
        f"{report['faults']} faults, met {report['met']} times: {report['detected']} noticed, "
        f"{report['right']} became what they have to"
    )


def _cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return "cannot occur"
    mark = "" if row["right"] else "WRONG: "
    return f"{mark}{row['error'] or row['outcome']}"
