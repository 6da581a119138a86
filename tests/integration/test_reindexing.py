"""From one embedding model to another, while the old one serves."""

import asyncio
import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from memory.database import Pool, open_pool
from memory.embedding import Embedder, Role
from memory.embedding_models import list_models
from memory.errors import EmbeddingMismatchError, ModelReplacedError
from memory.graph_store import GraphStore
from memory.reindexing import reindex
from memory.search import Searcher
from memory.serving import ServingEmbedder
from memory.store import DocumentStore
from memory.testing import HashingEmbedder, text_document
from memory.vectors import waiting

WORDS = [f"word{number}" for number in range(40)]


class PausedError(Exception):
    """What breaks an embedder off."""


class SlowEmbedder(HashingEmbedder):
    """Lets others work between two batches, and breaks off after so many."""

    def __init__(self, model: str, dimensions: int, *, batches: int = 1_000_000) -> None:
        super().__init__(model, dimensions)
        self._left = batches

    async def embed(self, texts: Sequence[str], *, role: Role) -> NDArray[np.float32]:
        if role == "document":
            if not self._left:
                raise PausedError
            self._left -= 1
        await asyncio.sleep(0.002)
        return await super().embed(texts, role=role)


def old() -> HashingEmbedder:
    return HashingEmbedder("old", 64)


def new(**more: int) -> SlowEmbedder:
    return SlowEmbedder("new", 96, **more)


def serving(pool: Pool) -> ServingEmbedder:
    """What a process has that began when the old model served."""

    async def opened(name: str) -> Embedder | None:
        return {"old": old, "new": new}[name]() if name in ("old", "new") else None

    return ServingEmbedder(pool, old(), opened)


async def shelve(pool: Pool, count: int, *, first: int = 0) -> None:
    store = DocumentStore(pool)
    source_id = await store.source("shelf", "/")
    source = random.Random(first)
    for number in range(first, first + count):
        text = f"text{number} " + " ".join(source.choices(WORDS, k=6))
        await store.put(source_id, text_document(f"{number}", text))


async def filled(pool: Pool, count: int = 40) -> None:
    await shelve(pool, count)
    assert await DocumentStore(pool).embed_missing(old()) == count


async def models(pool: Pool) -> dict[str, bool]:
    async with pool.connection() as connection:
        return {model.name: model.serves for model in await list_models(connection)}


async def tables(pool: Pool) -> set[str]:
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT relname FROM pg_class WHERE relname LIKE 'vectors_%' AND relkind = 'r'"
        )
        return {row["relname"] for row in await cursor.fetchall()}


async def test_the_new_model_serves_once_it_is_complete_and_the_old_one_goes(pool: Pool) -> None:
    await filled(pool)
    searcher = Searcher(pool, serving(pool))
    assert len(await searcher.search("word1")) == 10
    seen: list[tuple[int, int]] = []
    done = await reindex(
        pool, new(), batch=8, on_progress=lambda done, total: seen.append((done, total))
    )
    assert (done.model, done.embedded, done.passages) == ("new", 40, 40)
    assert (done.replaced, done.dropped, done.kept) == ("old", ("old",), ())
    assert seen == [(8, 40), (16, 40), (24, 40), (32, 40), (40, 40)]
    assert await models(pool) == {"new": True}
    assert await tables(pool) == {"vectors_2"}
    hits = await searcher.search("text7 word1")
    assert len(hits) == 10
    assert None not in [hit.cosine for hit in hits], "a running process has gone over too"


async def test_until_then_searches_work_with_the_old_one(pool: Pool) -> None:
    await filled(pool)
    with pytest.raises(PausedError):
        await reindex(pool, new(batches=2), batch=8)
    assert await models(pool) == {"old": True, "new": False}
    follower = serving(pool)
    hits = await Searcher(pool, follower).search("word1", k=40)
    assert len(hits) == 40
    assert None not in [hit.cosine for hit in hits]
    assert follower.model == "old"
    # What comes now gets vectors of the old model; the new one catches up.
    await shelve(pool, 3, first=100)
    assert await DocumentStore(pool).embed_missing(follower) == 3
    rest = new()
    done = await reindex(pool, rest, batch=8)
    assert done.embedded == 40 + 3 - 16 == len(rest.embedded)
    assert await models(pool) == {"new": True}
    assert await waiting(pool, new()) == 0


async def test_the_index_is_built_before_the_new_model_serves(pool: Pool) -> None:
    await filled(pool)
    await reindex(pool, new(), indexed_from=20)
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT indisvalid AS whole FROM pg_index"
            " WHERE indexrelid = to_regclass('vectors_2_nearest')"
        )
        assert await cursor.fetchone() == {"whole": True}


async def test_what_is_kept_goes_with_the_next_call(pool: Pool) -> None:
    await filled(pool)
    done = await reindex(pool, new(), keep=True)
    assert (done.dropped, done.kept) == ((), ("old",))
    assert await models(pool) == {"new": True, "old": False}
    follower = serving(pool)
    assert len(await Searcher(pool, follower).search("word1")) == 10
    assert follower.model == "new"
    again = await reindex(pool, new())
    assert (again.embedded, again.replaced, again.dropped) == (0, None, ("old",))
    assert await tables(pool) == {"vectors_2"}


async def test_back_to_the_old_model_throws_away_what_was_begun(pool: Pool) -> None:
    await filled(pool)
    with pytest.raises(PausedError):
        await reindex(pool, new(batches=2), batch=8)
    done = await reindex(pool, old())
    assert (done.embedded, done.replaced, done.dropped) == (0, None, ("new",))
    assert await models(pool) == {"old": True}


