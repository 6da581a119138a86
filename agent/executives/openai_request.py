"""What a server that speaks OpenAI's protocol is sent. Pure."""

import json
from typing import Any

from agent.executives import calls, messages
from agent.executives.openai_server import Kind
from graphs.executive import JsonSchema, Profile, Prompt, Wish
from tools.base import ToolSpec

_TEMPLATE_ARGUMENTS = (Kind.LLAMA_CPP, Kind.VLLM)
"""Servers that hand arguments to the template. Others may refuse what they do not know."""


def chat_body(
    model: str, kind: Kind, profile: Profile, prompt: Prompt, wish: Wish
) -> dict[str, Any]:
    """Return the body of a request to `/v1/chat/completions`.

    A wish that must be called, or any with tools where the model has none of its own, goes by
    schema; an answer that has begun in words goes on in words. Thinking is off wherever a schema
    holds.
    """
    must_call = wish.must_call or not profile.judgement
    by_schema = bool(wish.tools) and (must_call or not profile.native_tools)
    preface = calls.instructions(wish.tools, must_call=must_call) if by_schema else ""
    rendered = messages.openai_messages if profile.native_tools else messages.plain_messages
    schema = None if prompt.begun else _schema(wish, by_schema=by_schema, must_call=must_call)
    body: dict[str, Any] = {
        "model": model,
        "messages": rendered(prompt, preface=preface),
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": wish.max_tokens,
        "temperature": wish.temperature,
        "seed": wish.seed,
    }
    if wish.stop:
        body["stop"] = list(wish.stop)
    if schema is not None:
        answer = {"name": "answer", "strict": True, "schema": schema}
        body["response_format"] = {"type": "json_schema", "json_schema": answer}
    elif wish.tools and profile.native_tools:
        body["tools"] = [_described(tool) for tool in wish.tools]
    think = wish.think and schema is None and not prompt.begun
    return body | _extra(kind, think=think, begun=bool(prompt.begun))


def _extra(kind: Kind, *, think: bool, begun: bool) -> dict[str, Any]:
    """Return what only some servers know."""
    extra: dict[str, Any] = {}
    if kind in _TEMPLATE_ARGUMENTS:
        extra["chat_template_kwargs"] = {"enable_thinking": think}
        if begun:
            extra |= {"continue_final_message": True, "add_generation_prompt": False}
    if kind is Kind.LLAMA_CPP:
        extra["cache_prompt"] = True
    return extra


def _schema(wish: Wish, *, by_schema: bool, must_call: bool) -> JsonSchema | None:
    if by_schema:
        return calls.union(wish.tools, must_call=must_call)
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
    """Return all that the model has to read of a request, one text for each message and tool."""
    found = []
    for message in body["messages"]:
        called = message.get("tool_calls")
        text = message["content"]
        found.append(f"{text}\n{json.dumps(called, ensure_ascii=False)}" if called else text)
    return found + [json.dumps(tool, ensure_ascii=False) for tool in body.get("tools", ())]
