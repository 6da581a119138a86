"""One answer of the double: its prompt counted and cut, its events made."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from agent.ollama_double.models import Resident, pieces, stamp
from agent.ollama_double.script import Asked, BreakOff, FailMidway, Hang, Raw, Reply, Say

MESSAGE_TOKENS = 4
_LOADING_NS, _LOADED_NS = 2_431_000_000, 24_000_000
_PROMPT_NS, _TOKEN_NS, _SPILLED_TOKEN_NS = 1_200_000, 18_500_000, 400_000_000


class Refused(Exception):  # noqa: N818 - it is an answer of the server, not a fault of ours
    """A request that gets a status and an error."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error


def prepared(asked: Asked, resident: Resident, *, now: Callable[[], datetime]) -> "Turn":
    """Check a request against its model, count its prompt and cut it. Raises Refused."""
    body, model = asked.body, resident.model
    if body.get("tools") and "tools" not in model.capabilities:
        raise Refused(400, f"{model.name} does not support tools")
    if body.get("think") and "thinking" not in model.capabilities:
        raise Refused(400, f'"{model.name}" does not support thinking')
    given = _messages(asked)
    tools = json.dumps(body["tools"]) if body.get("tools") else ""
    asked.prompt_tokens = _count(given, tools)
    kept = given
    if asked.prompt_tokens > resident.context:
        if body.get("truncate", True) is False:
            raise Refused(400, _too_long(asked.prompt_tokens, resident.context))
        kept = _cut(given, tools, resident.context)
    asked.read_tokens = min(_count(kept, tools), resident.context)
    return Turn(asked, resident, kept, now=now)


def _too_long(tokens: int, context: int) -> str:
    """Return the words of llama-server, which Ollama hands on as they are."""
    error = {
        "code": 400,
        "message": f"request ({tokens} tokens) exceeds the available context size "
        f"({context} tokens), try increasing it",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": tokens,
        "n_ctx": context,
    }
    return json.dumps({"error": error})


def _messages(asked: Asked) -> list[Mapping[str, Any]]:
    if asked.path == "/api/chat":
        return list(asked.body["messages"])
    system = asked.body.get("system")
    prompt = {"role": "user", "content": asked.body["prompt"]}
    return [{"role": "system", "content": system}, prompt] if system else [prompt]


def _read(message: Mapping[str, Any]) -> str:
    called = message.get("tool_calls")
    return f"{message.get('content', '')} {json.dumps(called) if called else ''}"


def _count(messages: Sequence[Mapping[str, Any]], tools: str) -> int:
    read = sum(MESSAGE_TOKENS + len(pieces(_read(message))) for message in messages)
    return read + len(pieces(tools))


def _cut(
    messages: Sequence[Mapping[str, Any]], tools: str, context: int
) -> list[Mapping[str, Any]]:
    """Drop the oldest turns until the rest fits; system texts and the last turn stay."""
    for start in range(len(messages)):
        system = [message for message in messages[:start] if message["role"] == "system"]
        kept = [*system, *messages[start:]]
        if _count(kept, tools) <= context or start == len(messages) - 1:
            return kept
    return list(messages)


