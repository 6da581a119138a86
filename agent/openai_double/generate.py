"""One answer of the double: its prompt counted, its events made."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from agent.ollama_double.generate import MESSAGE_TOKENS, spoken, stopped
from agent.ollama_double.models import pieces
from agent.ollama_double.script import Asked, BreakOff, FailMidway, Hang, Raw, Reply, Say

DONE = "[DONE]"


def counted(body: Mapping[str, Any]) -> list[str]:
    """Return the tokens of a request's prompt."""
    read: list[str] = []
    for message in body["messages"]:
        called = message.get("tool_calls")
        text = f"{message.get('content', '')} {json.dumps(called) if called else ''}"
        read += ["<message>"] * MESSAGE_TOKENS + pieces(text)
    return read + (pieces(json.dumps(body["tools"])) if body.get("tools") else [])


class Turn:
    """The answer to one request."""

    def __init__(self, asked: Asked, model: str, *, cached: int) -> None:
        self.asked = asked
        self._model = model
        self._cached = cached

    def events(self, reply: Reply) -> Iterator[dict[str, Any] | str]:
        """Yield the events of the stream."""
        match reply:
            case Say():
                yield from self._said(reply)
            case Raw(lines=lines):
                yield from lines
            case FailMidway(text=text, error=error):
                yield from (self._event(content=piece) for piece in spoken(text))
                yield {"error": {"code": 500, "message": error, "type": "server_error"}}
            case BreakOff(text=text) | Hang(text=text):
                yield from (self._event(content=piece) for piece in spoken(text))
            case _:
                raise AssertionError(f"{reply} is no stream")

    def _said(self, reply: Say) -> Iterator[dict[str, Any] | str]:
        self._model = reply.model or self._model
        yield self._event(role="assistant", content=None)
        template = self.asked.body.get("chat_template_kwargs") or {}
        for piece in spoken(reply.thinking) if template.get("enable_thinking", True) else ():
            yield self._event(reasoning_content=piece)
        text = stopped(reply.text, self.asked.body.get("stop") or ())
        said, limit = spoken(text), self.asked.body.get("max_tokens", -1)
        cut = 0 <= limit < len(said)
        for piece in said[:limit] if cut else said:
            yield self._event(content=piece)
        for number, one in enumerate(reply.calls):
            yield from self._called(number, one)
        ended = "length" if cut else "tool_calls" if reply.calls else "stop"
        yield self._event(finish_reason=reply.done_reason or ended)
        tokens = (limit if cut else len(said)) + len(reply.calls)
        yield {**self._event(), "choices": [], "usage": self._usage(reply, tokens)}
        yield DONE

    def _called(self, number: int, call: Any) -> Iterator[dict[str, Any]]:
        """Send a call in pieces as servers do; one out of shape goes as it is."""
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("arguments"), dict):
            yield self._event(tool_calls=[call])
            return
        packed = json.dumps(function["arguments"])
        head = {"name": function.get("name"), "arguments": ""}
        identity = {"index": number, "id": call.get("id", f"call_{number}"), "type": "function"}
        yield self._event(tool_calls=[{**identity, "function": head}])
        for start in range(0, len(packed), 8):
            piece = {"arguments": packed[start : start + 8]}
            yield self._event(tool_calls=[{"index": number, "function": piece}])

    def _usage(self, reply: Say, tokens: int) -> dict[str, Any]:
        read = self.asked.read_tokens
        told = read if reply.prompt_eval_count is None else reply.prompt_eval_count
        return {
            "prompt_tokens": told,
            "completion_tokens": tokens,
            "total_tokens": told + tokens,
            "prompt_tokens_details": {"cached_tokens": self._cached},
        }

    def _event(self, *, finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 0,
            "model": self._model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
        }
