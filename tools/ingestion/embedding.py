"""Meaning, beside reading: passages are embedded while others are still being read."""

import asyncio
from collections.abc import Callable

from memory.embedding import Embedder
from memory.patience import patiently
from memory.store import DocumentStore

PAUSE_S = 1.0
"""Between two looks for what waits, so that looking costs nothing beside the work."""

OnEmbedded = Callable[[int, int], None]
"""Called with the passages embedded so far and all that are known of."""


class Embedding:
    """Embeds what waits, newest first, until it is closed and nothing waits any more."""

    def __init__(self, store: DocumentStore, embedder: Embedder, on_embedded: OnEmbedded) -> None:
        self._store = store
        self._embedder = embedder
        self._on_embedded = on_embedded
        self._wanted = asyncio.Event()
        self._closed = asyncio.Event()
        self._before = 0
        self.embedded = 0
        """Passages that have got a vector."""

    def wake(self) -> None:
        """Say that passages were stored."""
        self._wanted.set()

    def close(self) -> None:
        """Say that nothing more will be stored."""
        self._closed.set()
        self._wanted.set()

    async def run(self) -> None:
        """Embed until it is closed. What was embedded before an error or an end is stored."""
        closed = False
        while not closed:
            await self._wanted.wait()
            self._wanted.clear()
            closed = self._closed.is_set()
            await patiently(self._all)
            if not closed:
                await self._pause()

    async def _all(self) -> None:
        self._before = self.embedded
        await self._store.embed_missing(self._embedder, on_progress=self._note)

    def _note(self, done: int, total: int) -> None:
        self.embedded = self._before + done
        self._on_embedded(self.embedded, self._before + total)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(PAUSE_S):
                await self._closed.wait()
        except TimeoutError:
            return
