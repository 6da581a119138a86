"""`OllamaEmbedder`: an embedding model of an Ollama server, kept off the graphics card."""

from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from agent.errors import EmbedderError
from memory.embedding import Role

BATCH = 32
TIMEOUT_S = 120.0
_DEFAULT_TOKENS = 512

_PREFIXES: dict[str, tuple[str, str]] = {
    "nomic-embed-text": ("search_document: ", "search_query: "),
    "mxbai-embed-large": ("", "Represent this sentence for searching relevant passages: "),
    "snowflake-arctic-embed": ("", "Represent this sentence for searching relevant passages: "),
    "snowflake-arctic-embed2": ("", "query: "),
    "embeddinggemma": ("title: none | text: ", "task: search result | query: "),
    "qwen3-embedding": (
        "",
        "Instruct: Given a question, retrieve passages that answer it\nQuery: ",
    ),
}
"""What a model wants before a document and before a question, as its authors say."""


class OllamaEmbedder:
    """Speaks `/api/embed`. Make one with `open`, which learns the length of its vectors."""

    def __init__(self, *, url: str, model: str, dimensions: int, tokens_limit: int) -> None:
        self._url = url
        self._name = model
        self._dimensions = dimensions
        self._tokens_limit = tokens_limit

    @classmethod
    async def open(
        cls, url: str, model: str, *, tokens_limit: int = _DEFAULT_TOKENS
    ) -> "OllamaEmbedder":
        """Ask the server for one vector, to know how long they are. Raises EmbedderError."""
        probe = cls(url=url, model=model, dimensions=0, tokens_limit=tokens_limit)
        rows = await probe._ask(["a"])
        return cls(url=url, model=model, dimensions=len(rows[0]), tokens_limit=tokens_limit)

    @property
    def model(self) -> str:
        """Name under which its vectors are kept."""
        return f"ollama:{self._name}"

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._dimensions

    @property
    def tokens_limit(self) -> int:
        """Tokens of a text that are looked at."""
        return self._tokens_limit

    def reads(self, text: str) -> bool:  # noqa: ARG002 - the server does not tell
        """Return True: which scripts a model knows is not told."""
        return True

    async def embed(self, texts: Sequence[str], *, role: Role) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), dimensions), each row of length 1.

        Raises EmbedderError.
        """
        prefix = _prefix(self._name, role)
        vectors = np.empty((len(texts), self._dimensions), dtype=np.float32)
        for start in range(0, len(texts), BATCH):
            batch = [prefix + text for text in texts[start : start + BATCH]]
            vectors[start : start + len(batch)] = self._checked(await self._ask(batch))
        return vectors

    def _checked(self, rows: list[Any]) -> NDArray[np.float32]:
        """Return vectors of length 1. Raises EmbedderError for what is no vector of this model."""
        try:
            vectors = np.array(rows, dtype=np.float32)
        except (ValueError, TypeError) as error:
            raise self._strange("vectors of different lengths") from error
        if vectors.shape != (len(rows), self._dimensions):
            raise self._strange(
                f"vectors of {vectors.shape[-1]} dimensions instead of {self._dimensions}"
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or (lengths == 0).any():
            raise self._strange("a vector without direction")
        normalised: NDArray[np.float32] = vectors / lengths
        return normalised

    async def _ask(self, texts: list[str]) -> list[Any]:
        import ollama

        # A vector for each text or an error; and not a byte on the card, which is the executive's.
        options = {"num_gpu": 0}
        secret = self._url.startswith("https:")
        client = ollama.AsyncClient(
            host=self._url, timeout=TIMEOUT_S, trust_env=False, verify=secret
        )
        try:
            async with client:
                answer = await client.embed(model=self._name, input=texts, options=options)
        except ollama.ResponseError as error:
            raise EmbedderError(
                f"Ollama at {self._url} cannot embed with {self._name}: {error.error}. If it does "
                f"not have the model, run `ollama pull {self._name}`."
            ) from error
        except (httpx.HTTPError, ConnectionError) as error:
            raise EmbedderError(
                f"No Ollama server answers at {self._url} ({str(error) or 'timed out'}). "
                "Start it with `ollama serve`, or go over to another model with `cortical memory "
                "reindex --embedder embedded`."
            ) from error
        rows = list(answer.embeddings)
        if len(rows) != len(texts) or not all(rows):
            raise self._strange(f"{len(rows)} vectors for {len(texts)} texts")
        return rows

    def _strange(self, what: str) -> EmbedderError:
        return EmbedderError(
            f"Ollama at {self._url} gave {what} for {self._name}. Update Ollama, or choose another "
            "embedding model."
        )


def _prefix(name: str, role: Role) -> str:
    family = name.rpartition("/")[2].partition(":")[0]
    document, query = _PREFIXES.get(family, ("", ""))
    return document if role == "document" else query
