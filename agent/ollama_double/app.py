"""The double as an ASGI application.

It follows Ollama 0.33's server: its paths, field names, errors and order of events, durations in
nanoseconds, models loaded anew when their options change, and prompts that are cut without a word
unless `truncate` is false. Tokens are counted by the rule of `models.pieces`, with four more for
each message.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from agent.ollama_double import asgi
from agent.ollama_double.asgi import Receive, Send
from agent.ollama_double.generate import Refused, Turn, prepared
from agent.ollama_double.models import (
    CardFullError,
    DoubleModel,
    Shelf,
    duration,
    pieces,
    stamp,
    vector,
)
from agent.ollama_double.pulls import NAME, Pulls
from agent.ollama_double.script import Asked, BreakOff, Refuse, Reply, Script
from agent.ollama_double.shown import listed, shown

VERSION = "0.33.3"

_FULL = "llama-server process has terminated: cudaMalloc failed: out of memory"

Now = Callable[[], datetime]


class CutConnectionError(Exception):
    """Raised on purpose: the server that runs the double then drops the connection."""


class OllamaDouble:
    """An Ollama server that answers from a script, and remembers what it was asked."""

    def __init__(
        self,
        script: Script | None = None,
        *,
        models: Sequence[DoubleModel] = (DoubleModel(),),
        version: str = VERSION,
        pace_s: float = 0.0,
        now: Now = lambda: datetime.now(UTC),
        card_bytes: int | None = None,
    ) -> None:
        self.script = script or Script()
        self.shelf = Shelf(models, card_bytes=card_bytes)
        self.pulls = Pulls(self.script.pulls)
        self.asked: list[Asked] = []
        """Requests for an answer, in their order."""
        self._version = version
        self._pace_s = pace_s
        self._now = now
        self._routes: dict[tuple[str, str], Callable[[Any], Awaitable[Any]]] = {
            ("GET", "/"): self._root,
            ("HEAD", "/"): self._root,
            ("GET", "/api/version"): self._tell_version,
            ("GET", "/api/tags"): self._tags,
            ("GET", "/api/ps"): self._ps,
            ("POST", "/api/show"): self._show,
            ("POST", "/api/embed"): self._embed,
        }

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan of the server that runs this."""
        if scope["type"] == "lifespan":
            await asgi.lifespan(receive, send)
            return
        method, path = scope["method"], scope["path"]
        try:
            body = await asgi.body(receive)
            if method == "POST" and path in ("/api/chat", "/api/generate"):
                await self._answer(path, body, receive, send)
            elif method == "POST" and path == "/api/pull":
                await self._pull(body, receive, send)
            elif (method, path) in self._routes:
                await asgi.plain(send, 200, await self._routes[method, path](body))
            else:
                await asgi.plain(send, 404, "404 page not found")
        except Refused as refused:
            await asgi.plain(send, refused.status, {"error": refused.error})
        except CardFullError:
            await asgi.plain(send, 500, {"error": _FULL})

    async def _root(self, _: Any) -> str:
        return "Ollama is running"

    async def _tell_version(self, _: Any) -> dict[str, str]:
        return {"version": self._version}

    async def _tags(self, _: Any) -> dict[str, Any]:
        return {"models": [listed(model, self._now()) for model in self.shelf.models()]}

    async def _ps(self, _: Any) -> dict[str, Any]:
        return {"models": self.shelf.listed(self._now())}

    async def _show(self, body: dict[str, Any]) -> dict[str, Any]:
        return shown(self._found(body), self._now(), verbose=bool(body.get("verbose")))

    async def _embed(self, body: dict[str, Any]) -> dict[str, Any]:
        model = self._found(body)
        if "embedding" not in model.capabilities:
            raise Refused(400, f'"{model.name}" does not support embeddings')
        resident, fresh = self.shelf.load(model, body, self._now())
        given = body.get("input", "")
        texts = [given] if isinstance(given, str) else list(given)
        counts = [len(pieces(text)) for text in texts]
        if body.get("truncate", True) is False and max(counts, default=0) > resident.context:
            raise Refused(400, "the input length exceeds the context length")
        return {
            "model": model.name,
            "embeddings": [vector(text, model.dimensions) for text in texts],
            "total_duration": 14_143_917,
            "load_duration": 1_019_500_000 if fresh else 1_019_500,
            "prompt_eval_count": sum(min(count, resident.context) for count in counts),
        }

    async def _pull(self, body: Any, receive: Receive, send: Send) -> None:
        name = str((body or {}).get("model") or (body or {}).get("name") or "")
        if not NAME.fullmatch(name):
            raise Refused(400, "invalid model name")
        model = self.shelf.planned(name)
        events = self.pulls.events(model)
        if body.get("stream", True) is False:
            await self._pulled_at_once(model, list(events), send)
            return
        gone = asyncio.create_task(asgi.disconnected(receive))
        try:
            await asgi.begin(send, 200, "application/x-ndjson")
            async for event in asgi.paced(events, self._pace_s):
                if gone.done():
                    return
                if event.get("status") == "success":
                    self.shelf.add(model.name)
                await asgi.line(send, event)
            if self.pulls.hangs(model):
                await gone
            await asgi.end(send)
        finally:
            gone.cancel()

    async def _pulled_at_once(
        self, model: DoubleModel, events: Sequence[dict[str, Any]], send: Send
    ) -> None:
        last = events[-1]
        if "error" in last:
            raise Refused(500, last["error"])
        self.shelf.add(model.name)
        await asgi.plain(send, 200, last)

    async def _answer(self, path: str, body: Any, receive: Receive, send: Send) -> None:
        asked = Asked(path=path, body=body)
        model = self._found(body)
        if _is_empty(path, body):
            await asgi.plain(send, 200, self._moved(path, model, body))
            return
        self.asked.append(asked)
        try:
            await self._reply(asked, model, receive, send)
        finally:
            asked.over.set()

    async def _reply(self, asked: Asked, model: DoubleModel, receive: Receive, send: Send) -> None:
        reply = self.script.next(asked)
        if isinstance(reply, Refuse):
            raise Refused(reply.status, reply.error)
        resident, asked.loaded = self.shelf.load(model, asked.body, self._now())
        turn = prepared(asked, resident, now=self._now)
        if asked.body.get("stream", True) is False:
            await asgi.plain(send, 200, turn.whole(reply))
        else:
            await self._stream(turn, reply, receive, send)

    async def _stream(self, turn: Turn, reply: Reply, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(asgi.disconnected(receive))
        try:
            await asgi.begin(send, 200, "application/x-ndjson")
            async for event in asgi.paced(turn.events(reply), self._pace_s):
                if gone.done():
                    break
                await asgi.line(send, event)
            if not gone.done() and turn.hangs(reply):
                await gone
            turn.asked.gone = gone.done()
            if isinstance(reply, BreakOff) and not reply.cleanly:
                raise CutConnectionError
            await asgi.end(send)
        finally:
            gone.cancel()

    def _moved(self, path: str, model: DoubleModel, body: Any) -> dict[str, Any]:
        """Load or unload a model, as a request without a prompt asks."""
        keep_alive = body.get("keep_alive")
        unload = keep_alive is not None and not duration(keep_alive)
        if unload:
            self.shelf.unload(model)
        else:
            self.shelf.load(model, body, self._now())
        empty: dict[str, Any] = (
            {"message": {"role": "assistant", "content": ""}}
            if path == "/api/chat"
            else {"response": ""}
        )
        return {
            "model": model.name,
            "created_at": stamp(self._now()),
            **empty,
            "done": True,
            "done_reason": "unload" if unload else "load",
        }

    def _found(self, body: Any) -> DoubleModel:
        if not isinstance(body, dict):
            raise Refused(400, "missing request body")
        name = body.get("model") or body.get("name")
        if not name:
            raise Refused(400, "model is required")
        model = self.shelf.find(str(name))
        if model is None:
            raise Refused(404, f"model '{name}' not found")
        return model


def _is_empty(path: str, body: Any) -> bool:
    return not (body.get("messages") if path == "/api/chat" else body.get("prompt"))
