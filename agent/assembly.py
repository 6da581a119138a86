"""The one place that wires: settings to database, memory, senses, executive and graphs."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from agent import migrate
from agent.capabilities import Capability
from agent.capabilities import senses as sense_capabilities
from agent.clock import SystemClock
from agent.errors import SettingsError
from agent.executives.ollama.server import discover
from agent.residency import copying, opening
from agent.residency.arbiter.events import Priority
from agent.settings import Settings
from memory import language, migrations
from memory.database import Pool, open_pool
from memory.embedding import Embedder
from memory.embedding_models import serving_model
from memory.search import Searcher
from memory.server import EmbeddedPostgres
from memory.serving import ServingEmbedder
from memory.store import DocumentStore
from tools.senses.base import Residency, Senses
from tools.senses.leased import FullTier, Tell, leased, silent

if TYPE_CHECKING:
    from agent.executives.choose import AnyExecutive, Choosing, ChoosingOpenAi
    from agent.recorder import Watch
    from agent.turns import Builder, Turns
    from graphs.context import Services
    from graphs.executive import Executive
    from memory.artifact_store import ArtifactStore
    from memory.graph_store import GraphStore
    from memory.threads import Threads
    from tools.ingest import Ingestion
    from tools.reading.base import FileReader
    from tools.shelf import Shelf

_SERVED = "ollama:"


def embedded(settings: Settings) -> EmbeddedPostgres:
    """Return the embedded server, running or not."""
    return EmbeddedPostgres(data_dir=settings.data_dir / "postgres")


async def database_url(settings: Settings) -> str:
    """Return where memory is, starting the embedded server if it is that."""
    return settings.database.url or await embedded(settings).ensure_running()


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[Pool]:
    """Open the database. The embedded one is brought up to date by itself; another by a person."""
    url = await database_url(settings)
    if settings.database.url is None and (await migrations.status(url)).pending:
        await migrate.migrate(url)
    async with open_pool(url) as pool:
        yield pool


@asynccontextmanager
async def perception(settings: Settings, *, tell: Tell = silent) -> AsyncIterator[Senses]:
    """Open the senses alone, for a person who waits, and is told how far it has come."""
    place = await asyncio.to_thread(opening.place_of, settings)
    async with opening.opened(settings, place, priority=Priority.PERSON, tell=tell) as lent:
        yield senses(lent.residency, lent.full, tell=tell)


def senses(residency: Residency, full: FullTier | None = None, *, tell: Tell = silent) -> Senses:
    """Return the senses, each at the best tier that a lease can be had for.

    An embedded one loads its model at its first use.
    """
    from tools.senses.hearing import PocketsphinxTranscriber
    from tools.senses.sight import RapidOcrReader
    from tools.senses.speech import EspeakSynthesizer

    embedded = Senses(
        hearing=PocketsphinxTranscriber(), sight=RapidOcrReader(), speech=EspeakSynthesizer()
    )
    return leased(embedded, residency, full, tell=tell)


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """What holds documents and finds them."""

    pool: Pool
    store: DocumentStore
    searcher: Searcher
    embedder: Embedder
    reader: "FileReader"
    ingestion: "Ingestion"
    shelf: "Shelf"
    senses: Senses
    residency: Residency


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """What runs graphs."""

    held: Memory
    pool: Pool
    services: "Services"
    artifacts: "ArtifactStore"
    store: "GraphStore"
    threads: "Threads"
    turns: "Turns"
    graphs: "Mapping[str, Builder]"
    capabilities: tuple[Capability, ...]

    @property
    def greeting(self) -> str:
        """Say in one line what serves each capability, and that an embedded model is no judge."""
        served = ", ".join(f"{one.name}: {one.server}" for one in self.capabilities)
        if self.services.executive.profile.judgement:
            return served
        return f"{served}. This model is for trying the engine out, not for judgement."


@asynccontextmanager
async def memory(
    settings: Settings, *, priority: Priority = Priority.PERSON
) -> AsyncIterator[Memory]:
    """Open memory: documents, search and ingestion. `priority` says who waits for the senses."""
    from tools.ingest import Ingestion
    from tools.reading.perception import Perception
    from tools.reading.reader import ContentReader
    from tools.shelf import Shelf

    place = await asyncio.to_thread(opening.place_of, settings)
    async with (
        database(settings) as pool,
        opening.opened(settings, place, priority=priority) as lent,
        copying.followed(place, pool, settings),
    ):
        store = DocumentStore(pool)
        embedder = await _embedder(settings, pool)
        able = senses(lent.residency, lent.full)
        reader = ContentReader(
            Perception(senses=able, residency=lent.residency), bytes_limit=settings.files.max_bytes
        )
        yield Memory(
            pool=pool,
            store=store,
            searcher=Searcher(pool, embedder),
            embedder=embedder,
            reader=reader,
            ingestion=Ingestion(
                store, reader, clock=SystemClock(), bytes_limit=settings.files.max_bytes
            ),
            shelf=Shelf(store, embedder, SystemClock()),
            senses=able,
            residency=lent.residency,
        )


async def _embedder(settings: Settings, pool: Pool) -> ServingEmbedder:
    """Return what turns text into vectors, now and when memory goes over to another model.

    Vectors of two models cannot be compared, so memory stays with the model that it was filled
    with, whatever the setting says, until `cortical memory reindex`.
    """
    async with pool.connection() as connection:
        serving = await serving_model(connection)
    opened = None if serving is None else await known_embedder(settings, serving.name)
    first = opened or await chosen_embedder(settings, settings.embedder)
    return ServingEmbedder(pool, first, partial(known_embedder, settings))


async def known_embedder(settings: Settings, name: str) -> Embedder | None:
    """Open the embedder of a model by the name that memory knows it by; None: nobody here can."""
    from agent.embedders.minilm_files import MODEL

    if name == MODEL or name.startswith(_SERVED):
        return await chosen_embedder(settings, name)
    return None


async def chosen_embedder(settings: Settings, choice: str) -> Embedder:
    """Open the embedder that a setting or a flag names; `auto` is the best one that is there."""
    from agent.embedders.minilm import MiniLmEmbedder
    from agent.embedders.minilm_files import MODEL

    if choice == "auto":
        choice = await _offered(settings)
    if choice.startswith(_SERVED):
        from agent.embedders.ollama import OllamaEmbedder

        return await OllamaEmbedder.open(settings.ollama.url, choice.removeprefix(_SERVED))
    if choice in ("embedded", MODEL):
        return MiniLmEmbedder(cache_dir=settings.cache_dir / "embedder")
    raise SettingsError(
        f"The embedder {choice!r} is none of auto, embedded and ollama:MODEL. Correct the setting "
        "`embedder` or the flag --embedder."
    )


async def _offered(settings: Settings) -> str:
    """Return the embedding model that a server has, or the embedded one."""
    server = await discover(settings.ollama.url, timeout_s=settings.ollama.probe_timeout_s)
    if server is None:
        return "embedded"
    named = settings.ollama.embedding_model
    model = server.model(named) if named else server.with_capability("embedding")
    return "embedded" if model is None else f"{_SERVED}{model.name}"


async def choosing(settings: Settings) -> "Choosing":
    """Return what the choice of the executive depends on."""
    from agent.executives.choose import Choosing
    from agent.executives.wire import Timeouts

    return Choosing(
        wanted=settings.executive.choice,
        url=settings.ollama.url,
        preferred_model=settings.ollama.model,
        server_context_tokens=settings.ollama.context_tokens,
        process_context_tokens=settings.executive.context_tokens,
        probe_timeout_s=settings.ollama.probe_timeout_s,
        timeouts=Timeouts(
            first_token_s=settings.ollama.first_token_timeout_s,
            token_s=settings.ollama.token_timeout_s,
        ),
        openai=await _openai(settings),
    )


async def executive(settings: Settings, *, watch: "Watch" = lambda _: None) -> "AnyExecutive":
    """Choose who reasons, and how it calls tools; the model is loaded when it is first asked.

    One that was never probed is asked a few things first, which `watch` is told of.
    """
    from agent.executives.choose import choose
    from agent.executives.probe.cache import ProbeCache
    from agent.models.probing import otherwise

    wanted = await choosing(settings)
    chosen = (await choose(wanted)).executive
    native = await otherwise(
        chosen,
        ProbeCache(settings.cache_dir),
        wanted,
        auto=settings.executive.probe == "auto",
        tell=lambda text: watch({"event": "probing", "text": text}),
    )
    return (
        chosen if native is None else (await choose(replace(wanted, native_tools=native))).executive
    )


async def _openai(settings: Settings) -> "ChoosingOpenAi | None":
    """Return the server that speaks OpenAI's protocol, where one is set and may be chosen."""
    from agent.executives.choose import ChoosingOpenAi
    from agent.executives.wire import Timeouts

    own = settings.openai
    if own.url is None or not settings.executive.choice.startswith(("auto", "openai:")):
        return None
    return ChoosingOpenAi(
        url=own.url,
        model=own.model,
        api_key=await asyncio.to_thread(own.key),
        context_tokens=own.context_tokens,
        native_tools=own.native_tools,
        probe_timeout_s=own.probe_timeout_s,
        timeouts=Timeouts(first_token_s=own.first_token_timeout_s, token_s=own.token_timeout_s),
    )


