"""What a store of that size takes in and lets go while it is used, by the ways of production."""

import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Any

from agent.bench.scale.known import KnownEmbedder
from agent.bench.scale.remix import Mixed
from memory.lexicon import whole
from memory.store import DocumentStore

BATCH = 1_000
"""Passages that come at once."""
MAIL = 10
"""Passages of a single document."""
_ROUNDS = 5
_MAILS = 20


async def measure(
    store: DocumentStore, model: str, documents: Iterator[Mixed]
) -> dict[str, Any]:
    """Put batches and single documents with their vectors, then delete them; all is as before."""
    source = await store.source("live", "bench:live")
    try:
        batches = [await _put(store, source, model, _take(documents, BATCH)) for _ in range(_ROUNDS)]
        mails = [await _put(store, source, model, _take(documents, MAIL)) for _ in range(_MAILS)]
        held = sorted(await store.known(source))
        began = time.perf_counter()
        await store.vanish(source, frozenset(held[BATCH // 8 :]))
        deleted = time.perf_counter() - began
    finally:
        await store.forget(source)
    return {
        "chunks_per_s": statistics.median(size / sum(took) for size, took in batches),
        "words_ms_per_1000": 1e3 * statistics.median(1e3 * took[0] / size for size, took in batches),
        "vectors_ms_per_1000": 1e3 * statistics.median(1e3 * took[1] / size for size, took in batches),
        "mail_of_10_ms": {"p50": 1e3 * statistics.median(sum(took) * MAIL / size for size, took in mails)},
        "delete_1000_ms": 1e3 * deleted,
    }
