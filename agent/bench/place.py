"""A database that a benchmark has to itself, so that it neither sees nor leaves anything."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import LiteralString

from psycopg import sql
from psycopg.conninfo import make_conninfo

from memory.database import connect
from memory.migrations import migrate


@asynccontextmanager
async def lent(
    server: str, name: str, *, reuse: bool = False, keep: bool = False
) -> AsyncIterator[str]:
    """Return the address of a migrated database of that name on a server.

    It is made anew unless an earlier one is to be reused, and dropped in the end unless kept.
    """
    own = make_conninfo(server, dbname=name)
    if not reuse:
        await _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
    if not await _exists(server, name):
        await _run(server, "CREATE DATABASE {}", name)
    try:
        await migrate(own)
        yield own
    finally:
        if not keep:
            await _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


async def _exists(server: str, name: str) -> bool:
    async with await connect(server) as connection:
        found = await connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        return await found.fetchone() is not None


async def _run(server: str, statement: LiteralString, name: str) -> None:
    async with await connect(server) as connection:
        await connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
