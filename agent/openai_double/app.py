"""The double as an ASGI application.

It follows llama.cpp's server, vLLM or LM Studio: their paths, what they tell of their models, their
errors and the order of events. Tokens are counted by the rule of the double of Ollama.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.executives.openai.server import Kind
from agent.ollama_double import asgi
from agent.ollama_double.app import CutConnectionError
from agent.ollama_double.asgi import Receive, Send
from agent.ollama_double.generate import Refused
from agent.ollama_double.script import Asked, BreakOff, Hang, Refuse, Reply, Script
from agent.openai_double.generate import Turn, counted

Route = Callable[[Any], Awaitable[Any]]
"""Answers a request's body."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DoubleModel:
    """A model."""

    name: str = "qwen3-14b"
    context_tokens: int = 8_192
    native_tools: bool = True
    size_bytes: int = 9_276_198_565


class OpenAiDouble:
    """A server that answers from a script, and remembers what it was asked."""

    def __init__(
        self,
        script: Script | None = None,
        *,
        kind: Kind = Kind.LLAMA_CPP,
        models: Sequence[DoubleModel] = (DoubleModel(),),
        api_key: str | None = None,
        cuts_silently: bool = False,
        pace_s: float = 0.0,
    ) -> None:
        """`cuts_silently`: a prompt that is too long is cut, as some servers do, not refused."""
        self.script = script or Script()
        self.kind = kind
        self.models = list(models)
        self.asked: list[Asked] = []
        """Requests for an answer, in their order."""
        self.counts = 0
        """Requests for a count."""
        self._api_key = api_key
        self._cuts_silently = cuts_silently
        self._pace_s = pace_s
        self._cached: list[str] = []

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan of the server that runs this."""
        if scope["type"] == "lifespan":
            await asgi.lifespan(receive, send)
            return
        method, path = scope["method"], scope["path"]
        try:
            body = await asgi.body(receive)
            self._let_in(path, dict(scope["headers"]))
            if (method, path) == ("POST", "/v1/chat/completions"):
                await self._answer(body, receive, send)
            else:
                route: Route = self._routes().get((method, path), _nowhere)
                await asgi.plain(send, 200, await route(body))
        except Refused as refused:
            await asgi.plain(send, refused.status, _error(refused))

    def _let_in(self, path: str, headers: Mapping[bytes, bytes]) -> None:
        given = headers.get(b"authorization", b"").decode()
        if self._api_key and path != "/health" and given != f"Bearer {self._api_key}":
            raise Refused(401, f"Incorrect API key provided: {given.removeprefix('Bearer ')}")

    def _routes(self) -> dict[tuple[str, str], Route]:
        routes: dict[tuple[str, str], Route] = {("GET", "/v1/models"): self._listed}
        match self.kind:
            case Kind.LLAMA_CPP:
                routes["GET", "/props"] = self._props
                routes["POST", "/v1/chat/completions/input_tokens"] = self._input_tokens
            case Kind.VLLM:
                routes["POST", "/tokenize"] = self._tokenized
            case Kind.LM_STUDIO:
                routes["GET", "/api/v0/models"] = self._studio
            case _:
                pass
        return routes

    async def _listed(self, _: Any) -> dict[str, Any]:
        return {"object": "list", "data": [self._entry(model) for model in self.models]}

    def _entry(self, model: DoubleModel) -> dict[str, Any]:
        entry: dict[str, Any] = {"id": model.name, "object": "model", "created": 0}
        match self.kind:
            case Kind.LLAMA_CPP:
                meta = {"n_ctx_train": 40_960, "size": model.size_bytes}
                return {**entry, "owned_by": "llamacpp", "meta": meta}
            case Kind.VLLM:
                return {**entry, "owned_by": "vllm", "max_model_len": model.context_tokens}
            case _:
                return entry

    async def _props(self, _: Any) -> dict[str, Any]:
        model = self.models[0]
        return {
            "default_generation_settings": {"n_ctx": model.context_tokens},
            "total_slots": 1,
            "chat_template_caps": {"supports_tools": model.native_tools},
        }

    async def _studio(self, _: Any) -> dict[str, Any]:
        return {
            "data": [
                {
                    "id": model.name,
                    "type": "llm",
                    "state": "loaded",
                    "max_context_length": 40_960,
                    "loaded_context_length": model.context_tokens,
                    "capabilities": ["tool_use"] if model.native_tools else [],
                }
                for model in self.models
            ]
        }

    async def _input_tokens(self, body: Any) -> dict[str, Any]:
        self.counts += 1
        return {"object": "response.input_tokens", "input_tokens": len(counted(body))}

    async def _tokenized(self, body: Any) -> dict[str, Any]:
        self.counts += 1
        count = len(counted(body))
        return {"count": count, "max_model_len": self.models[0].context_tokens, "tokens": []}

    async def _answer(self, body: Any, receive: Receive, send: Send) -> None:
        asked = Asked(path="/v1/chat/completions", body=body)
        self.asked.append(asked)
        try:
            reply = self.script.next(asked)
            if isinstance(reply, Refuse):
                raise Refused(reply.status, reply.error)
            await self._stream(self._prepared(asked), reply, receive, send)
        finally:
            asked.over.set()

    def _prepared(self, asked: Asked) -> Turn:
        """Find the model, count the prompt and cut it. Raises Refused."""
        name = asked.body["model"]
        model = next((one for one in self.models if one.name == name), None)
        if model is None and self.kind is not Kind.LLAMA_CPP:
            raise Refused(404, f"The model `{name}` does not exist.")
        model = model or self.models[0]  # a server with one model does not look at the name
        read = counted(asked.body)
        asked.prompt_tokens = len(read)
        if len(read) > model.context_tokens:
            if not self._cuts_silently:
                raise Refused(400, _too_long(len(read), model.context_tokens))
            read = read[-model.context_tokens :]
        wanted = len(read) + asked.body["max_tokens"]
        if self.kind is Kind.VLLM and wanted > model.context_tokens:
            raise Refused(400, _together_too_long(wanted, model.context_tokens))
        asked.read_tokens = len(read)
        cached, self._cached = self._cached, read
        return Turn(asked, model.name, cached=_common(cached, read))

    async def _stream(self, turn: Turn, reply: Reply, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(asgi.disconnected(receive))
        try:
            await asgi.begin(send, 200, "text/event-stream")
            async for event in asgi.paced(turn.events(reply), self._pace_s):
                if gone.done():
                    break
                await asgi.line(send, f"{_data(event)}\n")
            if not gone.done() and isinstance(reply, Hang):
                await gone
            turn.asked.gone = gone.done()
            if isinstance(reply, BreakOff) and not reply.cleanly:
                raise CutConnectionError
            await asgi.end(send)
        finally:
            gone.cancel()


async def _nowhere(_: Any) -> None:
    raise Refused(404, "File Not Found")


def _data(event: Any) -> str:
    return f"data: {event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)}"


def _error(refused: Refused) -> dict[str, Any]:
    try:
        inner = json.loads(refused.error)
    except ValueError:
        inner = None
    if isinstance(inner, dict):
        return inner
    return {"error": {"code": refused.status, "message": refused.error, "type": "server_error"}}


def _too_long(tokens: int, context: int) -> str:
    """Return the words of llama.cpp's server."""
    error = {
        "code": 400,
        "message": f"request ({tokens} tokens) exceeds the available context size "
        f"({context} tokens), try increasing it",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": tokens,
        "n_ctx": context,
    }
    return json.dumps({"error": error})


def _together_too_long(tokens: int, context: int) -> str:
    """Return the words of vLLM, which wants room for the whole answer."""
    return (
        f"This model's maximum context length is {context} tokens. However, you requested {tokens} "
        "tokens. Please reduce the length of the messages or completion."
    )


def _common(before: Sequence[str], after: Sequence[str]) -> int:
    """Return how many pieces at the beginning are the same; the last is always evaluated."""
    count = 0
    for one, other in zip(before, after[:-1], strict=False):
        if one != other:
            break
        count += 1
    return count
