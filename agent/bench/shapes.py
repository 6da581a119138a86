"""Malformed tool calls, each sent through an adapter and the real graph: found out, never run.

A shape is an answer of a model that is wrong in one way. What follows in the script is what a model
does that has read why: it makes the call as it should be, then answers. So a row shows whether the
fault was found, and whether the turn was lost by it.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from agent.bench.bare import Turned, turn
from agent.errors import AgentError
from agent.executives.ollama import OllamaExecutive
from agent.executives.ollama_server import OllamaModel
from agent.executives.openai import OpenAiExecutive
from agent.executives.openai_server import Kind, OpenAiModel
from agent.executives.received import received
from agent.executives.wire import Timeouts
from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.script import Say, scripted
from agent.openai_double.app import DoubleModel, OpenAiDouble
from agent.testing import ScriptedExecutive, ScriptedReply
from graphs.executive import CallPart, Executive
from memory.labels import ENGINE_LABEL
from tools.base import Effect, Tool, ToolContext, ToolResult
from tools.calls.limits import CHARACTERS_LIMIT, NESTING_LIMIT

NAME = "send_message"
RIGHT = {"to": "ann", "text": "hi"}
ANSWER = "It is sent."
QUESTION = "Send hi to Ann."


class Expected(StrEnum):
    """What has to become of a shape."""

    MENDED = "mended, validated and run"
    REFUSED = "refused with the reason, made again rightly, then run"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """One wrong answer of a model."""

    name: str
    expected: Expected
    calls: Sequence[Any] = ()
    """Entries of `tool_calls`, as they are sent."""
    text: str = ""
    run: Sequence[Mapping[str, Any]] = (RIGHT,)
    """Arguments that have to be run in the turn, in their order, and no others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One answer of a scripted model."""

    text: str = ""
    calls: Sequence[Any] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What became of a shape with one adapter."""

    shape: str
    adapter: str
    detected: bool
    outcome: str
    unvalidated: int
    """Calls that were run although they were not what was expected."""


def entry(name: Any = NAME, arguments: Any = None, number: str = "call_1") -> dict[str, Any]:
    """Return an entry of `tool_calls`; without arguments, the right ones."""
    given = RIGHT if arguments is None else arguments
    return {"id": number, "function": {"name": name, "arguments": given}}


def _mended(name: str, arguments: Any, **run: Any) -> Shape:
    found = {**RIGHT, **run}
    return Shape(
        name=name, expected=Expected.MENDED, calls=[entry(arguments=arguments)], run=[found]
    )


def _refused(name: str, *calls: Any, text: str = "") -> Shape:
    return Shape(name=name, expected=Expected.REFUSED, calls=calls, text=text)


_TEXT = json.dumps(RIGHT)
_LONG = {**RIGHT, "text": "x" * CHARACTERS_LIMIT}
_TWICE = '{"to": "ann", "to": "ben", "text": "hi"}'
_DEEP = json.loads("[" * (NESTING_LIMIT + 1) + "]" * (NESTING_LIMIT + 1))

SHAPES = (
    _mended("arguments as a string", _TEXT),
    _mended("JSON within a JSON string", json.dumps(_TEXT)),
    _mended("a trailing comma", '{"to": "ann", "text": "hi",}'),
    _mended("a code fence", f"```json\n{_TEXT}\n```"),
    _mended("words around the object", f"Here are the arguments: {_TEXT}"),
    _mended("single quotes and Python's words", "{'to': 'ann', 'text': 'hi', 'urgent': True}",
            urgent=True),
    _mended("another type, without loss", {**RIGHT, "times": "2", "urgent": "true"},
            times=2, urgent=True),
    _mended("null for what may be left out", {**RIGHT, "times": None}),
    Shape(name="two calls of one id", expected=Expected.MENDED,
          calls=[entry(), entry(arguments={**RIGHT, "text": "ho"})],
          run=[RIGHT, {**RIGHT, "text": "ho"}]),
    _refused("truncated JSON", entry(arguments='{"to": "ann", "text": "h')),
    _refused("two values for one name", entry(arguments=_TWICE)),
    _refused("two objects", entry(arguments=f"{_TEXT} or {json.dumps({**RIGHT, 'to': 'ben'})}")),
    _refused("null arguments", {"id": "c", "function": {"name": NAME, "arguments": None}}),
    _refused("a list instead of an object", entry(arguments=[RIGHT])),
    _refused("another type, with loss", entry(arguments={**RIGHT, "times": "2.5"})),
    _refused("a truth value for a number", entry(arguments={**RIGHT, "times": True})),
    _refused("a required argument missing", entry(arguments={"to": "ann"})),
    _refused("an extra argument (bcc)", entry(arguments={**RIGHT, "bcc": "eve"})),
    _refused("no name", {"id": "c", "function": {"arguments": RIGHT}}),
    _refused("an empty name", entry(name="")),
    _refused("no function", {"name": NAME, "arguments": RIGHT}),
    _refused("an unknown tool", entry(name="delete_everything")),
    _refused("a name in other letters (Cyrillic)", entry(name="s\u0435nd_message")),
    _refused("a name with an unseen sign", entry(name="send_\u200bmessage")),
    _refused("a name in another case", entry(name="Send_Message")),
    _refused("a name with a namespace", entry(name=f"functions.{NAME}")),
    _refused("a call within a call", entry(arguments={"name": NAME, "arguments": RIGHT})),
    _refused("two hundred calls", *(entry(number=f"call_{number}") for number in range(200))),
    _refused("arguments of enormous length", entry(arguments=_LONG)),
    _refused("arguments nested without end", entry(arguments={**RIGHT, "tags": _DEEP})),
    _refused("a call as JSON in the text", text=json.dumps({"name": NAME, "arguments": RIGHT})),
    _refused("a call in <tool_call> tags in the text",
             text=f"<tool_call>\n{json.dumps({'name': NAME, 'arguments': RIGHT})}\n</tool_call>"),
    _refused("OpenAI's wrapper in the text", text=json.dumps({"tool_calls": [entry()]})),
)  # fmt: skip


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


