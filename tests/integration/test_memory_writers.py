"""Many writers and readers at the same moment."""

import asyncio
import random
from collections import Counter

from memory.database import open_pool
from memory.search import Searcher
from memory.store import DocumentStore
from memory.testing import HashingEmbedder, text_document

WORDS = [f"word{number}" for number in range(40)]


async def write(store: DocumentStore, seed: int) -> None:
    """Put, put anew, take away: the same documents as the other writers, in another order."""
    source = random.Random(seed)
    source_ids = [await store.source("shelf", uri) for uri in ("/one", "/two")]
    for _ in range(12):
        texts = (" ".join(source.choices(WORDS, k=8)) for _ in range(source.randrange(1, 5)))
        uri = source.choice("abcdef")
        await store.put(source.choice(source_ids), text_document(uri, *texts, language="und"))
        if source.random() < 0.2:
            await store.files.drop(source.choice(source_ids), list("def"))


async def test_eight_writers_embedders_and_searchers_neither_deadlock_nor_lose_count(
    dsn: str,
) -> None:
    async with open_pool(dsn, max_size=16) as pool, asyncio.timeout(60):
        store, searcher = DocumentStore(pool), Searcher(pool, HashingEmbedder())
        writing = True

        async def embed() -> None:
            while writing:
                await store.embed_missing(HashingEmbedder(), batch=3)

        async def search(seed: int) -> int:
            source, found = random.Random(seed), 0
            while writing:
                hits = await searcher.search(" ".join(source.choices(WORDS, k=3)), k=5)
                assert all(hit.score <= 1 for hit in hits)
                found += len(hits)
            return found

        async with asyncio.TaskGroup() as readers:
            for _ in range(2):
                readers.create_task(embed())
            searchers = [readers.create_task(search(seed)) for seed in range(4)]
            async with asyncio.TaskGroup() as writers:
                for seed in range(8):
                    writers.create_task(write(store, seed))
            writing = False
        assert all(task.result() > 0 for task in searchers)

        await store.embed_missing(HashingEmbedder())
        async with pool.connection() as connection:
            cursor = await connection.execute("SELECT text FROM chunks")
            texts = [row["text"].split() for row in await cursor.fetchall()]
            cursor = await connection.execute("SELECT lexeme, df FROM terms")
            terms = {row["lexeme"]: row["df"] for row in await cursor.fetchall()}
            cursor = await connection.execute(
                "SELECT (SELECT sum(chunks) FROM lexicon)::int AS size, "
                "(SELECT count(*) FROM lexical) AS indexed, "
                "(SELECT count(*) FROM vectors_1) AS embedded"
            )
            counts = await cursor.fetchone()
    assert terms == Counter(word for words in texts for word in set(words))
    assert counts == {"size": len(texts), "indexed": len(texts), "embedded": len(texts)}