class Turn:
    """The answer to one request."""

    def __init__(
        self,
        asked: Asked,
        resident: Resident,
        kept: Sequence[Mapping[str, Any]],
        *,
        now: Callable[[], datetime],
    ) -> None:
        self.asked = asked
        self._resident = resident
        self._now = now
        self._model: str | None = None
        read = [piece for message in kept for piece in pieces(_read(message))]
        self._cached = _common(resident.cached, read)
        resident.cached = read

    @staticmethod
    def hangs(reply: Reply) -> bool:
        """Whether a reply stays silent at its end."""
        return isinstance(reply, Hang)

    def events(self, reply: Reply) -> Iterator[dict[str, Any] | str]:
        """Yield the lines of the stream."""
        match reply:
            case Say():
                yield from self._said(reply)
            case Raw(lines=lines):
                yield from lines
            case FailMidway(text=text, error=error):
                yield from (self._event(content=piece) for piece in spoken(text))
                yield {"error": error}
            case BreakOff(text=text) | Hang(text=text):
                yield from (self._event(content=piece) for piece in spoken(text))
            case _:
                raise AssertionError(f"{reply} is no stream")

    def whole(self, reply: Reply) -> dict[str, Any]:
        """Return the one object of a request that wants no stream. Raises Refused."""
        events = list(self.events(reply))
        last = events[-1]
        if not isinstance(last, dict) or "error" in last or not last.get("done"):
            error = last.get("error", "unexpected EOF") if isinstance(last, dict) else "no object"
            raise Refused(500, error)
        if self.asked.path != "/api/chat":
            text = "".join(event["response"] for event in events if isinstance(event, dict))
            return {**last, "response": text}
        message: dict[str, Any] = {"role": "assistant", "content": ""}
        for event in events:
            part = event["message"] if isinstance(event, dict) else {}
            message["content"] += part.get("content", "")
            if "thinking" in part:
                message["thinking"] = message.get("thinking", "") + part["thinking"]
            if "tool_calls" in part:
                message["tool_calls"] = [*message.get("tool_calls", []), *part["tool_calls"]]
        return {**last, "message": message}

    def _said(self, reply: Say) -> Iterator[dict[str, Any]]:
        self._model = reply.model
        thinks = (
            "thinking" in self._resident.model.capabilities
            and self.asked.body.get("think") is not False
        )
        for piece in spoken(reply.thinking) if thinks else ():
            yield self._event(thinking=piece)
        limit = (self.asked.body.get("options") or {}).get("num_predict", -1)
        text = stopped(reply.text, (self.asked.body.get("options") or {}).get("stop") or ())
        said = spoken(text)
        cut = 0 <= limit < len(said)
        for piece in said[:limit] if cut else said:
            yield self._event(content=piece)
        extra: dict[str, Any] = {}
        if reply.calls and reply.calls_at_end:
            extra = {"tool_calls": list(reply.calls)}
        elif reply.calls:
            yield self._event(tool_calls=list(reply.calls))
        tokens = (limit if cut else len(said)) + len(reply.calls)
        yield {
            **self._event(**extra),
            "done": True,
            "done_reason": reply.done_reason or ("length" if cut else "stop"),
            **self._figures(reply, tokens),
        }

    def _figures(self, reply: Say, tokens: int) -> dict[str, int]:
        read = self.asked.read_tokens
        counted = read if reply.prompt_eval_count is None else reply.prompt_eval_count
        load = _LOADING_NS if self.asked.loaded else _LOADED_NS
        each = _SPILLED_TOKEN_NS if self._resident.spilled_bytes else _TOKEN_NS
        prompt, answer = (read - self._cached) * _PROMPT_NS, tokens * each
        return {
            "total_duration": load + prompt + answer,
            "load_duration": load,
            "prompt_eval_count": counted,
            "prompt_eval_cached_count": self._cached,
            "prompt_eval_duration": prompt,
            "eval_count": tokens,
            "eval_duration": answer,
        }

    def _event(self, *, content: str = "", **more: Any) -> dict[str, Any]:
        head = {"model": self._model or self.asked.body["model"], "created_at": stamp(self._now())}
        if self.asked.path == "/api/chat":
            message = {"role": "assistant", "content": content, **more}
            return {**head, "message": message, "done": False}
        return {**head, "response": content, **more, "done": False}


def spoken(text: str) -> list[str]:
    """Cut a text into pieces that join to it again, one for each token."""
    found: list[str] = []
    end = 0
    for piece in pieces(text):
        stop = text.index(piece, end) + len(piece)
        found.append(text[end:stop])
        end = stop
    if end < len(text):
        found.append(text[end:])
    return found


def stopped(text: str, stops: Sequence[str]) -> str:
    """Cut a text before the first stop word."""
    ends = [text.index(stop) for stop in stops if stop in text]
    return text[: min(ends)] if ends else text


def _common(before: Sequence[str], after: Sequence[str]) -> int:
    """Return how many pieces at the beginning are the same; the last is always evaluated."""
    count = 0
    for one, other in zip(before, after[:-1], strict=False):
        if one != other:
            break
        count += 1
    return count
