"""The indexes that are built after a load: that of words, and the approximate one of each model.

Without them a search is right, but looks at everything. One whose building was broken off is told
by Postgres from a whole one, and is built anew.
"""

import time
from collections.abc import Iterator

from psycopg import sql

from memory import lexicon
from memory.database import Connection, Pool, translated
from memory.embedding_models import Model
from memory.queries import query
from memory.rows import fetch
from memory.writing import writing

INDEXED_FROM = 50_000
"""Rows from which a table of vectors gets an approximate index; below, looking at all takes
milliseconds."""
LAID_ASIDE_FROM = 20_000
"""Passages of a load from which it is worth to build indexes anew rather than row by row."""
WORDS = "lexical_by_term"


async def lay_aside(pool: Pool, model: Model | None, *, expected: int) -> None:
    """Drop the indexes before a load of so many passages, if these will be most of all."""
    async with writing(pool) as connection:
        held = (await fetch(connection, "count_lexicon"))[0]["chunks"]
        if expected < max(held, LAID_ASIDE_FROM):
            return
        for name in (WORDS, *([model.index] if model else [])):
            await connection.execute(_of("lay_index_aside", model, name))


async def build_missing(
    pool: Pool, model: Model | None, *, indexed_from: int = INDEXED_FROM
) -> dict[str, float]:
    """Build the indexes that are not there or not whole; return the seconds that each took.

    One that another process is building is left to it.
    """
    took: dict[str, float] = {}
    with translated():
        async with pool.connection() as connection:
            for name, statement, key in _wanted(model):
                if statement == "create_index" and await _few(connection, model, indexed_from):
                    continue
                began = time.perf_counter()
                if await _build(connection, model, name, statement, key):
                    took[name] = time.perf_counter() - began
    return took


async def ready(pool: Pool, model: Model, *, indexed_from: int = INDEXED_FROM) -> bool:
    """Return whether a model's table has its index, or is too small to need one."""
    with translated():
        async with pool.connection() as connection:
            if await _whole(connection, model.index):
                return True
            return await _few(connection, model, indexed_from)


def _wanted(model: Model | None) -> Iterator[tuple[str, str, int]]:
    """Yield each index with the statement that makes it and the key of the lock on that."""
    yield WORDS, "create_word_index", 0
    if model is not None:
        yield model.index, "create_index", model.id


async def _few(connection: Connection, model: Model | None, indexed_from: int) -> bool:
    cursor = await connection.execute(_of("count_vectors", model, ""))
    return bool((await cursor.fetchall())[0]["vectors"] < indexed_from)


async def _build(
    connection: Connection, model: Model | None, name: str, statement: str, key: int
) -> bool:
    """Build an index unless it is whole or being built; return whether that was done."""
    if await _whole(connection, name):
        return False
    lock = {"model": key, "key": lexicon.LOCK_KEY}
    if not (await fetch(connection, "try_index_lock", **lock))[0]["locked"]:
        return False
    try:
        if await _whole(connection, name):
            return False
        # One that was broken off stays behind, takes writes and serves nothing.
        await connection.execute(_of("drop_index", model, name))
        await connection.execute(_of(statement, model, name))
        return True
    finally:
        await connection.execute(query("release_index_lock"), lock)


async def _whole(connection: Connection, name: str) -> bool:
    found = await fetch(connection, "index_state", index=name)
    return bool(found and found[0]["valid"])


def _of(name: str, model: Model | None, index: str) -> sql.Composed:
    table = sql.Identifier("lexical") if model is None else model.table
    return sql.SQL(query(name)).format(vectors=table, index=sql.Identifier(index))
