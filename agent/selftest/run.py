"""A whole selftest: sections in boxes of time, and the report of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import assembly
from agent.errors import AgentError
from agent.models import listing, speed
from agent.models.sizes import gib
from agent.selftest import calls, citing, holding, machine, shapes, sorting, stopping
from agent.selftest.section import Box, Section
from agent.settings import Settings
from graphs.errors import GraphError
from memory.errors import MemoryStoreError

if TYPE_CHECKING:
    from agent.recorder import Watch
    from graphs.executive import Executive, Profile

LIMIT_S = 300.0

_SHARES = {
    "tool calls": 0.24,
    "answers by schema": 0.1,
    "stop": 0.06,
    "triage": 0.14,
    "context": 0.2,
    "speed": 0.1,
    "cited answers": 0.16,
}
"""Of the time, in this order. What a section leaves over goes to those behind it."""

_LENGTHS = (128, 1_024)
_ROUNDS = 3


async def run(settings: Settings, *, watch: "Watch", limit_s: float = LIMIT_S) -> dict[str, Any]:
    """Test the executive of the settings and return the report. Raises AgentError if nothing ran.

    Its first call, with the loading of the model, is not part of the time.
    """
    async with aclosing(await assembly.executive(settings, watch=watch)) as executive:
        profile = executive.profile
        watch({"event": "probing", "text": f"testing {profile.name}, {limit_s:.0f} s at most"})
        first_s = await stopping.short(executive)
        began = time.monotonic()
        ends = _ends(began, limit_s)
        sections = [
            await _within(name, work, ends[name], watch, settings)
            for name, work in _work(executive).items()
        ]
    # The assistant opens the model itself, and one of a file is not held twice.
    sections.append(
        await _within(
            "cited answers",
            lambda box: citing.section(settings, box, judged=profile.judgement),
            ends["cited answers"],
            watch,
            settings,
        )
    )
    return await _report(settings, profile, sections, time.monotonic() - began, first_s)


def _ends(began: float, limit_s: float) -> dict[str, float]:
    ends, share = {}, 0.0
    for name, part in _SHARES.items():
        share += part
        ends[name] = began + share * limit_s
    return ends


def _work(executive: "Executive") -> dict[str, Callable[[Box], Awaitable[Section]]]:
    return {
        "tool calls": lambda box: calls.section(executive, box),
        "answers by schema": lambda box: shapes.section(executive, box),
        "stop": lambda box: stopping.section(executive, box),
        "triage": lambda box: sorting.section(executive, box),
        "context": lambda box: holding.section(executive, box),
        "speed": lambda box: _speed(executive, box),
    }


async def _within(
    name: str,
    work: Callable[[Box], Awaitable[Section]],
    until: float,
    watch: "Watch",
    settings: Settings,
) -> Section:
    """Run a section in its time; one that cannot be run says why and stops nothing."""
    watch({"event": "measuring", "text": name})
    began = time.monotonic()
    box = Box(until=until)
    if not box.left_s:
        return Section(name=name, planned=0, left_out="all of it, for want of time")
    try:
        async with asyncio.timeout(box.left_s + _GRACE_S):
            found = await work(box)
    except TimeoutError:
        found = Section(name=name, planned=0, left_out="it did not end in time")
    except (AgentError, GraphError, MemoryStoreError, OSError) as error:
        found = Section(name=name, planned=0, left_out=f"could not be run: {error}")
    found.left_out = discreet(found.left_out, settings)
    if found.done < found.planned:
        found.left_out = f"{found.planned - found.done} of {found.planned}, for want of time"
    found.seconds = round(time.monotonic() - began, 2)
    return found


_GRACE_S = 5.0
"""For what a section does behind its last answer: a stream to close, a database to drop."""


async def _speed(executive: "Executive", box: Box) -> Section:
    report = await speed.measure(executive, rounds=_ROUNDS, lengths=_LENGTHS, until=box.until)
    done = sum(one["rounds"] for one in report["lengths"])
    planned = _ROUNDS * len(speed.fitting(executive, _LENGTHS))
    found = Section(name="speed", planned=planned, done=done)
    found.figures = {"lengths": report["lengths"]}
    found.told = list(speed.lines(report))[2:-1]
    return found


async def _report(
    settings: Settings,
    profile: "Profile",
    sections: list[Section],
    seconds: float,
    first_s: float,
) -> dict[str, Any]:
    if not any(section.done for section in sections):
        why = next((one.left_out for one in sections if one.left_out), "there was no time")
        raise AgentError(f"Nothing of {profile.name} could be tested: {why}")
    known = {one.digest: one for one in (await listing.known(settings))[0]}
    model = known.get(profile.digest)
    return {
        "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "model": {
            "name": profile.name,
            "parameters": "" if model is None else model.parameters,
            "quantisation": "" if model is None else model.quantisation,
            "digest": profile.digest,
            "tier": profile.tier,
            "context_tokens": profile.context_tokens,
            "tool_calls": "native" if profile.native_tools else "by schema",
            "first_call_s": round(first_s, 3),
        },
        "machine": await asyncio.to_thread(machine.facts),
        "sections": [asdict(section) for section in sections],
        "seconds": round(seconds, 1),
        "broken": [fault for section in sections for fault in section.broken],
    }


def discreet(text: str, settings: Settings) -> str:
    """Return a text without the paths and addresses of whoever runs this."""
    private = {
        str(settings.data_dir): "DATA",
        str(settings.cache_dir): "CACHE",
        str(Path.home()): "~",
        settings.ollama.url: "OLLAMA",
        **({settings.openai.url: "SERVER"} if settings.openai.url else {}),
    }
    for shown, hidden in private.items():
        text = text.replace(shown, hidden)
    return text


def lines(report: Mapping[str, Any]) -> list[str]:
    """Write the report as plain text that can be pasted."""
    faults = [f"BROKEN: {fault}" for fault in report["broken"]]
    sections = [line for one in report["sections"] for line in told(Section(**one))]
    return [
        f"cortical selftest, {report['at']}",
        *_model(report["model"]),
        *_machine(report["machine"]),
        "",
        *sections,
        "",
        *(faults or ["No promise of the engine was broken."]),
        f"{report['seconds']:.0f} s in all",
    ]


def _model(model: Mapping[str, Any]) -> list[str]:
    size = " ".join(word for word in (model["parameters"], model["quantisation"]) if word)
    return [
        f"  model     {model['name']}{f', {size}' if size else ''}, {model['tier']} tier",
        f"            digest {model['digest'][:24] or 'unknown'}, context "
        f"{model['context_tokens']} tokens, tool calls {model['tool_calls']}, first call "
        f"{model['first_call_s']:.1f} s",
    ]


def _machine(there: Mapping[str, Any]) -> list[str]:
    versions = ", ".join(f"{name} {value}" for name, value in there["versions"].items())
    card = f"{there['card']} {gib(there['card_bytes'])}" if there["card"] else "no card"
    return [
        f"  machine   {there['system']}, {there['processor']}, {there['cores']} cores, "
        f"{gib(there['memory_bytes'])}, {card}",
        f"  versions  Python {there['python']}, {versions}",
    ]


def told(section: Section) -> list[str]:
    """Write one section: its figures with their count, and what is missing."""
    unjudged = "" if section.judged else "  (not judged: the model is for trying things out)"
    head = f"{section.name:<18} n={section.done}, {section.seconds:.0f} s{unjudged}"
    figures = [f"  {words}" for words in section.told] if section.done else []
    if section.failed:
        kinds = sorted(set(section.failed))
        counts = ", ".join(f"{section.failed.count(kind)} {kind}" for kind in kinds)
        figures.append(f"  no answer: {counts}")
    if section.left_out:
        figures.append(f"  left out: {section.left_out}")
    return [head, *figures]
