"""What memory asks of a model that turns text into vectors."""

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Role = Literal["document", "query"]
"""Some models want another prefix for a question than for the text that answers it."""


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def model(self) -> str:
        """Name under which vectors are kept apart: the same name means comparable vectors."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    @property
    def tokens_limit(self) -> int:
        """Tokens of a text that are looked at; what is beyond cannot be found by meaning."""
        ...

    def reads(self, text: str) -> bool:
        """Return whether the model knows the script of a text; else its vectors say nothing."""
        ...

    async def embed(self, texts: Sequence[str], *, role: Role) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), dimensions), each row of length 1."""
        ...


@runtime_checkable
class Following(Protocol):
    """An embedder that becomes that of another model when memory goes over to it."""

    async def follow(self) -> None:
        """Ask which model search works with now, and take that up."""
        ...


async def follow(embedder: Embedder) -> None:
    """Let an embedder follow memory, if it does that.

    Several tasks share one, and any of them may have let it follow: what counts is whether its
    model is still the one that the caller had asked it as.
    """
    if isinstance(embedder, Following):
        await embedder.follow()
