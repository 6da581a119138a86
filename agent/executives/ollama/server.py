"""What an Ollama server is and has."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from agent.executives.gguf.vocabulary import blob

DEFAULT_TRAINED_TOKENS = 4_096
"""Taken where a model does not tell its context: Ollama's own default."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OllamaModel:
    """A model that a server has."""

    name: str
    size_bytes: int
    """On disk."""
    parameters: str
    """Such as `14.8B`."""
    quantisation: str
    """Such as `Q4_K_M`."""
    capabilities: frozenset[str]
    """`completion`, `tools`, `thinking`, `vision`, `embedding`, `insert`."""
    trained_tokens: int
    """The longest context that the model can have."""
    file: Path | None = None
    """Its GGUF file, where the server runs on this machine and the file can be read."""
    digest: str = ""
    """Of its manifest, in hexadecimal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OllamaServer:
    """A server that answers."""

    url: str
    version: str
    models: tuple[OllamaModel, ...]
    """In the server's order: the one that changed last comes first."""

    def model(self, name: str) -> OllamaModel | None:
        """Return a model by its name; without a tag, `latest` is meant."""
        wanted = name if ":" in name.rpartition("/")[2] else f"{name}:latest"
        return next((model for model in self.models if model.name == wanted), None)

    def with_capability(self, capability: str) -> OllamaModel | None:
        """Return the first model that can do something."""
        return next((one for one in self.models if capability in one.capabilities), None)


async def discover(url: str, *, timeout_s: float) -> OllamaServer | None:
    """Ask a server for its version and models; None if it takes longer to answer, all told."""
    waited = asyncio.get_running_loop().time
    try:
        began = waited()
        async with asyncio.timeout(timeout_s):
            version = await _version(url)
        left = timeout_s - (waited() - began)
        client = await asyncio.to_thread(_client, url)
        async with asyncio.timeout(left), client:
            models = await _models(client)
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, KeyError):
        return None
    return OllamaServer(url=url.rstrip("/"), version=version, models=models)


async def contexts(url: str, *, timeout_s: float) -> Mapping[str, int | None] | None:
    """Return the models that are loaded, each with its context where that is told.

    None if the server does not tell.
    """
    import ollama

    try:
        client = await asyncio.to_thread(_client, url)
        async with asyncio.timeout(timeout_s), client:
            listed = (await client.ps()).models
    except (TimeoutError, httpx.HTTPError, OSError, ValueError, ollama.ResponseError):
        return None
    return {str(one.model): one.context_length for one in listed}


async def _version(url: str) -> str:
    async with httpx.AsyncClient(trust_env=False, verify=_is_secret(url)) as client:
        answer = await client.get(f"{url.rstrip('/')}/api/version")
        return str(answer.raise_for_status().json()["version"])


def _client(url: str) -> Any:
    # The package has no call for the version. It takes 0.2 s to import, which a machine without a
    # server need not pay, and which is not the server's time.
    import ollama

    return ollama.AsyncClient(host=url, trust_env=False, verify=_is_secret(url))


def _is_secret(url: str) -> bool:
    """Whether certificates matter; reading them takes longer than a server on loopback."""
    return url.startswith("https:")


async def _models(client: Any) -> tuple[OllamaModel, ...]:
    import ollama

    try:
        listed = (await client.list()).models
        shown = await asyncio.gather(*(client.show(str(one.model)) for one in listed))
    except ollama.ResponseError as error:
        raise ValueError(str(error)) from error
    return tuple(_model(one, more) for one, more in zip(listed, shown, strict=True))


def _model(listed: Any, shown: Any) -> OllamaModel:
    details = listed.details
    return OllamaModel(
        name=str(listed.model),
        size_bytes=int(listed.size or 0),
        parameters=str((details and details.parameter_size) or ""),
        quantisation=str((details and details.quantization_level) or ""),
        capabilities=frozenset(shown.capabilities or ()),
        trained_tokens=_trained_tokens(shown.modelinfo or {}),
        file=blob(shown.modelfile or ""),
        digest=str(listed.digest or ""),
    )


def _trained_tokens(facts: Mapping[str, Any]) -> int:
    """Return the context length, whose key carries the name of the architecture."""
    key = f"{facts.get('general.architecture', '')}.context_length"
    value = facts.get(key)
    return value if isinstance(value, int) else DEFAULT_TRAINED_TOKENS


def server_words(content: bytes) -> str:
    """Return what a server says in an error, also where it wraps the words of its own runner."""
    text = content.decode("utf-8", "replace").strip()
    for _ in range(3):
        try:
            value = json.loads(text)
        except ValueError:
            break
        if isinstance(value, dict):
            value = value.get("error", value.get("message", value))
        if isinstance(value, dict):
            value = value.get("message", json.dumps(value))
        text = str(value).strip()
    return (text[:400] or "no reason given").rstrip(".")