async def test_an_empty_memory_goes_over_at_once(pool: Pool) -> None:
    done = await reindex(pool, new())
    assert (done.embedded, done.passages, done.replaced) == (0, 0, None)
    assert await models(pool) == {"new": True}


async def test_other_dimensions_under_the_same_name_are_refused(pool: Pool) -> None:
    await filled(pool)
    with pytest.raises(EmbeddingMismatchError, match="64 dimensions under the name old"):
        await reindex(pool, HashingEmbedder("old", 65))
    assert await models(pool) == {"old": True}


async def test_a_model_that_nobody_here_can_open_leaves_a_process_with_its_own(pool: Pool) -> None:
    await filled(pool)
    follower = serving(pool)
    await reindex(pool, HashingEmbedder("stranger", 32), keep=True)
    assert len(await Searcher(pool, follower).search("word1")) == 10
    assert follower.model == "old"


async def test_searches_go_on_through_the_change_and_the_drop(pool: Pool, dsn: str) -> None:
    await filled(pool, 120)
    async with open_pool(dsn, max_size=8) as others:
        searcher, going = Searcher(others, serving(others)), True

        async def search(seed: int) -> int:
            source, count = random.Random(seed), 0
            while going:
                text = " ".join(source.choices(WORDS, k=3))
                hits = await searcher.search(text, k=10)
                assert len(hits) == 10
                assert None not in [hit.cosine for hit in hits]
                count += 1
            return count

        tasks = [asyncio.create_task(search(seed)) for seed in range(4)]
        for model, dimensions in (("new", 96), ("old", 64), ("new", 96)):
            await reindex(pool, SlowEmbedder(model, dimensions), batch=8)
        going = False
        assert all(count > 3 for count in await asyncio.gather(*tasks))
    assert len(await tables(pool)) == 1


async def test_a_search_that_another_has_overtaken_asks_again(pool: Pool) -> None:
    await filled(pool)
    follower = serving(pool)

    class Overtaken(Searcher):
        async def _run(self, question: dict[str, Any], reach: Any) -> list[Any]:
            if question["model"] == "old":
                await reindex(pool, new())
                await follower.follow()
            return await super()._run(question, reach)

    hits = await Overtaken(pool, follower).search("word1")
    assert len(hits) == 10
    assert None not in [hit.cosine for hit in hits]


async def test_what_is_written_meanwhile_is_complete_in_the_new_model(pool: Pool, dsn: str) -> None:
    await filled(pool, 60)
    async with open_pool(dsn, max_size=8) as others:
        follower, store = serving(others), DocumentStore(others)
        memories = GraphStore(others, follower, cut=lambda text: [text])
        going = True

        async def ingest() -> None:
            number = 1_000
            while going:
                await shelve(others, 3, first=number)
                await store.embed_missing(follower, batch=2)
                number += 3

        async def remember() -> int:
            number = 0
            while going:
                await memories.aput(("owner", "facts"), f"k{number}", {"text": f"fact{number}"})
                number += 1
            return number

        writers = [asyncio.create_task(work()) for work in (ingest, remember)]
        await reindex(pool, new(), batch=8)
        await asyncio.sleep(0.1)
        going = False
        _, count = await asyncio.gather(*writers)
        assert count
        assert follower.model == "new"
        assert await models(pool) == {"new": True}
        assert await waiting(pool, new()) == 0
        found = await memories.asearch(("owner",), query=f"fact{count - 1}", limit=1)
        assert [item.key for item in found] == [f"k{count - 1}"]
        await memories.aclose()


async def test_a_second_reindex_to_another_model_is_told_what_happened(pool: Pool) -> None:
    await filled(pool)

    class Overtaken(HashingEmbedder):
        async def embed(self, texts: Sequence[str], *, role: Role) -> NDArray[np.float32]:
            await reindex(pool, new())
            return await super().embed(texts, role=role)

    with pytest.raises(ModelReplacedError, match="run the command again"):
        await reindex(pool, Overtaken("third", 32))
    assert await models(pool) == {"new": True}


KILLED = """
import asyncio, sys
import numpy as np
from memory.database import open_pool
from memory.reindexing import reindex
from memory.testing import HashingEmbedder

class Slow(HashingEmbedder):
    async def embed(self, texts, *, role):
        await asyncio.sleep(0.02)
        return await super().embed(texts, role=role)

def told(done, total):
    print(done, flush=True)

async def main():
    async with open_pool(sys.argv[1]) as pool:
        await reindex(pool, Slow("new", 96), batch=4, indexed_from=30, on_progress=told)

asyncio.run(main())
"""


@pytest.mark.parametrize("moment", [4, 20, 40])
async def test_killed_at_any_moment_it_goes_on_where_it_was(
    pool: Pool, dsn: str, moment: int
) -> None:
    await filled(pool)

    def killed() -> None:
        root = Path(__file__).parents[2]
        command = [sys.executable, "-c", KILLED, dsn]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if int(line) >= moment:
                    process.send_signal(signal.SIGKILL)

    await asyncio.to_thread(killed)
    hits = await Searcher(pool, serving(pool)).search("word1", k=40)
    assert len(hits) == 40
    assert None not in [hit.cosine for hit in hits]
    rest = new()
    await reindex(pool, rest, indexed_from=30)
    assert len(rest.embedded) <= 40 - moment
    assert await models(pool) == {"new": True}
    assert await waiting(pool, new()) == 0
    assert len(await tables(pool)) == 1
