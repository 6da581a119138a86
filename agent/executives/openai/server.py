"""What a server that speaks OpenAI's protocol is and has."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import httpx

from agent.executives.ollama.server import server_words
from agent.executives.wire import Place, Timeouts, Wire
from graphs.errors import ExecutiveUnreachableError

DEFAULT_CONTEXT_TOKENS = 4_096
"""Taken where neither the server nor a setting tells the context."""


class Kind(StrEnum):
    """Which server it is: what it tells beyond the protocol depends on that."""

    LLAMA_CPP = "llama.cpp server"
    VLLM = "vLLM"
    LM_STUDIO = "LM Studio"
    OTHER = "OpenAI-compatible"


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenAiModel:
    """A model that a server has."""

    name: str
    context_tokens: int | None = None
    """Context that is loaded, or that it will be loaded with; None: the server does not tell."""
    native_tools: bool | None = None
    """Whether its template knows tools; None: the server does not tell."""
    size_bytes: int | None = None
    """Of its weights."""

    def digest(self, url: str) -> str:
        """Return what the model of a server is known by: such a server tells no hash of it."""
        told = json.dumps([root(url), self.name, self.size_bytes])
        return f"openai:{hashlib.sha256(told.encode()).hexdigest()}"

    @property
    def short(self) -> str:
        """The name without the path of a file."""
        return self.name.rpartition("/")[2].removesuffix(".gguf") or self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenAiServer:
    """A server that answers."""

    url: str
    """Without `/v1`."""
    kind: Kind
    models: tuple[OpenAiModel, ...]
    """In the server's order."""

    def model(self, name: str | None) -> OpenAiModel | None:
        """Return a model by its name, or by the name of its file; without a name the first."""
        if name is None:
            return self.models[0] if self.models else None
        exact = (one for one in self.models if one.name == name)
        return next(exact, None) or next((one for one in self.models if one.short == name), None)


def root(url: str) -> str:
    """Return an address without the `/v1` that many are given with."""
    return url.rstrip("/").removesuffix("/v1").rstrip("/")


def place(url: str) -> Place:
    """Return where a server is."""
    return Place(server="OpenAI-compatible", url=root(url), section="openai", start="Start it")


def authorized(api_key: str | None) -> dict[str, str]:
    """Return the headers that carry a key."""
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}


async def discover(url: str, *, api_key: str | None, timeout_s: float) -> OpenAiServer:
    """Ask a server what it is and has. Raises ExecutiveUnreachableError if it does not say."""
    where = place(url)
    wire = Wire(where, timeouts=Timeouts(connect_s=timeout_s), headers=authorized(api_key))
    try:
        answer = await wire.ask("GET", "/v1/models", timeout_s=timeout_s)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
        raise ExecutiveUnreachableError(
            f"No OpenAI-compatible server answers at {where.shown} ({str(error) or 'timed out'}). "
            "Start it, or correct the setting openai.url."
        ) from error
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise ExecutiveUnreachableError(refused_key(where, given=bool(api_key)))
    listed = _entries(answer)
    if listed is None:
        raise ExecutiveUnreachableError(
            f"The server at {where.shown} answered {answer.status_code} to /v1/models: "
            f"{scrubbed(server_words(answer.content), api_key)}. Correct the setting openai.url."
        )
    kind, models = await _told(wire, listed, timeout_s=timeout_s)
    return OpenAiServer(url=where.url, kind=kind, models=models)


def refused_key(where: Place, *, given: bool) -> str:
    """Say that a server wants a key, or another one, without the key."""
    what = "refuses the key of the setting openai.api_key" if given else "asks for a key"
    return (
        f"The server at {where.shown} {what}. Set openai.api_key, or openai.api_key_file to a file "
        "that holds it."
    )


def scrubbed(said: str, api_key: str | None) -> str:
    """Return what a server says without the key, which some repeat."""
    return said.replace(api_key, "***") if api_key else said


def _entries(answer: httpx.Response) -> list[Mapping[str, Any]] | None:
    """Return the models of a listing; None if it is none."""
    try:
        listed = answer.raise_for_status().json()["data"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None
    if not isinstance(listed, list):
        return None
    return [one for one in listed if isinstance(one, Mapping) and isinstance(one.get("id"), str)]


async def _told(
    wire: Wire, listed: list[Mapping[str, Any]], *, timeout_s: float
) -> tuple[Kind, tuple[OpenAiModel, ...]]:
    """Return which server it is, and its models with what it tells of them."""
    owners = {str(one.get("owned_by", "")).lower() for one in listed}
    if "llamacpp" in owners:
        asked = (_of_llama_cpp(wire, one, timeout_s=timeout_s) for one in listed)
        return Kind.LLAMA_CPP, tuple(await asyncio.gather(*asked))
    if "vllm" in owners:
        return Kind.VLLM, tuple(
            OpenAiModel(name=one["id"], context_tokens=_count(one.get("max_model_len")))
            for one in listed
        )
    studio = await _of_lm_studio(wire, timeout_s=timeout_s)
    if studio:
        return Kind.LM_STUDIO, studio
    return Kind.OTHER, tuple(
        OpenAiModel(name=one["id"], context_tokens=_count(one.get("max_model_len")))
        for one in listed
    )


async def _of_llama_cpp(wire: Wire, entry: Mapping[str, Any], *, timeout_s: float) -> OpenAiModel:
    """Read `/props`: the context of one slot, and what the template can."""
    name = str(entry["id"])
    query = httpx.QueryParams({"model": name, "autoload": "false"})
    props = await _object(wire, f"/props?{query}", timeout_s=timeout_s)
    meta = _inner(entry, "meta")
    loaded = _count(_inner(props, "default_generation_settings").get("n_ctx"))
    able = _inner(props, "chat_template_caps").get("supports_tools")
    return OpenAiModel(
        name=name,
        context_tokens=loaded or _count(meta.get("n_ctx")),
        native_tools=able if isinstance(able, bool) else None,
        size_bytes=_count(meta.get("size")),
    )


async def _of_lm_studio(wire: Wire, *, timeout_s: float) -> tuple[OpenAiModel, ...]:
    """Read LM Studio's own listing, those that are loaded first; nothing if it is another."""
    listed = (await _object(wire, "/api/v0/models", timeout_s=timeout_s)).get("data")
    found = [
        one
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, Mapping) and isinstance(one.get("id"), str) and "state" in one
    ]
    able = [one for one in found if one.get("type") in ("llm", "vlm")]
    able.sort(key=lambda one: one["state"] != "loaded")
    return tuple(
        OpenAiModel(
            name=one["id"],
            context_tokens=_count(one.get("loaded_context_length")),
            native_tools="tool_use" in (one.get("capabilities") or ()),
        )
        for one in able
    )


async def _object(wire: Wire, path: str, *, timeout_s: float) -> Mapping[str, Any]:
    """Return what a server tells beyond the protocol; empty if it does not."""
    try:
        value = (await wire.ask("GET", path, timeout_s=timeout_s)).raise_for_status().json()
    except (httpx.HTTPError, OSError, TimeoutError, json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return value if isinstance(value, dict) else {}


def _inner(facts: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = facts.get(key)
    return value if isinstance(value, Mapping) else {}


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
