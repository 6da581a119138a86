"""Connections to Postgres: the pool, transactions, and errors in words.

Rows are dictionaries (`dict_row`) and connections commit by themselves (`autocommit`), which is
also what LangGraph's checkpointer asks of a pool, so that both share one. Several statements that
belong together go through `transaction`.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection, errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from memory.errors import (
    DatabaseAccessError,
    DatabaseTooOldError,
    DatabaseUnreachableError,
    DiskFullError,
    FenceLostError,
    MemoryStoreError,
    ModelReplacedError,
    SchemaError,
)
from memory.queries import load, query

Connection = AsyncConnection[DictRow]
Pool = AsyncConnectionPool[Connection]

OLDEST_POSTGRES = 16
OLDEST_PGVECTOR = (0, 8, 4)
FENCE_LOST = "CT001"
"""SQLSTATE of the function `hold_fence`."""
SEARCH_OPTIONS = {"hnsw.iterative_scan": "relaxed_order", "hnsw.ef_search": "300"}
"""Set on every connection: a filtered vector search goes on until it has its k rows."""


@asynccontextmanager
async def open_pool(
    dsn: str,
    *,
    min_size: int = 1,
    max_size: int = 10,
    timeout_s: float = 10.0,
    connection_class: type[Connection] = AsyncConnection[DictRow],
) -> AsyncIterator[Pool]:
    """Open connections to a migrated database, and close them at the end.

    Raises a MemoryStoreError where nothing answers within `timeout_s`, or what answers is too old.
    """
    await _check(dsn, timeout_s=timeout_s)
    pool: Pool = AsyncConnectionPool(
        with_search_options(dsn),
        connection_class=connection_class,
        kwargs={"autocommit": True, "row_factory": dict_row},
        configure=_configure,
        check=AsyncConnectionPool.check_connection,
        min_size=min_size,
        max_size=max_size,
        timeout=timeout_s,
        open=False,
    )
    async with pool:
        with translated():
            await pool.wait(timeout=timeout_s)
        yield pool


async def connect(dsn: str, *, timeout_s: float = 10.0) -> Connection:
    """Open a single connection, without the types of pgvector: for set-up and for checks."""
    _parts(dsn)
    await asyncio.to_thread(load)
    with translated():
        return await AsyncConnection.connect(
            dsn, autocommit=True, row_factory=dict_row, connect_timeout=max(2, round(timeout_s))
        )


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """Lend a connection within a transaction: committed at the end, rolled back by an error."""
    with translated():
        async with pool.connection() as connection, connection.transaction():
            yield connection


def with_search_options(dsn: str) -> str:
    """Add the search options to those that the DSN already carries."""
    known = _parts(dsn).get("options") or ""
    ours = " ".join(f"-c {name}={value}" for name, value in SEARCH_OPTIONS.items())
    return make_conninfo(dsn, options=f"{known} {ours}".strip())


def _parts(dsn: str) -> Mapping[str, Any]:
    try:
        return conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        # libpq's words repeat the text, and a password with it.
        raise DatabaseAccessError(
            "The database URL cannot be read. Write it as postgresql://USER@HOST:PORT/NAME, with "
            "signs such as @ in a password as %40."
        ) from None


def check_versions(server: int, pgvector: str | None) -> None:
    """Refuse what is too old. `server` is server_version_num, such as 180004."""
    if server // 10000 < OLDEST_POSTGRES:
        raise DatabaseTooOldError(
            f"The database is PostgreSQL {server // 10000}.{server % 10000}, but "
            f"{OLDEST_POSTGRES} or later is needed. Upgrade it, or leave the database URL unset to "
            "use the embedded one."
        )
    if pgvector is None:
        raise SchemaError(
            "The database has no extension `vector` yet. Run `cortical migrate` once."
        )
    if tuple(int(part) for part in pgvector.split(".")) < OLDEST_PGVECTOR:
        wanted = ".".join(str(part) for part in OLDEST_PGVECTOR)
        raise DatabaseTooOldError(
            f"The database has pgvector {pgvector}, but {wanted} or later is needed. Install it on "
            "the server, then run `ALTER EXTENSION vector UPDATE` in this database."
        )


@contextmanager
def translated() -> Iterator[None]:
    """Turn errors of psycopg that somebody can act upon into our own; pass on all others."""
    try:
        yield
    except psycopg.Error as error:
        ours = _translation(error)
        if ours is None:
            raise
        raise ours from error


def _translation(error: psycopg.Error) -> MemoryStoreError | None:
    words = error.diag.message_primary or " ".join(str(error).split()) or type(error).__name__
    if "FATAL:" in words and error.sqlstate is None:
        return _refusal(words)
    if error.sqlstate == FENCE_LOST:
        return FenceLostError(
            f"This run was taken over ({words}), since it did not answer for longer than its "
            "lease. Nothing of it is lost: ask again on the thread."
        )
    if isinstance(error, errors.UndefinedTable) and _VECTORS.search(words):
        return ModelReplacedError(
            f"Memory has gone over to another embedding model meanwhile ({words}). Nothing is "
            "lost: run the command again."
        )
    for kinds, ours, message in _TRANSLATIONS:
        if isinstance(error, kinds):
            return ours(message.format(words=words))
    return None


def _refusal(words: str) -> MemoryStoreError:
    """Tell a server that is busy from one that does not want us: psycopg has no kinds for that."""
    if _BUSY.search(words):
        return DatabaseUnreachableError(
            f"The database takes no connection now ({words}). Try again in a while."
        )
    return DatabaseAccessError(
        f"The database does not let this user in ({words}). Check user, password and name of the "
        "database in the database URL."
    )


_VECTORS = re.compile(r"\bvectors_\d+\b")
_BUSY = re.compile("the database system is|too many (clients|connections)|connection slots")

_TRANSLATIONS: tuple[tuple[tuple[type[psycopg.Error], ...], type[MemoryStoreError], str], ...] = (
    (
        (errors.DiskFull,),
        DiskFullError,
        "The disk of the database is full ({words}). What was stored before is whole and this "
        "step was undone. Free some space, then run it again.",
    ),
    (
        (errors.OutOfMemory, errors.TooManyConnections),
        DatabaseUnreachableError,
        "The database is busy and takes no more work now ({words}). Try again in a while.",
    ),
    (
        (errors.InsufficientPrivilege,),
        DatabaseAccessError,
        "The database user may not do this ({words}). Let the owner of the database grant it.",
    ),
    (
        (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction),
        SchemaError,
        "The tables are not those of this version ({words}). Run `cortical migrate`.",
    ),
    (
        (PoolTimeout,),
        DatabaseUnreachableError,
        "No connection to the database came free in time ({words}). Is the server running?",
    ),
    (
        (psycopg.OperationalError,),
        DatabaseUnreachableError,
        "The database does not answer, or the connection broke off ({words}). Nothing that was "
        "reported as stored is lost. Check that it runs, then try again.",
    ),
)
"""The first row that fits counts, so a kind stands before its parents."""


async def _configure(connection: Connection) -> None:
    from pgvector.psycopg import register_vector_async

    await register_vector_async(connection)


async def _check(dsn: str, *, timeout_s: float) -> None:
    """Look at one connection before the pool opens, whose own attempts would only time out."""
    async with await connect(with_search_options(dsn), timeout_s=timeout_s) as connection:
        with translated():
            found = await _one(connection, query("server_versions"))
            check_versions(found["server"], found["pgvector"])
            await connection.execute(query("load_pgvector"))
            for name, value in SEARCH_OPTIONS.items():
                setting = await _one(connection, query("setting"), name=name)
                if setting["value"] != value:
                    raise DatabaseAccessError(
                        f"The connection has {name} = {setting['value']!r} instead of {value!r}. "
                        "A pooler in between that drops start-up options does this: connect to "
                        "the server itself."
                    )


async def _one(connection: Connection, statement: str, **values: str) -> DictRow:
    cursor = await connection.execute(statement, values)
    row = await cursor.fetchone()
    assert row is not None
    return row
