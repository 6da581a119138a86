"""What a store of that size takes in and lets go while it is used, by the ways of production."""

import statistics
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

from agent.bench.scale.known import KnownEmbedder
from agent.bench.scale.remix import Mixed, Remixer
from memory.embedding_models import Model
from memory.lexicon import whole
from memory.store import DocumentStore

_SOURCE = ("live", "bench:live")
BATCH = 1_000
"""Passages that come at once."""
MAIL = 10
"""Passages of a single document."""
_ROUNDS = 5
_MAILS = 20
_EMBEDDED_AT_ONCE = 250


async def clear(store: DocumentStore) -> None:
    """Take out what a measurement left behind that was broken off."""
    await store.forget(await store.source(*_SOURCE))


async def measure(store: DocumentStore, model: Model, unseen: Remixer) -> dict[str, Any]:
    """Put documents with their vectors, in batches and alone, and delete them again."""
    documents = unseen.documents(_ROUNDS * 2 * BATCH)
    mails = unseen.documents(2 * _MAILS * MAIL, passages=MAIL)
    source = await store.source(*_SOURCE)
    try:
        large = [await _put(store, source, model, _batch(documents)) for _ in range(_ROUNDS)]
        alone = [await _put(store, source, model, [one]) for one in islice(mails, _MAILS)]
        few = [sum(took) for size, took in alone if size]
        held = [document.uri for document in await store.documents(_SOURCE[0])]
        before = await _passages(store)
        began = time.perf_counter()
        await store.files.drop(source, held[: len(held) // _ROUNDS])
        seconds = time.perf_counter() - began
        gone = before - await _passages(store)
    finally:
        await store.forget(source)
    middle = statistics.median
    return {
        "chunks_per_s": round(middle(size / sum(took) for size, took in large)),
        "words_ms_per_1000": round(middle(1e6 * took[0] / size for size, took in large)),
        "vectors_ms_per_1000": round(middle(1e6 * took[1] / size for size, took in large)),
        "mail_of_10_ms": {"p50": round(1e3 * middle(few), 1), "max": round(1e3 * max(few), 1)},
        "delete_ms_per_1000": round(1e6 * seconds / gone),
    }


async def _put(
    store: DocumentStore, source: int, model: Model, mixed: list[Mixed]
) -> tuple[int, tuple[float, float]]:
    """Return the number of passages, and the seconds for their words and for their vectors."""
    documents = [one.document for one in mixed]
    known = {
        whole(chunk.context, chunk.text): vector
        for one in mixed
        for chunk, vector in zip(one.document.chunks, one.vectors, strict=True)
    }
    size = sum(len(document.chunks) for document in documents)
    began = time.perf_counter()
    await store.put_many(source, documents)
    stored = time.perf_counter()
    # So many and no more: the search for further ones is that of a bulk of work, not of a mail.
    await store.embed_missing(
        KnownEmbedder(model.name, model.dimensions, known), batch=_EMBEDDED_AT_ONCE, limit=size
    )
    return size, (stored - began, time.perf_counter() - stored)


def _batch(documents: Iterator[Mixed]) -> list[Mixed]:
    batch: list[Mixed] = []
    while sum(len(one.vectors) for one in batch) < BATCH:
        batch.append(next(documents))
    return batch


async def _passages(store: DocumentStore) -> int:
    return sum(one.chunks for one in await store.collections())
