"""What Ollama is sent. Pure."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from agent.executives import calls, messages
from agent.executives.ollama_server import OllamaModel
from graphs.executive import JsonSchema, Prompt, Wish
from tools.base import ToolSpec


@dataclass(frozen=True, kw_only=True, slots=True)
class OllamaOptions:
    """The options that make Ollama load a model anew when they differ: the same in every call."""

    num_ctx: int
    num_batch: int = 512
    """Ollama raises the batch with the context by itself, at the price of much graphics memory."""


def chat_body(
    model: OllamaModel, options: OllamaOptions, prompt: Prompt, wish: Wish
) -> dict[str, Any]:
    """Return the body of a request to `/api/chat`.

    A wish that must be called, or any with tools where the model has none of its own, goes by
    schema; an answer that has begun in words goes on in words. Thinking is off wherever a schema
    holds.
    """
    native = "tools" in model.capabilities
    by_schema = bool(wish.tools) and (wish.must_call or not native)
    preface = calls.instructions(wish.tools, must_call=wish.must_call) if by_schema else ""
    rendered = messages.native_messages if native else messages.plain_messages
    body: dict[str, Any] = {
        "model": model.name,
        "messages": rendered(prompt, preface=preface),
        "stream": True,
        "think": False,
        "keep_alive": -1,
        "truncate": False,
        # Part of what the runner is started with: another value would load the model anew.
        "shift": False,
        "options": {
            **asdict(options),
            "temperature": wish.temperature,
            "seed": wish.seed,
            "num_predict": wish.max_tokens,
            **({"stop": list(wish.stop)} if wish.stop else {}),
        },
    }
    schema = None if prompt.begun else _schema(wish, by_schema=by_schema)
    if schema is not None:
        return {**body, "format": schema}
    body["think"] = wish.think and not prompt.begun and "thinking" in model.capabilities
    if wish.tools and native:
        body["tools"] = [_described(tool) for tool in wish.tools]
    return body


def _schema(wish: Wish, *, by_schema: bool) -> JsonSchema | None:
    if by_schema:
        callable_tools = wish.tools if wish.may_call else ()
        return calls.union(callable_tools, must_call=wish.must_call and wish.may_call)
    if wish.schema is None or wish.tools:
        return None
    constrained: JsonSchema = calls.constrained(wish.schema)
    return constrained


def _described(tool: ToolSpec) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        },
    }


def read_texts(body: dict[str, Any]) -> list[str]:
    """Return all that the model has to read of a request, one text for each tool and message.

    Tools come first, as in most templates: what a later prompt adds stands behind all of it.
    """
    messages, tools = split_texts(body)
    return [*tools, *messages]


def split_texts(body: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return what the model has to read of the messages, and of the tools."""
    found = []
    for message in body["messages"]:
        called = message.get("tool_calls")
        text = message["content"]
        found.append(f"{text}\n{json.dumps(called, ensure_ascii=False)}" if called else text)
    return found, [json.dumps(tool, ensure_ascii=False) for tool in body.get("tools", ())]
