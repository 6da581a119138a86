"""The one place that wires: settings to database, memory, senses, executive and graphs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from agent import migrate
from agent.settings import Settings
from memory import migrations
from memory.database import Pool, open_pool
from memory.server import EmbeddedPostgres
from tools.senses.base import Senses

if TYPE_CHECKING:
    pass


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
