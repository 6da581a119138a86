"""An engine on a database of its own, with the documents of a library in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent import assembly
from agent.assembly import Engine
from agent.bench import place
from agent.bench.prefix.library import Library
from agent.bench.retrieval import measure as retrieval
from agent.migrate import migrate
from agent.recorder import Watch
from agent.settings import DatabaseSettings, ExecutiveSettings, Settings

DATABASE = "cortical_bench_prefix"
COLLECTION = "bench"


@asynccontextmanager
async def engine(settings: Settings, shelf: Library, watch: Watch) -> AsyncIterator[Engine]:
    """Open the engine; its database is dropped in the end."""
    server = await assembly.database_url(settings)
    async with place.lent(server, DATABASE) as url:
        await migrate(url)
        own = settings.model_copy(
            update={
                "database": DatabaseSettings(url=url),
                "executive": ExecutiveSettings(choice="embedded"),
            }
        )
        async with assembly.engine(own) as opened:
            held = opened.held
            source = await held.store.source(COLLECTION, "bench:")
            await retrieval.fill(held.store, held.reader, shelf.documents, source, watch)
            await held.store.embed_missing(held.embedder)
            yield opened
