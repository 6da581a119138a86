"""Bring a database to the tables that this program knows.

A new database is built from `sql/schema.sql`; an old one gets the files of `sql/migrations` that
it has not had, in order, each in a transaction of its own. A test compares what both give.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise

from psycopg import errors

from memory.database import Connection, connect, translated
from memory.errors import DatabaseAccessError, DatabaseTooOldError, SchemaError
from memory.queries import query

LOCK_KEY = 0x636F7274  # "cort": any fixed number that other programs are unlikely to take
_POLL_S = 0.05
_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")

Step = Callable[[Connection], Awaitable[None]]
"""Something else to set up under the same lock; it must be harmless to run again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Hex digest of the file, by which a change after the fact is told."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def __str__(self) -> str:
        """Return the file name without its ending."""
        return f"{self.number:04}_{self.name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """A migration that the database has had."""

    number: int
    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MigrationStatus:
    """Where a database stands."""

    applied: tuple[str, ...]
    pending: tuple[str, ...]


async def migrate(dsn: str, *, further: Sequence[Step] = (), timeout_s: float = 120.0) -> list[str]:
    """Bring the database up to date, then take the further steps; return what was applied.

    Any number of processes may call it at once: one works, the others wait up to `timeout_s`.
    """
    async with await connect(dsn) as connection, migration_lock(connection, timeout_s=timeout_s):
        with translated():
            done = await _bring_up(connection)
            for step in further:
                await step(connection)
    return [str(migration) for migration in done]


async def status(dsn: str) -> MigrationStatus:
    """Tell what is applied and what is pending, changing nothing."""
    async with await connect(dsn) as connection:
        with translated():
            applied = await _applied(connection) or ()
    pending = outstanding(await asyncio.to_thread(migrations), applied)
    return MigrationStatus(
        applied=tuple(f"{had.number:04}_{had.name}" for had in applied),
        pending=tuple(str(migration) for migration in pending),
    )


@asynccontextmanager
async def migration_lock(
    connection: Connection, *, timeout_s: float = 120.0
) -> AsyncIterator[None]:
    """Hold the lock under which tables are changed, on this connection."""
    with translated():
        try:
            async with asyncio.timeout(timeout_s):
                while not await _take(connection):  # noqa: ASYNC110 - nobody tells of it
                    await asyncio.sleep(_POLL_S)
        except TimeoutError as error:
            raise SchemaError(
                f"Another process has been migrating this database for more than {timeout_s:g} s. "
                "Wait for it, or end it, then run `cortical migrate`."
            ) from error
    try:
        yield
    finally:
        # A broken connection has given the lock back already, and its own error is the news.
        if not connection.broken:
            await connection.execute(query("release_migration_lock"), {"key": LOCK_KEY})


def migrations() -> tuple[Migration, ...]:
    """Return the files of `sql/migrations`, in order."""
    folder = files("memory") / "sql" / "migrations"
    return parse((file.name, file.read_text("utf-8")) for file in folder.iterdir())


def outstanding(known: Sequence[Migration], applied: Sequence[Applied]) -> tuple[Migration, ...]:
    """Return what has still to be applied; SchemaError where the two histories disagree."""
    by_number = {migration.number: migration for migration in known}
    for had in applied:
        migration = by_number.pop(had.number, None)
        if migration is None:
            raise SchemaError(
                f"The database is newer than this program: it has had migration {had.number:04}_"
                f"{had.name}, which this version does not know. Install a later cortical."
            )
        if (migration.name, migration.sha256) != (had.name, had.sha256):
            raise SchemaError(
                f"Migration {migration} was changed after this database had had it as "
                f"{had.number:04}_{had.name} ({had.sha256[:12]}…, now {migration.sha256[:12]}…). "
                "Restore the file and write the change as a new migration."
            )
    return tuple(by_number.values())


def parse(texts: Iterable[tuple[str, str]]) -> tuple[Migration, ...]:
    """Order files, given as (file name, text); ValueError for a wrong name or the same number."""
    found = []
    for file, text in texts:
        name = _FILE.fullmatch(file)
        if name is None:
            raise ValueError(f"{file} in sql/migrations is not named like 0001_words.sql.")
        found.append(Migration(number=int(name[1]), name=name[2], sql=text))
    found.sort(key=lambda migration: migration.number)
    for one, other in pairwise(found):
        if one.number == other.number:
            raise ValueError(f"Migrations {one} and {other} have the same number.")
    return tuple(found)


async def build(connection: Connection, known: Sequence[Migration]) -> None:
    """Make the tables of a new database from `sql/schema.sql`, and mark all migrations as had."""
    schema = await asyncio.to_thread((files("memory") / "sql" / "schema.sql").read_text, "utf-8")
    async with connection.transaction():
        await prepare(connection)
        await connection.execute(schema)
        for migration in known:
            await _record(connection, migration)


async def prepare(connection: Connection) -> None:
    """Make what the first migration takes for granted: pgvector, and the list of migrations."""
    try:
        await connection.execute(query("create_vector"))
    except errors.InsufficientPrivilege as error:
        raise DatabaseAccessError(
            "The database user may not create the extension `vector`. Let a superuser run "
            "`CREATE EXTENSION vector` in this database, then run `cortical migrate`."
        ) from error
    except (errors.FeatureNotSupported, errors.UndefinedFile) as error:
        raise DatabaseTooOldError(
            "The server does not have pgvector. Install it there (package `postgresql-NN-pgvector` "
            "on Debian), then run `cortical migrate`."
        ) from error
    await connection.execute(query("create_migrations"))


async def apply(connection: Connection, pending: Sequence[Migration]) -> None:
    """Run files on an old database, each in a transaction of its own."""
    for migration in pending:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await _record(connection, migration)


async def _bring_up(connection: Connection) -> Sequence[Migration]:
    applied = await _applied(connection)
    known = await asyncio.to_thread(migrations)
    if applied is None:
        await build(connection, known)
        return known
    pending = outstanding(known, applied)
    await apply(connection, pending)
    return pending


async def _applied(connection: Connection) -> tuple[Applied, ...] | None:
    """Return what the database has had, in order; None where it is new."""
    cursor = await connection.execute(query("migrations_known"))
    row = await cursor.fetchone()
    assert row is not None
    if not row["known"]:
        return None
    cursor = await connection.execute(query("applied_migrations"))
    return tuple(Applied(**row) for row in await cursor.fetchall())


async def _record(connection: Connection, migration: Migration) -> None:
    await connection.execute(
        query("record_migration"),
        {"number": migration.number, "name": migration.name, "sha256": migration.sha256},
    )


async def _take(connection: Connection) -> bool:
    cursor = await connection.execute(query("try_migration_lock"), {"key": LOCK_KEY})
    row = await cursor.fetchone()
    assert row is not None
    return bool(row["locked"])
