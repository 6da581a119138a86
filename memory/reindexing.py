"""From one embedding model to another, while the old one serves.

Vectors of the new model are made beside the old ones; searches go on with the old, complete model.
When nothing lacks a vector and the index is built, the new one serves from one moment to the next,
and the old vectors go. It may be broken off at any moment, and goes on where it was.
"""

import asyncio
from dataclasses import dataclass

from psycopg import errors

from memory import indexes, vectors
from memory.database import Connection, Pool, translated
from memory.embedding import Embedder
from memory.embedding_models import Model, list_models, register, statement
from memory.errors import DatabaseUnreachableError
from memory.queries import query
from memory.rows import fetch
from memory.writing import writing

BATCH = 32
_LAST = 64
"""Passages that may come between the last look and the change: they are embedded while writers
wait. Otherwise writers that never rest would put the change off for ever."""
_POLL_S = 0.5
_LOCK_TIMEOUT = "200ms"
"""Shorter than Postgres waits before it looks for deadlocks: a search is never what gives way."""
_ATTEMPTS = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Reindexed:
    """What a change of the model has done."""

    model: str
    embedded: int
    """Passages that have got a vector now."""
    passages: int
    """All that have one."""
    replaced: str | None
    """The model that served before; None if it was this one already."""
    dropped: tuple[str, ...]
    """Models whose vectors have gone."""
    kept: tuple[str, ...]
    """Models that memory has vectors of besides."""


async def reindex(
    pool: Pool,
    embedder: Embedder,
    *,
    keep: bool = False,
    batch: int = BATCH,
    indexed_from: int = indexes.INDEXED_FROM,
    on_progress: vectors.Progress = vectors.silent,
) -> Reindexed:
    """Go over to the model of an embedder; with `keep` the vectors of the others stay.

    EmbeddingMismatchError: memory has vectors of other dimensions under its name.
    """
    model = await register(pool, embedder)
    embedded, before = 0, None
    while True:
        embedded += await vectors.embed_missing(
            pool, embedder, batch=batch, indexed_from=indexed_from, on_progress=on_progress
        )
        await _indexed(pool, model, indexed_from)
        async with writing(pool) as connection:
            last = await vectors.embed_last(connection, model, embedder, limit=_LAST)
            if last is not None:
                embedded += last
                before = await _serve(connection, model)
                break
    dropped = () if keep else await _drop_others(pool, model)
    with translated():
        async with pool.connection() as connection:
            known = await list_models(connection)
            cursor = await connection.execute(statement("count_vectors", model))
            passages = (await cursor.fetchall())[0]["vectors"]
    return Reindexed(
        model=model.name,
        embedded=embedded,
        passages=passages,
        replaced=before,
        dropped=dropped,
        kept=tuple(other.name for other in known if other.id != model.id),
    )


async def _indexed(pool: Pool, model: Model, indexed_from: int) -> None:
    """Wait until the index is there, if the table is large enough for one."""
    while not await indexes.ready(pool, model, indexed_from=indexed_from):
        await indexes.build_missing(pool, model, indexed_from=indexed_from)
        await asyncio.sleep(_POLL_S)


async def _serve(connection: Connection, model: Model) -> str | None:
    """Let a model serve in place of the one before, whose name is returned."""
    models = await list_models(connection)
    before = next((other.name for other in models if other.serves), None)
    # Two steps: at no moment two serve, which an index refuses.
    await connection.execute(query("unserve_models"), {"model_id": model.id})
    await connection.execute(query("serve_model"), {"model_id": model.id})
    return None if before == model.name else before


async def _drop_others(pool: Pool, model: Model) -> tuple[str, ...]:
    with translated():
        async with pool.connection() as connection:
            others = [one for one in await list_models(connection) if one.id != model.id]
    return tuple([other.name for other in others if await _dropped(pool, other)])


async def _dropped(pool: Pool, model: Model) -> bool:
    """Drop the vectors of a model that does not serve; False where searches never let go of them.

    What is left is dropped by the next call.
    """
    for _ in range(_ATTEMPTS):
        try:
            async with writing(pool) as connection:
                await fetch(connection, "set_lock_timeout", timeout=_LOCK_TIMEOUT)
                if not await fetch(connection, "delete_model", model_id=model.id):
                    return False
                await connection.execute(statement("drop_vectors", model))
        except DatabaseUnreachableError as error:
            if not isinstance(error.__cause__, errors.LockNotAvailable):
                raise
            await asyncio.sleep(_POLL_S / 5)
        else:
            return True
    return False
