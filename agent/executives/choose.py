"""Which executive serves, and why."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from agent.errors import SettingsError
from agent.executives.llamacpp import LlamaCppExecutive
from agent.executives.ollama import OllamaExecutive, OllamaTimeouts
from agent.executives.ollama_server import OllamaModel, OllamaServer, discover
from graphs.errors import ExecutiveUnreachableError, ModelMissingError

AUTO, EMBEDDED = "auto", "embedded"
_OLLAMA, _GGUF = "ollama:", "gguf:"


@dataclass(frozen=True, kw_only=True, slots=True)
class Choosing:
    """What the choice depends on."""

    wanted: str = AUTO
    """`auto`, `embedded`, `ollama:MODEL` or `gguf:PATH`."""
    url: str = "http://127.0.0.1:11434"
    preferred_model: str = "qwen3:14b"
    """Taken by `auto` if the server has it and it can call tools."""
    server_context_tokens: int = 16_384
    process_context_tokens: int = 4_096
    probe_timeout_s: float = 0.4
    """How long a server has to tell what it is, all told."""
    timeouts: OllamaTimeouts = field(default_factory=OllamaTimeouts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """An executive, not loaded yet, and one line that says why it is this one."""

    executive: OllamaExecutive | LlamaCppExecutive
    reason: str


async def choose(choosing: Choosing) -> Chosen:
    """Choose as the setting says. Raises an AgentError if what it names is not there."""
    wanted = choosing.wanted
    if wanted == EMBEDDED:
        return await _embedded(choosing, "as the setting executive.choice says")
    if wanted.startswith(_GGUF):
        return await asyncio.to_thread(_file, choosing, wanted.removeprefix(_GGUF))
    if wanted.startswith(_OLLAMA):
        return await _named(choosing, wanted.removeprefix(_OLLAMA))
    if wanted == AUTO:
        return await _best(choosing)
    raise SettingsError(
        f"Setting executive.choice = {wanted!r} names no executive. Write {AUTO}, {EMBEDDED}, "
        f"{_OLLAMA}MODEL or {_GGUF}PATH."
    )


async def _best(choosing: Choosing) -> Chosen:
    server = await discover(choosing.url, timeout_s=choosing.probe_timeout_s)
    if server is None:
        return await _embedded(choosing, f"since no Ollama server answers at {choosing.url}")
    preferred = server.model(choosing.preferred_model)
    if preferred is not None and "tools" in preferred.capabilities:
        return _served(choosing, server, preferred, "which is preferred and can call tools")
    able = server.with_capability("tools")
    if able is not None:
        why = f"the first that can call tools, since {choosing.preferred_model} is not there"
        return _served(choosing, server, able, why)
    return await _embedded(
        choosing,
        f"since Ollama at {server.url} has no model that can call tools; `ollama pull "
        f"{choosing.preferred_model}` brings one",
    )


async def _named(choosing: Choosing, name: str) -> Chosen:
    server = await discover(choosing.url, timeout_s=choosing.timeouts.connect_s)
    if server is None:
        raise ExecutiveUnreachableError(
            f"No Ollama server answers at {choosing.url}, but executive.choice is {_OLLAMA}{name}. "
            "Start it with `ollama serve`, correct the setting ollama.url, or set "
            f"executive.choice to {EMBEDDED}."
        )
    model = server.model(name)
    if model is None:
        has = ", ".join(one.name for one in server.models) or "none"
        raise ModelMissingError(
            f"Ollama at {server.url} does not have {name}; it has {has}. Run `ollama pull {name}`."
        )
    return _served(choosing, server, model, "as the setting executive.choice says")


def _served(choosing: Choosing, server: OllamaServer, model: OllamaModel, why: str) -> Chosen:
    executive = OllamaExecutive(
        model,
        url=server.url,
        version=server.version,
        context_tokens=choosing.server_context_tokens,
        timeouts=choosing.timeouts,
    )
    return Chosen(
        executive=executive,
        reason=f"{model.name} of Ollama {server.version} at {server.url}, {why}",
    )


async def _embedded(choosing: Choosing, why: str) -> Chosen:
    executive = await asyncio.to_thread(
        LlamaCppExecutive.embedded, context_tokens=choosing.process_context_tokens
    )
    return Chosen(
        executive=executive, reason=f"the embedded model, good for trying things out, {why}"
    )


def _file(choosing: Choosing, path: str) -> Chosen:
    executive = LlamaCppExecutive.of(
        Path(path).expanduser(), context_tokens=choosing.process_context_tokens
    )
    return Chosen(
        executive=executive,
        reason=f"{executive.profile.name} in process, as the setting executive.choice says",
    )
