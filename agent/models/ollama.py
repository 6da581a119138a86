"""What an Ollama server tells of its models, whole.

The `ollama` package drops the list of tensors, from which the need of a card is computed, so this
speaks HTTP itself.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from agent.executives.gguf.ggml import Tensor, Tensors
from agent.executives.ollama.server import server_words
from agent.models.known import Known
from agent.models.shapes import incomplete, shape_of, trained_tokens
from graphs.errors import ExecutiveUnreachableError

PREFIX = "ollama:"

_TELLING_S = 30.0
"""For one model, of which a server reads the file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalogue:
    """A server that answers, and its models in its own order."""

    url: str
    version: str
    models: tuple[Known, ...]


async def catalogue(url: str, *, timeout_s: float) -> Catalogue | None:
    """Ask a server for all that it has; None if nothing answers there.

    A server that answers and then fails raises ExecutiveUnreachableError.
    """
    async with client(url, timeout_s=httpx.Timeout(_TELLING_S, connect=timeout_s)) as asked:
        try:
            async with asyncio.timeout(timeout_s):
                version = (await _answer(asked, "GET", "/api/version"))["version"]
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError):
            return None
        try:
            listed = (await _answer(asked, "GET", "/api/tags"))["models"]
            models = await asyncio.gather(*(_known(asked, one) for one in listed))
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise ExecutiveUnreachableError(
                f"Ollama at {url} does not tell its models: {str(error) or type(error).__name__}. "
                "Look into its log."
            ) from error
    return Catalogue(url=url, version=str(version), models=tuple(models))


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One model, and the version of the server that has it."""

    known: Known
    version: str


async def told(url: str, name: str, *, timeout_s: float) -> Told | None:
    """Return what a server tells of one model; None if nothing answers, or it has no such model.

    A server that answers and then fails raises ExecutiveUnreachableError.
    """
    async with client(url, timeout_s=httpx.Timeout(_TELLING_S, connect=timeout_s)) as asked:
        try:
            async with asyncio.timeout(timeout_s):
                version = str((await _answer(asked, "GET", "/api/version"))["version"])
                listed = (await _answer(asked, "GET", "/api/tags"))["models"]
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError):
            return None
        wanted = {name, f"{name}:latest"}
        try:
            found = next((one for one in listed if one["name"] in wanted), None)
            if found is None:
                return None
            return Told(known=await _known(asked, found), version=version)
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise ExecutiveUnreachableError(
                f"Ollama at {url} does not tell of {name}: {str(error) or type(error).__name__}. "
                "Look into its log."
            ) from error


def client(url: str, *, timeout_s: float | httpx.Timeout) -> httpx.AsyncClient:
    """Return a client for a server, whose address is the user's own: no proxy stands between."""
    return httpx.AsyncClient(
        base_url=url.rstrip("/"),
        timeout=timeout_s,
        trust_env=False,
        verify=url.startswith("https:"),
    )


async def _answer(asked: httpx.AsyncClient, method: str, path: str, **body: Any) -> dict[str, Any]:
    """Return a JSON object. Raises httpx.HTTPError or ValueError."""
    response = await asked.request(method, path, json=body or None)
    if response.status_code != httpx.codes.OK:
        raise ValueError(f"{response.status_code} {server_words(response.content)}")
    value = response.json()
    if not isinstance(value, dict):
        raise ValueError(f"{path} gave no object")  # noqa: TRY004 - it is the server's fault
    return value


async def _known(asked: httpx.AsyncClient, listed: Mapping[str, Any]) -> Known:
    name, details = str(listed["name"]), listed.get("details") or {}
    shown = await _answer(asked, "POST", "/api/show", model=name)
    if incomplete(shown.get("model_info") or {}):
        shown = await _answer(asked, "POST", "/api/show", model=name, verbose=True)
    facts = shown.get("model_info") or {}
    size = int(listed.get("size") or 0)
    shape = shape_of(facts, _tensors(shown.get("tensors")), size)
    return Known(
        choice=f"{PREFIX}{name}",
        name=name,
        home="Ollama",
        size_bytes=size,
        parameters=str(details.get("parameter_size") or ""),
        quantisation=str(details.get("quantization_level") or ""),
        capabilities=tuple(shown.get("capabilities") or ()),
        trained_tokens=trained_tokens(facts),
        digest=str(listed.get("digest") or ""),
        shape=shape,
    )


def _tensors(listed: Any) -> Tensors:
    return {
        str(one["name"]): Tensor(kind=str(one["type"]), dimensions=tuple(map(int, one["shape"])))
        for one in listed or ()
    }
