"""What a server that speaks OpenAI's protocol is sent. Pure."""

from typing import Any

from agent.executives import messages
from agent.executives.bodies import asked_schema, described
from agent.executives.openai.server import Kind
from agent.executives.schemas import calls
from graphs.executive import Profile, Prompt, Wish

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
    schema = None if prompt.begun else asked_schema(wish, by_schema=by_schema, must_call=must_call)
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
        body["tools"] = [described(tool) for tool in wish.tools]
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
