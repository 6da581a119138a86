"""The same conversation on all three adapters, with the embedded model behind each.

An answer that is cut by its length and goes on, a call and its result, a verdict by schema. The
double of Ollama and the port of llama.cpp's server have the same file behind them as the process.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from pydantic import BaseModel, ConfigDict, Field

from agent.errors import AgentError
from agent.executives.choose import AnyExecutive, Choosing, ChoosingOpenAi, choose
from agent.executives.gguf.header import embedded_model
from agent.executives.llamacpp.executive import LlamaCppExecutive
from agent.executives.llamacpp.server import LlamaPort
from agent.loopback import serving
from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.models import DoubleModel
from agent.ollama_double.script import Asked, Raw, computed
from graphs.executive import CallPart, EndReason, Executive, Prompt, Wish
from graphs.reply import Reply, ask
from memory.sizing import usable_cores
from tools.base import Effect, ToolSpec

CONTEXT_TOKENS = 2_048
CUT = "‖"
"""Stands in a transcript where an answer was cut and went on."""


class Recall(BaseModel):
    """Arguments of the tool."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(max_length=60)


class Verdict(BaseModel):
    """What is asked for by schema."""

    model_config = ConfigDict(extra="forbid")

    item: str = Field(max_length=20)
    euros: int = Field(ge=1, le=999)


_RECALL = ToolSpec(
    name="recall",
    description="Search memory for passages on a topic.",
    parameters=Recall.model_json_schema(),
    effect=Effect.READ,
)
_CALLING = Wish(tools=[_RECALL], must_call=True, max_tokens=80)
_ANSWERING = Wish(max_tokens=10)
_JUDGING = Wish(schema=Verdict.model_json_schema(), max_tokens=60)
_SYSTEM = "You answer in one short sentence."
_ASKED = "The warranty of the pump is 24 months from the day of purchase. What is its warranty?"
_SENT = "Search memory for the price of the pump."
_RESULT = "The pump costs 180 euros."
_JUDGED = "What does it cost, in euros?"


async def held(executive: Executive) -> dict[str, Any]:
    """Hold the conversation. Raises AgentError if a step of it is not what it has to be."""
    said = _Conversation(executive)
    answer = await said.next(_ANSWERING, HumanMessage(_ASKED))
    if not answer.text.strip():
        raise AgentError(f"{executive.profile.name} answered nothing.")
    said.answered(answer)
    (call,) = (await said.next(_CALLING, HumanMessage(_SENT))).calls
    Recall.model_validate(call.arguments)
    said.called(call)
    said.heard(ToolMessage(_RESULT, tool_call_id=call.id, name=call.name))
    verdict = await said.next(_JUDGING, HumanMessage(_JUDGED))
    said.judged(Verdict.model_validate_json(verdict.text))
    return {
        "executive": executive.profile.name,
        "lines": said.lines,
        "goes_on": said.cuts,
        "prompt_tokens": [reply.end.prompt_tokens for reply in said.replies],
        "answer_tokens": [reply.end.answer_tokens for reply in said.replies],
    }


class _Conversation:
    """What was said so far, for the model and for a reader."""

    def __init__(self, executive: Executive) -> None:
        self._executive = executive
        self._messages: list[AnyMessage] = []
        self._shown = ""
        self.replies: list[Reply] = []
        self.lines: list[str] = []
        self.cuts = 0

    async def next(self, wish: Wish, message: AnyMessage) -> Reply:
        """Put a message to the model and return its reply."""
        self.heard(message)
        self._shown = ""
        prompt = Prompt(system=_SYSTEM, messages=tuple(self._messages))
        reply = await ask(self._executive, prompt, wish, self._event)
        self.replies.append(reply)
        return reply

    def heard(self, message: AnyMessage) -> None:
        """Take note of what the model is told."""
        self._messages.append(message)
        who = "user" if isinstance(message, HumanMessage) else "result"
        self.lines.append(f"{who:<9} {message.text}")

    def called(self, call: CallPart) -> None:
        """Take note of a call."""
        made = {"id": call.id, "name": call.name, "args": call.arguments}
        self._messages.append(AIMessage("", tool_calls=[made]))
        self.lines.append(f"{'call':<9} {call.name} {json.dumps(call.arguments)}")

    def answered(self, reply: Reply) -> None:
        """Take note of an answer in words."""
        self._messages.append(AIMessage(reply.text))
        end = " (cut)" if reply.end.reason is EndReason.LENGTH else ""
        self.lines.append(f"{'assistant':<9} {' '.join(self._shown.split())}{end}")

    def judged(self, verdict: Verdict) -> None:
        """Take note of a verdict."""
        self.lines.append(f"{'verdict':<9} {verdict.model_dump_json()}")

    def _event(self, event: dict[str, Any]) -> None:
        if event["event"] == "text":
            self._shown += event["text"]
        if event["event"] == "asked_again" and event["goes_on"]:
            self._shown += CUT
            self.cuts += 1


