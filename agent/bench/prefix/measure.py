"""Replay a triage and a research loop on the model in process, in both layouts, taking turns."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.assembly import Engine
from agent.bench.peer import Peer, started
from agent.bench.prefix import bound, langchain, library, loop, mails, report, stocked, triage
from agent.bench.prefix.bound import Need
from agent.bench.prefix.library import Library
from agent.bench.prefix.mails import Sorted
from agent.bench.prefix.report import OURS
from agent.bench.prefix.requests import Replay, Request
from agent.bench.prefix.steered import SteeredExecutive, Took
from agent.recorder import Watch
from agent.settings import Settings

CONTEXT_TOKENS = 8_192
AGENT, SUMMARISED = "langchain", "langchain, summarised"


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What is to be done."""

    mails: int = 50
    triage: Path | None = None
    """JSONL of mails; None: the few that come with the program."""
    questions: int = 6
    searches: int = 4
    """For each question, its own among them."""
    documents: Path | None = None
    """Folder in the layout of BEIR; None: cortical's own source."""
    peer: Path | None = None
    """Interpreter that has LangChain; None: cortical alone."""


async def measure(settings: Settings, work: Work, *, watch: Watch) -> dict[str, Any]:
    """Return what both layouts took. Raises UsageError for unfit material."""
    batch = await asyncio.to_thread(mails.load, work.triage or mails.OWN, work.mails)
    shelf = await asyncio.to_thread(library.load, work.documents, work.questions)
    async with _peer(work.peer) as peer:
        sorting = await _sorting(batch, peer, watch)
        async with stocked.engine(settings, shelf, watch) as engine:
            research = await _research(engine, shelf, work.searches, peer, watch)
    return {
        "model": sorting.pop("model"),
        "context_tokens": CONTEXT_TOKENS,
        "peer": dict(peer.versions) if peer else None,
        "triage": sorting,
        "research": research,
    }


@asynccontextmanager
async def _peer(interpreter: Path | None) -> AsyncIterator[Peer | None]:
    if interpreter is None:
        yield None
        return
    async with started(interpreter, langchain.SCRIPT) as peer:
        yield peer


async def _sorting(batch: Sequence[Sorted], peer: Peer | None, watch: Watch) -> dict[str, Any]:
    layouts = {OURS: triage.requests(batch)}
    if peer is not None:
        layouts[AGENT] = await langchain.triaged(peer, batch)
    async with AsyncExitStack() as stack:
        replays = {
            name: await stack.enter_async_context(_replay(requests))
            for name, requests in layouts.items()
        }
        took: dict[str, list[list[Took]]] = {name: [] for name in layouts}
        for number in range(len(batch)):
            watch({"event": "measuring", "text": f"mail {number + 1} of {len(batch)}"})
            for name in _by_turns(layouts, number):
                took[name].append(await replays[name].ask([layouts[name][number]]))
        executive = replays[OURS].executive
        needs = await asyncio.to_thread(triage.needs, batch, executive.tokenised)
        told = _told(took, needs, executive)
        return {"model": executive.profile.name, "work": f"{len(batch)} mails", **told}


@asynccontextmanager
async def _replay(requests: Sequence[Request]) -> AsyncIterator[Replay]:
    assert requests, "there is something to replay"
    async with aclosing(Replay(context_tokens=CONTEXT_TOKENS)) as replay:
        await asyncio.to_thread(replay.executive.warm)
        yield replay


async def _research(
    engine: Engine, shelf: Library, searches: int, peer: Peer | None, watch: Watch
) -> dict[str, Any]:
    planned = await loop.inquiries(
        engine, shelf.questions, collection=stocked.COLLECTION, searches=searches
    )
    tools = engine.services.executor.toolbox.specs()
    recorded = {}
    if peer is not None:
        for name, summarise in ((AGENT, False), (SUMMARISED, True)):
            recorded[name] = await langchain.researched(
                peer, planned, tools, context_tokens=CONTEXT_TOKENS, summarise=summarise
            )
    plan = loop.Plan()
    async with AsyncExitStack() as stack:
        executive = await stack.enter_async_context(
            aclosing(SteeredExecutive(context_tokens=CONTEXT_TOKENS, script=plan.written))
        )
        await asyncio.to_thread(executive.warm)
        ours = await stack.enter_async_context(
            aclosing(loop.Research(engine, executive, plan, collection=stocked.COLLECTION))
        )
        replays = {
            name: await stack.enter_async_context(_replay(requests[0]))
            for name, requests in recorded.items()
        }
        took: dict[str, list[list[Took]]] = {name: [] for name in (OURS, *recorded)}
        for number, inquiry in enumerate(planned):
            watch({"event": "asking", "text": inquiry.question})
            for name in _by_turns(took, number):
                if name == OURS:
                    before = len(executive.took)
                    await ours.ask(inquiry)
                    took[name].append(executive.took[before:])
                else:
                    took[name].append(await replays[name].ask(recorded[name][number]))
        needs = await asyncio.to_thread(loop.needs, planned, tools, executive.tokenised)
        told = _told(took, needs, executive)
    work = f"{len(planned)} questions on one thread, {searches} searches each"
    return {"work": work, "shown_again_tokens": bound.shown_again(needs), **told}


def _by_turns(names: Sequence[str] | dict[str, Any], number: int) -> list[str]:
    """Return the layouts in an order in which each is first as often as the others."""
    ordered = list(names)
    first = number % len(ordered)
    return ordered[first:] + ordered[:first]


def _told(
    took: dict[str, list[list[Took]]], needs: Sequence[Need], executive: SteeredExecutive
) -> dict[str, Any]:
    spared = bound.least(needs, executive.template())
    layouts = {name: report.figures(groups, sum(spared)) for name, groups in took.items()}
    return {
        "least_tokens": sum(spared),
        "least_by_request": spared,
        "layouts": layouts,
        "compared": report.compared(layouts),
    }
