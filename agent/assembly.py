"""The one place that wires: settings to database, memory, senses, executive and graphs."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from agent import migrate
from agent.capabilities import Capability, senses as sense_capabilities
from agent.clock import SystemClock
from agent.residency.host import HostResidency
from agent.settings import Settings
from memory import language, migrations
from memory.database import Pool, open_pool
from memory.embedding import Embedder
from memory.search import Searcher
from memory.server import EmbeddedPostgres
from memory.store import DocumentStore
from tools.senses.base import Residency, Senses

if TYPE_CHECKING:
    from agent.turns import Builder, Turns
    from graphs.context import Services
    from graphs.executive import Executive
    from memory.artifact_store import ArtifactStore
    from memory.threads import Threads
    from tools.ingest import Ingestion, Shelf
    from tools.reading.base import FileReader


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


def senses() -> Senses:
    """Return the embedded senses; each loads its model at its first use."""
    from tools.senses.hearing import PocketsphinxTranscriber
    from tools.senses.sight import RapidOcrReader
    from tools.senses.speech import EspeakSynthesizer

    return Senses(
        hearing=PocketsphinxTranscriber(), sight=RapidOcrReader(), speech=EspeakSynthesizer()
    )


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

    pool: Pool
    services: "Services"
    artifacts: "ArtifactStore"
    threads: "Threads"
    turns: "Turns"
    graphs: "Mapping[str, Builder]"
    capabilities: tuple[Capability, ...]

    @property
    def greeting(self) -> str:
        """Say in one line what serves each capability."""
        return ", ".join(f"{one.name}: {one.server} ({one.tier})" for one in self.capabilities)
