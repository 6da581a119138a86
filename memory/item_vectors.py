"""Vectors of items, made before they are stored and written together with them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from logging import getLogger

from pgvector import HalfVector

from memory import lexicon
from memory.database import Connection, Pool, translated
from memory.embedding import Embedder, follow
from memory.embedding_models import Model, checked_vectors, register, serving_model, statement
from memory.errors import EmbedderUnavailableError, ModelReplacedError
from memory.passages import Passage
from memory.rows import fetch

log = getLogger(__name__)
BATCH = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class NewVectors:
    """Vectors by the content that they are of."""

    model: Model
    made: dict[bytes, HalfVector | None]
    known: bool
    """Whether some of the contents have vectors elsewhere in memory already."""


async def made(pool: Pool, embedder: Embedder, passages: Iterable[Passage]) -> NewVectors | None:
    """Embed what has no vector yet; None where there is nothing, or nobody who could.

    What is stored without a vector is found by its words, and gets one with the next documents.
    """
    wanted = {
        passage.content_key: lexicon.whole(passage.context, passage.text) for passage in passages
    }
    if not wanted:
        return None
    await follow(embedder)
    model = await register(pool, embedder)
    known = await _known(pool, model, list(wanted))
    texts = {key: text for key, text in wanted.items() if key not in known}
    try:
        vectors = await _embedded(embedder, list(texts.values()))
    except EmbedderUnavailableError as error:
        log.warning("embedder_unavailable", extra={"model": embedder.model, "reason": str(error)})
        return None
    if embedder.model != model.name:
        raise ModelReplacedError(f"Memory has gone over from {model.name} to {embedder.model}.")
    return NewVectors(model=model, made=dict(zip(texts, vectors, strict=True)), known=bool(known))


async def add(connection: Connection, vectors: NewVectors, document_ids: Sequence[int]) -> None:
    """Write vectors beside the passages that the transaction has just stored.

    ModelReplacedError: the model served when they were made, and no longer does.
    """
    if vectors.model.serves:
        serving = await serving_model(connection)
        if serving is None or serving.id != vectors.model.id:
            raise ModelReplacedError(f"Memory has gone over from {vectors.model.name}.")
    if vectors.known:
        rows = await fetch(connection, "chunks_of_documents", document_ids=list(document_ids))
        chunk_ids = [row["chunk_id"] for row in rows]
        await connection.execute(statement("copy_vectors", vectors.model), {"chunk_ids": chunk_ids})
    if vectors.made:
        values = {
            "content_keys": list(vectors.made),
            "embeddings": list(vectors.made.values()),
        }
        await connection.execute(statement("add_vectors", vectors.model), values)


async def _known(pool: Pool, model: Model, keys: list[bytes]) -> set[bytes]:
    with translated():
        async with pool.connection() as connection:
            cursor = await connection.execute(
                statement("known_contents", model), {"content_keys": keys}
            )
            return {bytes(row["content_key"]) for row in await cursor.fetchall()}


async def _embedded(embedder: Embedder, texts: Sequence[str]) -> list[HalfVector | None]:
    vectors: list[HalfVector | None] = []
    for start in range(0, len(texts), BATCH):
        batch = texts[start : start + BATCH]
        vectors += checked_vectors(
            await embedder.embed(batch, role="document"), embedder, len(batch)
        )
    return vectors
