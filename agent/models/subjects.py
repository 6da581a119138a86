"""Which executive a plan is about, and what its numbers rest on."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.errors import UsageError
from agent.models import files, naming, ollama, published, quantisation
from agent.models.known import Known
from agent.residency.decoder import Generation
from agent.residency.vram import LIVING, Shape
from agent.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """The executive of a plan."""

    name: str
    quantisation: str
    source: str
    """Where its numbers come from, for a person."""
    certainty: str
    """`exact`, `computed` or `estimated`."""
    error: float
    """Share of the total by which it may be off."""
    builds: tuple[Generation, ...] = LIVING
    """Of llama.cpp, that may serve it."""
    shape: Shape


async def subject(settings: Settings, executive: str | None, *, mix: str | None) -> Subject:
    """Return the executive that is meant. Raises UsageError or ModelMissingError."""
    choice = naming.choice_of(executive or settings.ollama.model)
    if choice == files.EMBEDDED:
        return _of_file(files.embedded()[0], mix)
    if choice.startswith(files.PREFIX):
        return _of_file((await asyncio.to_thread(files.named, choice))[0], mix)
    name = choice.removeprefix(ollama.PREFIX)
    table = published.named(name)
    if mix is None or table is None:
        served = await ollama.told(
            settings.ollama.url, name, timeout_s=settings.ollama.probe_timeout_s
        )
        if served is not None:
            return _of_server(served, mix)
    if table is None:
        raise UsageError(
            f"There is no model {name!r} on an Ollama server at {settings.ollama.url}, and its "
            "numbers are not known here. Give the path of a GGUF file, or one of "
            f"{', '.join(published.names())}."
        )
    return _of_table(table, mix)


def _of_file(known: Known, mix: str | None) -> Subject:
    return _seen(known, "its file", mix, builds=LIVING)


def _of_server(told: ollama.Told, mix: str | None) -> Subject:
    builds = _NEWER if _numbers(told.version) >= _OLLAMA_NEWER else LIVING
    return _seen(told.known, "what its Ollama server tells", mix, builds=builds)


_OLLAMA_NEWER = (0, 32)
"""The version of Ollama whose llama.cpp was seen to be one of `_NEWER`."""
_NEWER = (Generation.B10900, Generation.B11500)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def _seen(known: Known, source: str, mix: str | None, *, builds: tuple[Generation, ...]) -> Subject:
    if mix is not None:
        raise UsageError(
            f"{known.name} is a file, and its weights are what they are; --quantisation is for "
            f"models that are planned by their published numbers: {', '.join(published.names())}."
        )
    if known.shape is None:
        raise UsageError(
            f"{known.name} does not tell its layers, so its need cannot be computed. Give another."
        )
    exact = known.shape.exact
    return Subject(
        name=known.name,
        quantisation=known.quantisation,
        source=source,
        certainty="exact" if exact else "estimated",
        error=0.0 if exact else _ESTIMATE_ERROR,
        builds=builds,
        shape=known.shape,
    )


_ESTIMATE_ERROR = 0.05


def _of_table(table: published.Published, mix: str | None) -> Subject:
    chosen = (mix or table.mix).upper()
    allowed = [one for one in quantisation.MIXES if one != "MXFP4" or table.mix == one]
    if chosen not in allowed:
        raise UsageError(
            f"--quantisation {mix!r} is none that can be computed. Use one of {', '.join(allowed)}."
        )
    return Subject(
        name=table.name,
        quantisation=chosen,
        source="its published configuration",
        certainty="computed",
        error=quantisation.ERROR,
        shape=table.shape(chosen),
    )


def certainty(report: Mapping[str, Any]) -> str:
    """Say what the numbers of an executive rest on."""
    told = report["executive"]
    match told["certainty"]:
        case "exact":
            return f"exact: computed from {told['source']}"
        case "computed":
            error = f"{told['error']:.0%}"
            return f"computed from {told['source']}; weights within {error} of the real file"
    return (
        f"estimated from {told['source']}: its weights are bounded or its layers are built in a "
        "way that is not known here"
    )