@asynccontextmanager
async def engine(
    settings: Settings,
    *,
    watch: "Watch" = lambda _: None,
    priority: Priority = Priority.PERSON,
) -> AsyncIterator[Engine]:
    """Open everything that a run of a graph needs. `priority` says who waits for it."""
    from agent import plugins
    from agent.residency.admission import admission
    from agent.turns import Turns
    from graphs import assistant
    from memory.artifact_store import ArtifactStore
    from memory.graph_store import open_store
    from memory.runs import RunRegistry
    from memory.threads import Threads
    from tools.notes import cut

    async with (
        memory(settings, priority=priority) as held,
        aclosing(await executive(settings, watch=watch)) as reasoner,
        open_store(held.pool, held.embedder, cut=cut) as store,
    ):
        services = _services(settings, held, reasoner, store)
        makers = {"assistant": assistant.build, **plugins.graphs(settings.graphs)}
        builders = {name: partial(maker, services) for name, maker in makers.items()}
        threads = Threads(held.pool)
        yield Engine(
            held=held,
            pool=held.pool,
            services=services,
            artifacts=ArtifactStore(held.pool),
            store=store,
            threads=threads,
            turns=Turns(
                pool=held.pool,
                store=store,
                registry=RunRegistry(held.pool),
                threads=threads,
                graphs=builders,
                clock=services.clock,
                new_id=lambda: str(uuid.uuid4()),
                admission=admission(settings, held.residency, reasoner),
            ),
            graphs=builders,
            capabilities=_capabilities(settings, held, services),
        )