Adapter = Callable[[Sequence[Answer]], AbstractAsyncContextManager[Executive]]
"""Opens an executive of one adapter whose server gives these answers."""


@asynccontextmanager
async def bare(answers: Sequence[Answer]) -> AsyncIterator[Executive]:
    """Give the graph the calls as they come out of any adapter, without a server."""
    yield ScriptedExecutive(
        [ScriptedReply(text=one.text, calls=_parts(one.calls)) for one in answers]
    )


def _parts(calls: Sequence[Any]) -> tuple[CallPart, ...]:
    found: list[CallPart] = []
    for one in calls:
        found.append(received(one, {part.id for part in found}))
    return tuple(found)


def ollama(serve: Callable[[Any], AbstractAsyncContextManager[str]]) -> Adapter:
    """Return the adapter of Ollama before its double; `serve` gives an application an address."""

    @asynccontextmanager
    async def opened(answers: Sequence[Answer]) -> AsyncIterator[Executive]:
        replies = [Say(text=one.text, calls=list(one.calls)) for one in answers]
        async with serve(OllamaDouble(scripted(*replies))) as url:
            yield OllamaExecutive(
                _MODEL, url=url, version="0.33.3", context_tokens=_MODEL.trained_tokens
            )

    return opened


def openai(serve: Callable[[Any], AbstractAsyncContextManager[str]]) -> Adapter:
    """Return the adapter of OpenAI's protocol before its double."""

    @asynccontextmanager
    async def opened(answers: Sequence[Answer]) -> AsyncIterator[Executive]:
        replies = [Say(text=one.text, calls=list(one.calls)) for one in answers]
        name, tokens = "qwen3-14b", _MODEL.trained_tokens
        double = OpenAiDouble(
            scripted(*replies), models=[DoubleModel(name=name, context_tokens=tokens)]
        )
        async with serve(double) as url:
            yield OpenAiExecutive(
                OpenAiModel(name=name, context_tokens=tokens, native_tools=True),
                url=url,
                kind=Kind.LLAMA_CPP,
                timeouts=Timeouts(),
            )

    return opened


_MODEL = OllamaModel(
    name="qwen3:14b",
    size_bytes=0,
    parameters="14.8B",
    quantisation="Q4_K_M",
    capabilities=frozenset({"completion", "tools"}),
    trained_tokens=40_960,
)


async def rows(adapters: Mapping[str, Adapter], shapes: Sequence[Shape] = SHAPES) -> list[Row]:
    """Send each shape through each adapter and the graph."""
    if not adapters or not shapes:
        raise AgentError("Nothing was sent, so nothing can be said of malformed calls.")
    return [
        await _row(shape, name, adapter) for shape in shapes for name, adapter in adapters.items()
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
        cells = [_cell(rows[shape, adapter]) for adapter in adapters]
        yield f"{shape:<{width}}" + "".join(f"{cell:<20}" for cell in cells).rstrip()
    yield ""
    yield (
        f"{told['shapes']} malformed calls, met {told['met']} times: {told['detected']} detected, "
        f"{told['unvalidated']} run unvalidated, {told['right']} became what they have to"
    )


def _cell(row: Mapping[str, Any]) -> str:
    if not row["right"]:
        return f"WRONG: {row['outcome']}"
    return _SHORT[Expected(row["outcome"])]


_SHORT = {Expected.MENDED: "mended, run", Expected.REFUSED: "refused, redone"}
