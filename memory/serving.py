"""The embedder that goes with memory from one model to the next."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from memory.database import Pool, translated
from memory.embedding import Embedder, Role
from memory.embedding_models import serving_model

OpenModel = Callable[[str], Awaitable[Embedder | None]]
"""Opens the embedder of a model by its name; None where nobody here can."""


class ServingEmbedder:
    """Always the embedder of the model that search works with, also when that changes.

    It changes only in `follow`, so that whoever asks for a vector and then looks up the model by
    its name can see whether both belong together.
    """

    def __init__(self, pool: Pool, first: Embedder, open_model: OpenModel) -> None:
        self._pool = pool
        self._now = first
        self._open_model = open_model
        # Held while a model is opened, so that two searches do not both do that.
        self._turn = asyncio.Lock()

    @property
    def model(self) -> str:
        """Name under which vectors are kept apart."""
        return self._now.model

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._now.dimensions

    @property
    def tokens_limit(self) -> int:
        """Tokens of a text that are looked at."""
        return self._now.tokens_limit

    def reads(self, text: str) -> bool:
        """Return whether the model knows the script of a text."""
        return self._now.reads(text)

    async def embed(self, texts: Sequence[str], *, role: Role) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), dimensions), each row of length 1."""
        return await self._now.embed(texts, role=role)

    async def follow(self) -> None:
        """Take up the model that search works with now.

        One that cannot be opened here is left to others: this embedder stays what it is.
        """
        async with self._turn:
            with translated():
                async with self._pool.connection() as connection:
                    serving = await serving_model(connection)
            if serving is not None and serving.name != self._now.model:
                self._now = await self._open_model(serving.name) or self._now
