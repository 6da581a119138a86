"""Embedding in bulk: every batch under a lease, as any operation of a sense."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from memory.embedding import Embedder, Role, follow
from tools.senses.base import Operation, Residency, Task


class LeasedEmbedder:
    """An embedder that asks for room before each batch, so that bulk work never crowds a turn."""

    def __init__(self, embedder: Embedder, residency: Residency) -> None:
        self._embedder = embedder
        self._residency = residency

    @property
    def model(self) -> str:
        """Name under which vectors are kept apart."""
        return self._embedder.model

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._embedder.dimensions

    @property
    def tokens_limit(self) -> int:
        """Tokens of a text that are looked at."""
        return self._embedder.tokens_limit

    def reads(self, text: str) -> bool:
        """Return whether the model knows the script of a text."""
        return self._embedder.reads(text)

    async def embed(self, texts: Sequence[str], *, role: Role) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), dimensions), each row of length 1."""
        operation = Operation(
            task=Task.EMBEDDING, characters=sum(map(len, texts)), batch=len(texts)
        )
        async with self._residency.lease(operation):
            return await self._embedder.embed(texts, role=role)

    async def follow(self) -> None:
        """Let the embedder follow memory to another model."""
        await follow(self._embedder)
