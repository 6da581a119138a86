"""Each malformed call sent through an adapter and the real graph: found out, never run.

What follows in the script is what a model does that has read why: it makes the call as it should
be, then answers. So a row shows whether the fault was found, and whether the turn was lost by it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from agent.bench.bare import Turned, turn
from agent.bench.malformed.adapters import Adapter, Answer, process
from agent.bench.malformed.table import NAME, SHAPES, Expected, Shape, entry
from agent.errors import AgentError
from memory.labels import ENGINE_LABEL
from tools.base import Effect, Tool, ToolContext, ToolResult

ANSWER = "It is sent."
QUESTION = "Send hi to Ann."


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What became of a shape with one adapter."""

    shape: str
    adapter: str
    detected: bool
    outcome: str
    unvalidated: int
    """Calls that were run although they were not what was expected."""


class Message(BaseModel):
    """A message, as the tool takes it."""

    model_config = ConfigDict(extra="forbid")

    to: str
    text: str = Field(max_length=200)
    times: int = 1
    urgent: bool = False
    tags: list[str] = []


def _tool(ran: list[dict[str, Any]]) -> Tool[Message]:
    """Return a tool that notes what it is run with. It reads, so that no person has to approve."""

    async def run(wanted: Message, _: ToolContext) -> ToolResult:
        ran.append(wanted.model_dump(exclude_unset=True))
        return ToolResult(text="Sent.", ok=True, label=ENGINE_LABEL)

    return Tool(
        name=NAME, description="Send a message.", arguments=Message, effect=Effect.READ, run=run
    )


async def rows(adapters: Mapping[str, Adapter], shapes: Sequence[Shape] = SHAPES) -> list[Row]:
    """Send each shape through each adapter and the graph."""
    if not adapters or not shapes:
        raise AgentError("Nothing was sent, so nothing can be said of malformed calls.")
    return [
        await _row(shape, name, adapter)
        for shape in shapes
        for name, adapter in adapters.items()
        if not (shape.several and adapter is process)
    ]


async def _row(shape: Shape, name: str, adapter: Adapter) -> Row:
    ran: list[dict[str, Any]] = []
    wrong = Answer(text=shape.text, calls=shape.calls)
    again = [Answer(calls=[entry()])] if shape.expected is Expected.REFUSED else []
    async with adapter([wrong, *again, Answer(text=ANSWER)]) as executive:
        turned = await turn(executive, [_tool(ran)], QUESTION)
    told = [event for event in turned.events if event["event"] == "call_refused"]
    outcome = _outcome(shape, ran, turned, told=bool(told))
    return Row(
        shape=shape.name,
        adapter=name,
        detected=bool(told) == (shape.expected is Expected.REFUSED),
        outcome=outcome,
        unvalidated=sum(1 for one in ran if one not in shape.run),
    )


def _outcome(shape: Shape, ran: list[dict[str, Any]], turned: Turned, *, told: bool) -> str:
    if ran != list(shape.run):
        return f"ran {ran!r}"[:200]
    if turned.answer.strip() != ANSWER:
        return f"answered {turned.answer!r}"[:200]
    return str(Expected.REFUSED if told else Expected.MENDED)


def sound(row: Row, shapes: Sequence[Shape] = SHAPES) -> bool:
    """Whether a row is as it has to be."""
    expected = {shape.name: shape.expected for shape in shapes}
    return row.detected and not row.unvalidated and row.outcome == expected[row.shape]


def report(found: Sequence[Row]) -> dict[str, Any]:
    """Return the rows as JSON, with what they come to."""
    return {
        "shapes": len({row.shape for row in found}),
        "met": len(found),
        "detected": sum(row.detected for row in found),
        "unvalidated": sum(row.unvalidated for row in found),
        "right": sum(sound(row) for row in found),
        "rows": [{**asdict(row), "right": sound(row)} for row in found],
    }


def lines(told: Mapping[str, Any]) -> Iterator[str]:
    """Write a report as a matrix: a line for each shape, a column for each adapter."""
    rows = {(row["shape"], row["adapter"]): row for row in told["rows"]}
    shapes, adapters = (list(dict.fromkeys(names)) for names in zip(*rows, strict=True))
    width = max(map(len, shapes)) + 2
    yield f"{'malformed call':<{width}}" + "".join(f"{one:<20}" for one in adapters).rstrip()
    for shape in shapes:
        cells = [_cell(rows.get((shape, adapter))) for adapter in adapters]
        yield f"{shape:<{width}}" + "".join(f"{cell:<20}" for cell in cells).rstrip()
    yield ""
    yield (
        f"{told['shapes']} malformed calls, met {told['met']} times: {told['detected']} detected, "
        f"{told['unvalidated']} run unvalidated, {told['right']} became what they have to"
    )


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "cannot occur"
    if not row["right"]:
        return f"WRONG: {row['outcome']}"
    return _SHORT[Expected(row["outcome"])]


_SHORT = {Expected.MENDED: "mended, run", Expected.REFUSED: "refused, redone"}
