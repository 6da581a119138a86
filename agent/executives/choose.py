"""Which executive serves, and why."""

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.errors import SettingsError
from agent.executives.llamacpp.executive import LlamaCppExecutive
from agent.executives.ollama.executive import OllamaExecutive
from agent.executives.ollama.server import OllamaModel, OllamaServer, discover
from agent.executives.openai.executive import OpenAiExecutive
from agent.executives.openai.server import OpenAiModel, OpenAiServer, place
from agent.executives.openai.server import discover as discover_openai
from agent.executives.wire import Timeouts
from graphs.errors import ExecutiveUnreachableError, ModelMissingError

AUTO, EMBEDDED = "auto", "embedded"
_OLLAMA, _OPENAI, _GGUF = "ollama:", "openai:", "gguf:"

AnyExecutive = OllamaExecutive | OpenAiExecutive | LlamaCppExecutive


@dataclass(frozen=True, kw_only=True, slots=True)
class ChoosingOpenAi:
    """A server that speaks OpenAI's protocol, as the settings name it."""

    url: str
    model: str | None = None
    """None: the first that it lists."""
    api_key: str | None = field(default=None, repr=False)
    context_tokens: int | None = None
    native_tools: bool | None = None
    probe_timeout_s: float = 1.0
    timeouts: Timeouts = field(default_factory=Timeouts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Choosing:
    """What the choice depends on."""

    wanted: str = AUTO
    """`auto`, `embedded`, `ollama:MODEL`, `openai:MODEL` or `gguf:PATH`."""
    url: str = "http://127.0.0.1:11434"
    preferred_model: str = "qwen3:14b"
    """Taken by `auto` if the server has it and it can call tools."""
    server_context_tokens: int = 16_384
    process_context_tokens: int = 4_096
    probe_timeout_s: float = 0.4
    """How long a server has to tell what it is, all told."""
    timeouts: Timeouts = field(default_factory=Timeouts)
    openai: ChoosingOpenAi | None = None
    """None: no such server is set."""
    native_tools: bool | None = None
    """What a probe found; None: as the model or its server says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """An executive, not loaded yet, and one line that says why it is this one."""

    executive: AnyExecutive
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
    if wanted.startswith(_OPENAI):
        return await _openai(choosing, wanted.removeprefix(_OPENAI))
    if wanted == AUTO:
        return await _best(choosing)
    raise SettingsError(
        f"Setting executive.choice = {wanted!r} names no executive. Write {AUTO}, {EMBEDDED}, "
        f"{_OLLAMA}MODEL, {_OPENAI}MODEL or {_GGUF}PATH."
    )


async def _best(choosing: Choosing) -> Chosen:
    """Take the server that somebody has set, else Ollama, else the embedded model."""
    if choosing.openai is None:
        return await _best_of_ollama(choosing)
    try:
        return await _openai(choosing, choosing.openai.model, "which openai.url names")
    except (ExecutiveUnreachableError, ModelMissingError) as error:
        other = await _best_of_ollama(choosing)
        return Chosen(executive=other.executive, reason=f"{other.reason}. {error}")


async def _openai(
    choosing: Choosing, name: str | None, why: str = "as the setting executive.choice says"
) -> Chosen:
    """Take a model of the server that is set. Raises SettingsError and what `discover` raises."""
    set_up = choosing.openai
    if set_up is None:
        raise SettingsError(
            f"The setting executive.choice is {_OPENAI}{name}, but openai.url is not set. Set it "
            "to the server's address, such as http://127.0.0.1:8080."
        )
    if set_up.native_tools is None:
        set_up = replace(set_up, native_tools=choosing.native_tools)
    server = await discover_openai(
        set_up.url, api_key=set_up.api_key, timeout_s=set_up.probe_timeout_s
    )
    model = server.model(name)
    if model is None:
        has = ", ".join(one.short for one in server.models) or "none"
        raise ModelMissingError(
            f"The server at {place(set_up.url).shown} does not have {name or 'a model'}; it has "
            f"{has}. Load it there, or correct the setting."
        )
    return _openai_served(set_up, server, model, why)


def _openai_served(
    set_up: ChoosingOpenAi, server: OpenAiServer, model: OpenAiModel, why: str
) -> Chosen:
    executive = OpenAiExecutive(
        model,
        url=server.url,
        kind=server.kind,
        context_tokens=set_up.context_tokens,
        native_tools=set_up.native_tools,
        api_key=set_up.api_key,
        timeouts=set_up.timeouts,
    )
    return Chosen(
        executive=executive,
        reason=f"{model.short} of {server.kind} at {place(server.url).shown}, {why}",
    )


async def _best_of_ollama(choosing: Choosing) -> Chosen:
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
    if choosing.native_tools is False:
        model = replace(model, capabilities=model.capabilities - {"tools"})
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
