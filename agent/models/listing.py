"""All models that could reason here, what each needs of a card, and with which context it fits."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from agent import assembly
from agent.executives.probe.cache import ProbeCache
from agent.models import card, files, ollama, openai, probing
from agent.models.known import Known
from agent.models.sizes import gib
from agent.models.weights import shelf
from agent.residency.vram import KvType, Load, Shape, largest_context, need
from agent.settings import Settings
from graphs.errors import ExecutiveUnreachableError, ModelMissingError

KV_TYPES = (KvType.F16, KvType.Q8_0)


async def listed(settings: Settings, *, vram: str | None) -> dict[str, Any]:
    """Return every model as plain values, with what could not be looked at."""
    supposed = None if vram is None else card.supposed(vram)
    models, notes = await known(settings)
    there = supposed or await asyncio.to_thread(card.found)
    cache = ProbeCache(settings.cache_dir)
    if there is None:
        notes.append("no card was found; --vram 24GiB tells what would fit one of that size")
    return {
        "card": None if there is None else asdict(there),
        "models": [_told(one, there, cache, settings) for one in models],
        **_weights(settings),
        "notes": notes,
    }


async def known(settings: Settings) -> tuple[list[Known], list[str]]:
    """Return every model that the settings name a place of, and what could not be looked at."""
    other = (await assembly.choosing(settings)).openai
    choice = settings.executive.choice
    places: list[Callable[[], Awaitable[tuple[Known, ...]]]] = [lambda: _of_ollama(settings)]
    if other is not None:
        places.insert(0, lambda: openai.models(other))
    if choice.startswith(files.PREFIX):
        places.append(lambda: asyncio.to_thread(files.named, choice))
    places.append(lambda: asyncio.to_thread(files.embedded))
    found: list[Known] = []
    notes: list[str] = []
    for place in places:
        try:
            found += await place()
        except (ExecutiveUnreachableError, ModelMissingError) as error:
            notes.append(str(error))
    return found, notes


async def _of_ollama(settings: Settings) -> tuple[Known, ...]:
    """Return what the server has. Raises ExecutiveUnreachableError, or that there is nothing."""
    url = settings.ollama.url
    server = await ollama.catalogue(url, timeout_s=settings.ollama.probe_timeout_s)
    if server is None:
        raise ExecutiveUnreachableError(f"no Ollama server answers at {url}")
    if not server.models:
        raise ModelMissingError(
            f"Ollama at {url} has no models; `cortical models pull {settings.ollama.model}` brings "
            "one"
        )
    return server.models


def _weights(settings: Settings) -> dict[str, Any]:
    """Return the weights of senses that are here, those that are not whole, and pulls cut off."""
    found = shelf.surveyed(settings.data_dir)
    return {
        "weights": [
            {**asdict(one), "folder": str(one.folder), "loads": shelf.has_libraries(one.kind)}
            for one in found
            if isinstance(one, shelf.Installed)
        ],
        "broken": [
            {**asdict(one), "folder": str(one.folder)}
            for one in found
            if isinstance(one, shelf.Broken)
        ],
        "unfinished": list(shelf.unfinished(settings.data_dir)),
    }


def _told(
    model: Known, there: card.Card | None, cache: ProbeCache, settings: Settings
) -> dict[str, Any]:
    found = cache.get(model.digest)
    own = model.home == "in process"
    wished = settings.executive.context_tokens if own else settings.ollama.context_tokens
    return {
        "choice": model.choice,
        "name": model.name,
        "home": model.home,
        "size_bytes": model.size_bytes,
        "parameters": model.parameters,
        "quantisation": model.quantisation,
        "capabilities": list(model.capabilities),
        "trained_tokens": model.trained_tokens,
        "loaded_tokens": model.loaded_tokens,
        "digest": model.digest,
        "probed": None if found is None else probing.to_json(found),
        "needs": [] if model.shape is None else _needs(model.shape, wished, there),
        "exact": model.shape is not None and model.shape.exact,
        "on_card": not own,
    }


def _needs(shape: Shape, wished: int, there: card.Card | None) -> list[dict[str, Any]]:
    """Return for each type of cache what the wished context takes, and the longest that fits."""
    tokens = min(wished, shape.trained_tokens)
    told = []
    for kv_type in KV_TYPES:
        load = Load(context_tokens=tokens, kv_type=kv_type)
        needed = need(shape, load)
        told.append(
            {
                "kv_type": kv_type.value,
                "context_tokens": tokens,
                **asdict(needed),
                "total": needed.total,
                "fits": None if there is None else needed.total <= there.total_bytes,
                "largest_context": (
                    None if there is None else largest_context(shape, there.total_bytes, load)
                ),
            }
        )
    return told


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Write the models for a person."""
    there = report["card"]
    if there is not None:
        free = there["free_bytes"]
        beside = "" if free is None else f", {gib(free)} free now"
        yield f"{there['name']}: {gib(there['total_bytes'])}{beside}"
    for model in report["models"]:
        yield from _model(model, there)
    for one in report["weights"]:
        lacking = (
            "" if one["loads"] else f"; {shelf.INSTALL} makes .venv-senses, which can load them"
        )
        yield (
            f"{one['variant']}  (weights, {one['kind']}, {one['bytes'] / 1e9:.2f} GB)  "
            f"from {one['source']}{lacking}"
        )
    for one in report["broken"]:
        yield f"{one['variant']}  (weights, not whole)  {one['why']}"
    for name in report["unfinished"]:
        yield f"{name}  (weights, on their way)  `cortical models pull {name}` goes on"
    yield from (f"note: {note}" for note in report["notes"])


def _model(model: Mapping[str, Any], there: Mapping[str, Any] | None) -> Iterator[str]:
    size = gib(model["size_bytes"]) if model["size_bytes"] else ""
    facts = [model["home"], f"{model['parameters']} {model['quantisation']}".strip(), size]
    can = ", ".join(model["capabilities"])
    yield f"{model['name']}  ({', '.join(fact for fact in facts if fact)})  {can}"
    if "completion" not in model["capabilities"]:
        return
    found = model["probed"]
    yield f"    {'not probed' if found is None else 'probed: ' + found['summary']}"
    if model["loaded_tokens"]:
        yield f"    loaded with a context of {model['loaded_tokens']} tokens"
    if not model["needs"]:
        yield "    its need of a card is not known: its server does not tell its layers"
        return
    if not model["on_card"]:
        yield "    runs on the CPU; on a card it would take"
    bound = "" if model["exact"] else " at most"
    for one in model["needs"]:
        yield (
            f"    {one['context_tokens']} tokens of {one['kv_type']}:{bound} {gib(one['total'])} "
            f"(weights {gib(one['weights'])}, cache {gib(one['cache'])}, "
            f"rest {gib(one['buffer'] + one['process'])}){_fits(one, there)}"
        )


def _fits(one: Mapping[str, Any], there: Mapping[str, Any] | None) -> str:
    if there is None:
        return ""
    largest = one["largest_context"]
    if largest is None:
        return "; does not fit"
    return f"; fits with up to {largest} tokens"
