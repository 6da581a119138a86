"""Tokens of a prompt, counted by the server that will read it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from agent.executives.openai.server import Kind
from agent.executives.wire import Wire

_ASKED = ("model", "messages", "tools", "chat_template_kwargs")
_UNKNOWN = (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED, httpx.codes.NOT_IMPLEMENTED)
_ENDED = ("add_generation_prompt", "continue_final_message")

Way = Callable[[Wire, Mapping[str, Any]], Awaitable[int]]
"""Counts a request's prompt. Raises what httpx, the clock and an answer out of shape raise."""


class Counter:
    """Counts where the server has a tokeniser to ask; forgets a way that does not work."""

    def __init__(self, kind: Kind, wire: Wire) -> None:
        self._wire = wire
        self._ways = list(_WAYS.get(kind, ()))

    async def exact(self, body: Mapping[str, Any]) -> int | None:
        """Return how many tokens a request's prompt has with its template; None: nobody knows."""
        while self._ways:
            try:
                return await self._ways[0](self._wire, body)
            except httpx.HTTPStatusError as error:
                if error.response.status_code not in _UNKNOWN:
                    return None
                del self._ways[0]
            except (KeyError, TypeError, ValueError):
                del self._ways[0]
            except (httpx.HTTPError, OSError, TimeoutError):
                return None
        return None


async def _input_tokens(wire: Wire, body: Mapping[str, Any]) -> int:
    return int((await _told(wire, "/v1/chat/completions/input_tokens", body))["input_tokens"])


async def _applied(wire: Wire, body: Mapping[str, Any]) -> int:
    """Count by the two endpoints that older servers have."""
    prompt = (await _told(wire, "/apply-template", body))["prompt"]
    asked = {"content": prompt, "add_special": True, "parse_special": True}
    return len((await _told(wire, "/tokenize", asked))["tokens"])


async def _tokenized(wire: Wire, body: Mapping[str, Any]) -> int:
    asked = {key: body[key] for key in (*_ASKED, *_ENDED) if key in body}
    return int((await _told(wire, "/tokenize", asked))["count"])


async def _told(wire: Wire, path: str, body: Mapping[str, Any]) -> Any:
    answer = await wire.ask("POST", path, body=body)
    return answer.raise_for_status().json()


_WAYS: dict[Kind, tuple[Way, ...]] = {
    Kind.LLAMA_CPP: (_input_tokens, _applied),
    Kind.VLLM: (_tokenized,),
}
