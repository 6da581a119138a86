"""Vectors of passages: a narrow table for each embedding model, filled newest first."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memory import indexes, lexicon
from memory.database import Connection, Pool, transaction, translated
from memory.embedding import Embedder, follow
from memory.embedding_models import Model, checked_vectors, find_model, register, statement
from memory.errors import ModelReplacedError
from memory.queries import query
from memory.rows import Row, fetch

Progress = Callable[[int, int], None]
"""Called with the passages embedded so far and all that have to be."""


def silent(done: int, total: int) -> None:
    """Show no progress."""


@dataclass(slots=True)
class _Seen:
    """Between the two nothing waits any more, save what another process commits late."""

    top: int = 0
    bottom: int = 0


async def waiting(pool: Pool, embedder: Embedder) -> int:
    """Count the passages that have no vector of that model yet."""
    with translated():
        async with pool.connection() as connection:
            model = await find_model(connection, embedder)
            return await _count_waiting(connection, model)


async def embed_missing(
    pool: Pool,
    embedder: Embedder,
    *,
    batch: int,
    limit: int | None = None,
    on_progress: Progress = silent,
    indexed_from: int = indexes.INDEXED_FROM,
) -> int:
    """Embed passages without a vector, newest first; return how many got one.

    Each batch is stored before the next begins, so it may be ended and called again at any time.
    If memory goes over to another model meanwhile, an embedder that follows goes on with that.
    """
    await follow(embedder)
    model = await register(pool, embedder)
    # Counting looks at all passages: too much for a mail that has just come.
    total = 0 if on_progress is silent else await waiting(pool, embedder)
    done, seen = 0, _Seen()
    while limit is None or done < limit:
        size = batch if limit is None else min(batch, limit - done)
        try:
            rows = await _next_batch(pool, model, seen, size)
            if rows:
                done += await _embed(pool, model, embedder, rows)
                on_progress(done, max(done, total))
            else:
                await indexes.build_missing(pool, model, indexed_from=indexed_from)
        except ModelReplacedError:
            await follow(embedder)
            if embedder.model == model.name:
                raise
            rows = []
        await follow(embedder)
        if embedder.model != model.name:
            model, seen = await register(pool, embedder), _Seen()
        elif not rows:
            break
    return done


async def _count_waiting(connection: Connection, model: Model | None) -> int:
    if model is None:
        rows = await fetch(connection, "count_chunks")
    else:
        cursor = await connection.execute(statement("count_unembedded", model))
        rows = await cursor.fetchall()
    return int(rows[0]["chunks"])


async def _next_batch(pool: Pool, model: Model, seen: _Seen, size: int) -> list[Row]:
    """Return the newest passages that wait; after the last one, those that were committed late."""
    rows = await _unembedded(pool, model, seen, size)
    if not rows and seen.top:
        seen.top = seen.bottom = 0
        rows = await _unembedded(pool, model, seen, size)
    if rows:
        ids = [row["chunk_id"] for row in rows]
        seen.top, seen.bottom = max(seen.top, *ids), min(ids)
    return rows


async def _unembedded(pool: Pool, model: Model, seen: _Seen, size: int) -> list[Row]:
    values = {"top": seen.top, "bottom": seen.bottom, "limit": size}
    with translated():
        async with pool.connection() as connection:
            cursor = await connection.execute(statement("unembedded", model), values)
            return await cursor.fetchall()


async def embed_last(
    connection: Connection, model: Model, embedder: Embedder, *, limit: int
) -> int | None:
    """Embed what still waits, in the transaction of a caller that holds off all writers.

    Returns how many passages got a vector; None where more than `limit` wait and were left.
    """
    values = {"top": 0, "bottom": 0, "limit": limit + 1}
    cursor = await connection.execute(statement("unembedded", model), values)
    rows = await cursor.fetchall()
    if len(rows) > limit:
        return None
    texts = await _copied(connection, model, rows)
    if texts:
        made = await embedder.embed(list(texts.values()), role="document")
        if embedder.model != model.name:
            return None
        await _added(connection, model, embedder, texts, made)
    return len(rows)


async def _embed(pool: Pool, model: Model, embedder: Embedder, rows: Sequence[Row]) -> int:
    async with _adding(pool) as connection:
        texts = await _copied(connection, model, rows)
    copied = sum(row["content_key"] not in texts for row in rows)
    if not texts:
        return copied
    made = await embedder.embed(list(texts.values()), role="document")
    if embedder.model != model.name:
        return copied
    async with _adding(pool) as connection:
        return copied + await _added(connection, model, embedder, texts, made)


async def _copied(connection: Connection, model: Model, rows: Sequence[Row]) -> dict[bytes, str]:
    """Give passages the vectors of their equals; return the texts of the others, by content."""
    if not rows:
        return {}
    cursor = await connection.execute(
        statement("copy_vectors", model), {"chunk_ids": [row["chunk_id"] for row in rows]}
    )
    copied = {row["chunk_id"] for row in await cursor.fetchall()}
    return {
        row["content_key"]: lexicon.whole(row["context"], row["text"])
        for row in rows
        if row["chunk_id"] not in copied
    }


async def _added(
    connection: Connection,
    model: Model,
    embedder: Embedder,
    texts: Mapping[bytes, str],
    made: NDArray[np.float32],
) -> int:
    """Store the vectors that were made of texts; return how many passages have got one."""
    values = {
        "content_keys": list(texts),
        "embeddings": checked_vectors(made, embedder, len(texts)),
    }
    return (await connection.execute(statement("add_vectors", model), values)).rowcount


@asynccontextmanager
async def _adding(pool: Pool) -> AsyncIterator[Connection]:
    """Hold off changes of passages while vectors are added to them."""
    async with transaction(pool) as connection:
        await connection.execute(query("lock_lexicon_shared"), {"key": lexicon.LOCK_KEY})
        yield connection
