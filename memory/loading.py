"""Loading many documents at once: cut into words ahead, copied in batches, indexed in the end.

A batch is stored whole or not at all. A load that was broken off is called again with the same
documents: what is stored is passed over, and the indexes that are missing are built.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice

from memory import indexes, language, postings
from memory.arrivals import Arrival, Ready, stored_of, unchanged, write
from memory.database import Pool, translated
from memory.embedding import Embedder
from memory.embedding_models import Model, register
from memory.passages import prepared

BATCH = 25_000
"""Passages of a transaction, at least: about 200 MB of this process."""
_BLOCK = 1_000
"""Passages that are cut into words at once, at least."""
_AHEAD = 2
"""Blocks that are cut into words at the same time, each on a connection of its own."""


@dataclass(kw_only=True, slots=True)
class Loaded:
    """What a load has done so far."""

    documents: int = 0
    passages: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    """By phase: the rows, then each index that was built."""


Progress = Callable[[Loaded], None]


def silent(loaded: Loaded) -> None:
    """Show no progress."""


async def load(
    pool: Pool,
    arrivals: Iterable[Arrival],
    *,
    expected: int,
    embedder: Embedder | None = None,
    on_progress: Progress = silent,
) -> Loaded:
    """Store documents as `DocumentStore.put` does, many times as fast; return what was done.

    `expected` is about how many passages will come. Where these are most of what there will be,
    searches do without their indexes until the end. The vectors are those of `embedder`.
    PassageTooLongError, LookupError as in `put`; the batches before stay stored.
    """
    model = await register(pool, embedder) if embedder is not None else None
    await indexes.lay_aside(pool, model, expected=expected)
    done, clock = Loaded(), asyncio.get_running_loop().time
    began = clock()
    async with aclosing(_batches(pool, arrivals)) as batches:
        writer: asyncio.Task[None] | None = None
        try:
            async for batch in batches:
                # The next batch is cut into words while this one is written.
                if writer is not None:
                    await writer
                writer = asyncio.create_task(_write(pool, batch, model, done))
                on_progress(done)
        finally:
            if writer is not None:
                await writer
    done.seconds["rows"] = clock() - began
    done.seconds |= await indexes.build_missing(pool, model)
    on_progress(done)
    return done


async def _batches(pool: Pool, arrivals: Iterable[Arrival]) -> AsyncGenerator[list[Ready]]:
    held: list[Ready] = []
    size = 0
    async with aclosing(_cut_ahead(pool, arrivals)) as blocks:
        async for block in blocks:
            held += block
            size += sum(len(one.passages) for one in block)
            if size >= BATCH:
                yield held
                held, size = [], 0
    if held:
        yield held


async def _cut_ahead(pool: Pool, arrivals: Iterable[Arrival]) -> AsyncGenerator[list[Ready]]:
    """Yield the blocks in order, while the next ones are being cut into words."""
    blocks = _blocks(arrivals)
    running: deque[asyncio.Task[list[Ready]]] = deque()
    try:
        while True:
            while len(running) < _AHEAD and (block := await asyncio.to_thread(next, blocks, None)):
                running.append(asyncio.create_task(_cut(pool, block)))
            if not running:
                return
            yield await running.popleft()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _blocks(arrivals: Iterable[Arrival]) -> Iterator[list[Arrival]]:
    held: list[Arrival] = []
    size = 0
    for arrival in arrivals:
        held.append(arrival)
        size += len(arrival.document.chunks)
        if size >= _BLOCK:
            yield held
            held, size = [], 0
    if held:
        yield held


async def _cut(pool: Pool, block: Sequence[Arrival]) -> list[Ready]:
    """Prepare the documents that are not stored yet, and have Postgres cut them into words."""
    with translated():
        async with pool.connection() as connection:
            stored = await stored_of(connection, block)
            coming = [one for one in block if not unchanged(one, stored)]
            passages = await asyncio.to_thread(lambda: [prepared(one.document) for one in coming])
            groups: defaultdict[str, list[int]] = defaultdict(list)
            for index, one in enumerate(coming):
                groups[language.configuration(one.document.vocabulary)].append(index)
            ready = []
            for configuration, indices in groups.items():
                words = [passage.words for index in indices for passage in passages[index]]
                made = iter(await postings.tokenise(connection, configuration, words))
                for index in indices:
                    lexemes = list(islice(made, len(passages[index])))
                    ready.append(
                        Ready(arrival=coming[index], passages=passages[index], lexemes=lexemes)
                    )
    return ready


async def _write(pool: Pool, batch: Sequence[Ready], model: Model | None, done: Loaded) -> None:
    written = await write(pool, batch, model)
    done.documents += len(written)
    done.passages += sum(len(one.passages) for one in written)