async def measure() -> dict[str, Any]:
    """Hold the conversation on each adapter, one after the other."""
    async with aclosing(_executives()) as executives:
        return {
            "adapters": [
                {"adapter": adapter, **await held(executive)}
                async for adapter, executive in executives
            ]
        }


async def _executives() -> AsyncGenerator[tuple[str, Executive], None]:
    path = embedded_model()
    port = LlamaPort(path, context_tokens=CONTEXT_TOKENS, cores=usable_cores())
    try:
        async with _ollama(port) as executive:
            yield "ollama, its double before the model", executive
        openai = ChoosingOpenAi(url=port.url, api_key=port.key, probe_timeout_s=10.0)
        executive = await _chosen(Choosing(wanted=f"openai:{path.stem}", openai=openai))
        yield "openai, a server of llama.cpp", executive
    finally:
        port.close()
    own = LlamaCppExecutive.embedded(context_tokens=CONTEXT_TOKENS)
    async with aclosing(own):
        yield "in process", own


@asynccontextmanager
async def _ollama(port: LlamaPort) -> AsyncIterator[AnyExecutive]:
    """Put the model behind a double of Ollama, which speaks its protocol and has none."""
    model = DoubleModel(name="smollm2:135m", capabilities=("completion",), context_length=8_192)
    double = OllamaDouble(computed(_behind(port)), models=[model])
    async with serving(double) as url:
        yield await _chosen(
            Choosing(wanted=f"ollama:{model.name}", url=url, server_context_tokens=CONTEXT_TOKENS)
        )


async def _chosen(choosing: Choosing) -> AnyExecutive:
    return (await choose(replace(choosing, probe_timeout_s=10.0))).executive


def _behind(port: LlamaPort) -> Callable[[Asked], Raw]:
    """Return what lets the model answer requests to `/api/chat`, in Ollama's lines."""

    def respond(asked: Asked) -> Raw:
        body, options = asked.body, asked.body["options"]
        wanted: dict[str, Any] = {
            "messages": body["messages"],
            "max_tokens": options["num_predict"],
            "temperature": options["temperature"],
            "seed": options["seed"],
        }
        if "format" in body:
            shape = {"name": "answer", "schema": body["format"]}
            wanted["response_format"] = {"type": "json_schema", "json_schema": shape}
        answer = httpx.post(
            f"{port.url}/v1/chat/completions",
            json=wanted,
            headers={"Authorization": f"Bearer {port.key}"},
            timeout=60.0,
            trust_env=False,
        )
        return Raw(lines=_lines(str(body["model"]), body["messages"], answer.json()))

    return respond


def _lines(model: str, messages: Sequence[Any], answer: dict[str, Any]) -> list[str]:
    (choice,) = answer["choices"]
    text = str(choice["message"]["content"])
    if messages[-1]["role"] == "assistant":
        text = text.removeprefix(messages[-1]["content"])  # Ollama gives only what is new
    spoken = {"model": model, "message": {"content": text}, "done": False}
    last = {
        "model": model,
        "message": {"content": ""},
        "done": True,
        "done_reason": choice["finish_reason"],
        "prompt_eval_count": answer["usage"]["prompt_tokens"],
        "eval_count": answer["usage"]["completion_tokens"],
    }
    return [json.dumps(spoken), json.dumps(last)]


def lines(report: dict[str, Any]) -> Iterator[str]:
    """Write the transcripts, one below the other."""
    for one in report["adapters"]:
        yield f"{one['adapter']}: {one['executive']}"
        yield from (f"  {line}" for line in one["lines"])
        yield f"  tokens    read {one['prompt_tokens']}, written {one['answer_tokens']}"
        yield ""
    yield f"{CUT}: the answer was cut by its length there, and went on"
