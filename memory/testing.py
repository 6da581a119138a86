"""A real database for tests: one server for a whole session, a fresh copy for each test."""

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import LiteralString
from uuid import uuid4

from psycopg import sql
from psycopg.conninfo import make_conninfo

from memory.database import connect
from memory.migrations import migrate, migration_lock
from memory.server import EmbeddedPostgres

TEMPLATE = "cortical_template"


@contextmanager
def server_folder() -> Iterator[Path]:
    """Lend a directory for servers; in the end all that run there are stopped, and it is gone.

    A process of its own sees to it, so that it happens also when this one is killed.
    """
    folder = Path(tempfile.mkdtemp(prefix="cortical-test-"))
    command = [sys.executable, "-m", "memory.testing", str(folder)]
    with subprocess.Popen(  # noqa: S603 - this very module
        command, stdin=subprocess.PIPE, cwd=Path(__file__).parents[1], start_new_session=True
    ) as guard:
        try:
            yield folder
        finally:
            guard.communicate()


def hasty_server(folder: Path) -> EmbeddedPostgres:
    """Return a server that does not wait for the disk: tests need not outlive a power cut."""
    return EmbeddedPostgres(data_dir=folder, settings={"fsync": "off", "full_page_writes": "off"})


async def make_template(dsn: str) -> None:
    """Make the migrated database that tests get copies of, unless it is there.

    Any number of test processes may call it at once.
    """
    async with await connect(dsn) as connection, migration_lock(connection):
        cursor = await connection.execute("SELECT FROM pg_database WHERE datname = %s", [TEMPLATE])
        if await cursor.fetchone() is None:
            half_made = f"{TEMPLATE}_half_made"
            await connection.execute(_named("DROP DATABASE IF EXISTS {}", half_made))
            await connection.execute(_named("CREATE DATABASE {}", half_made))
            await migrate(make_conninfo(dsn, dbname=half_made))
            await connection.execute(_named("ALTER DATABASE {} RENAME TO {}", half_made, TEMPLATE))


@asynccontextmanager
async def cloned_database(dsn: str, *, template: str = TEMPLATE) -> AsyncIterator[str]:
    """Lend a fresh copy of the template, which in the end is dropped, whoever is connected."""
    name = f"test_{uuid4().hex}"
    async with await connect(dsn) as connection:
        await connection.execute(_named("CREATE DATABASE {} TEMPLATE {}", name, template))
        try:
            yield make_conninfo(dsn, dbname=name)
        finally:
            await connection.execute(_named("DROP DATABASE {} WITH (FORCE)", name))


def _named(statement: LiteralString, *names: str) -> sql.Composed:
    return sql.SQL(statement).format(*map(sql.Identifier, names))


def _guard(folder: Path) -> None:
    """Wait until whoever started this has ended, however it ended; then clean up."""
    sys.stdin.read()
    for lock in folder.rglob("alive.lock"):
        asyncio.run(EmbeddedPostgres(data_dir=lock.parent).stop())
    shutil.rmtree(folder)


if __name__ == "__main__":
    _guard(Path(sys.argv[1]))
