"""A database that a run of a benchmark has to itself, so that it neither sees nor leaves anything.

Each run has one of its own name and holds a connection to it as long as it lives. So another run
tells what a dead one has left by nobody being connected, and Postgres itself refuses to drop what
is in use. One that is to be kept has the benchmark's own name, and one run at a time.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import LiteralString

from psycopg import errors, sql
from psycopg.conninfo import make_conninfo

from agent.errors import UsageError
from memory.database import Connection, connect, translated
from memory.errors import DatabaseAccessError
from memory.migrations import migrate

_TOKEN_BYTES = 6
_LOCK = 0x62656E6368  # "bench": any fixed number that other programs are unlikely to take
_ABANDONED = """
SELECT datname FROM pg_database
WHERE datname ~ %(pattern)s AND pg_get_userbyid(datdba) = current_user AND NOT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE pg_stat_activity.datname = pg_database.datname AND backend_type = 'client backend'
)
"""


@asynccontextmanager
async def lent(
    server: str, name: str, *, reuse: bool = False, keep: bool = False
) -> AsyncIterator[str]:
    """Return the address of a migrated database on a server, whose name begins with this one.

    It is dropped in the end unless it is kept; what dead runs have left is dropped first. One that
    is kept, or reused, has just this name. UsageError: another run uses that.
    """
    await _cleared(server, name)
    if keep and not reuse:
        await _made_way(server, name)
    own, holder = await (_alone(server, name) if keep or reuse else _made(server, name))
    try:
        await migrate(make_conninfo(server, dbname=own))
        yield make_conninfo(server, dbname=own)
    finally:
        await holder.close()
        if not keep:
            await _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", own)


async def _cleared(server: str, name: str) -> None:
    """Drop what runs that are dead have left, and nothing that anybody is connected to."""
    pattern = f"^{name}_[0-9a-f]{{{2 * _TOKEN_BYTES}}}$"
    async with await connect(server) as connection:
        with translated():
            found = await connection.execute(_ABANDONED, {"pattern": pattern})
            left = [row["datname"] for row in await found.fetchall()]
    for one in left:
        try:
            await _run(server, "DROP DATABASE IF EXISTS {}", one)
        except errors.ObjectInUse:
            continue


async def _made(server: str, name: str, tries: int = 3) -> tuple[str, Connection]:
    """Make a database of a name that nobody has, and hold it.

    In the moment before we are connected another run may take it for left; then it is made again.
    """
    own = f"{name}_{secrets.token_hex(_TOKEN_BYTES)}"
    await _run(server, "CREATE DATABASE {}", own)
    try:
        return own, await connect(make_conninfo(server, dbname=own))
    except DatabaseAccessError:
        if tries == 1:
            raise
        return await _made(server, name, tries - 1)


async def _made_way(server: str, name: str) -> None:
    try:
        await _run(server, "DROP DATABASE IF EXISTS {}", name)
    except errors.ObjectInUse as error:
        raise _in_use(name) from error


async def _alone(server: str, name: str) -> tuple[str, Connection]:
    """Take the database of just this name, which is made where there is none, and hold it alone."""
    if not await _exists(server, name):
        try:
            await _run(server, "CREATE DATABASE {}", name)
        except errors.DuplicateDatabase as error:
            raise _in_use(name) from error
    holder = await connect(make_conninfo(server, dbname=name))
    found = await holder.execute("SELECT pg_try_advisory_lock(%s) AS alone", [_LOCK])
    row = await found.fetchone()
    if row is None or not row["alone"]:
        await holder.close()
        raise _in_use(name)
    return name, holder


def _in_use(name: str) -> UsageError:
    return UsageError(
        f"The database {name!r} is in use, probably by another run of this benchmark. Wait for its "
        "end, or run without --keep and --reuse, which gives the run a database of its own."
    )


async def _exists(server: str, name: str) -> bool:
    async with await connect(server) as connection:
        found = await connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        return await found.fetchone() is not None


async def _run(server: str, statement: LiteralString, name: str) -> None:
    async with await connect(server) as connection:
        await connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