def _services(
    settings: Settings, held: Memory, reasoner: "Executive", store: "GraphStore"
) -> "Services":
    from agent import plugins
    from graphs.context import Limits, Services
    from graphs.find_tools import find_tools
    from graphs.fitting.fit import page
    from memory.artifact_store import ArtifactStore
    from memory.ledger import EffectLedger
    from memory.recollection import Recollection
    from tools import clock, files, recall, remember, reread
    from tools.base import Tool
    from tools.executor import Executor
    from tools.policy import ANSWER
    from tools.registry import Toolbox

    artifacts = ArtifactStore(held.pool)
    tools: list[Tool[Any]] = [
        recall.recall(held.searcher),
        reread.reread(artifacts, part_characters=page(reasoner.profile.context_tokens)),
        remember.remember(store),
        files.read_file(settings.files.roots, held.reader),
        clock.NOW,
        clock.DATES,
        *plugins.tools(settings.tools),
    ]
    if len(tools) > settings.limits.tools:
        tools.append(find_tools(Toolbox(tools).specs()))
    return Services(
        executive=reasoner,
        executor=Executor(
            Toolbox(tools), EffectLedger(held.pool), timeout_s=settings.limits.tool_timeout_s
        ),
        recollection=Recollection(held.searcher, held.store),
        embedder=held.embedder,
        shelf=held.shelf,
        reader=held.reader,
        synthesizer=held.senses.speech,
        residency=held.residency,
        artifacts=artifacts,
        clock=SystemClock(),
        language=language.detect,
        file_bytes_limit=settings.files.max_bytes,
        purpose=ANSWER,
        collection=settings.collection,
        limits=Limits(
            rounds=settings.limits.rounds,
            tokens=settings.limits.tokens,
            seconds=settings.limits.seconds,
            same_calls=settings.limits.same_calls,
            passages=settings.limits.passages,
            answer_tokens=settings.limits.answer_tokens,
            tools_shown=settings.limits.tools,
            thought_tokens=settings.limits.thought_tokens,
        ),
        think=settings.executive.think != "off",
    )


def _capabilities(settings: Settings, held: Memory, services: "Services") -> tuple[Capability, ...]:
    profile = services.executive.profile
    embedder_tier = "full" if held.embedder.model.startswith("ollama") else "embedded"
    database_tier = "full" if settings.database.url else "embedded"
    return (
        Capability(name="executive", tier=profile.tier, server=profile.name),
        Capability(name="embeddings", tier=embedder_tier, server=held.embedder.model),
        *sense_capabilities(settings),
        Capability(name="database", tier=database_tier, server="PostgreSQL with pgvector"),
    )
