"""The models that memory has vectors of, and what their vectors have to be like."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from psycopg import sql

from memory import lexicon
from memory.database import Connection, Pool, transaction
from memory.embedding import Embedder
from memory.errors import EmbeddingMismatchError
from memory.queries import query
from memory.rows import Row, fetch

DIMENSIONS_LIMIT = 4_000
"""What pgvector can index, and what fits a page."""
_LENGTH_TOLERANCE = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """An embedding model that memory has vectors of."""

    id: int
    name: str
    dimensions: int
    serves: bool
    """Whether search worked with it when this was read."""

    @property
    def table(self) -> sql.Identifier:
        """Name of the table of its vectors."""
        return sql.Identifier(f"vectors_{self.id}")

    @property
    def index(self) -> str:
        """Name of the approximate index of that table, once there is one."""
        return f"vectors_{self.id}_nearest"


async def serving_model(connection: Connection) -> Model | None:
    """Return the model that search works with; None while memory has no vectors."""
    return next((model for model in await list_models(connection) if model.serves), None)


async def list_models(connection: Connection) -> list[Model]:
    """Return the models that memory has tables of, the newest first."""
    return [_model(row) for row in await fetch(connection, "list_models")]


async def find_model(connection: Connection, embedder: Embedder) -> Model | None:
    """Return the stored model of an embedder; None while it has no vectors."""
    return await find_named(connection, embedder.model, dimensions=embedder.dimensions)


async def find_named(connection: Connection, name: str, *, dimensions: int) -> Model | None:
    """Return the stored model of that name, whose vectors have to be as long as is said."""
    rows = await fetch(connection, "get_model", name=name)
    return _checked(rows[0], dimensions) if rows else None


async def register(pool: Pool, embedder: Embedder) -> Model:
    """Find the model or make its table."""
    async with transaction(pool) as connection:
        known = await find_model(connection, embedder)
        if known is not None:
            return known
        await connection.execute(query("lock_lexicon"), {"key": lexicon.LOCK_KEY})
        known = await find_model(connection, embedder)
        if known is not None:
            return known
        if embedder.dimensions > DIMENSIONS_LIMIT:
            raise EmbeddingMismatchError(
                f"The model {embedder.model} has {embedder.dimensions} dimensions, but at most "
                f"{DIMENSIONS_LIMIT} can be searched. Use another model, or fewer dimensions of it."
            )
        rows = await fetch(
            connection, "add_model", name=embedder.model, dimensions=embedder.dimensions
        )
        model = _model(rows[0])
        await connection.execute(
            sql.SQL(query("create_vectors")).format(
                vectors=model.table, dimensions=sql.Literal(model.dimensions)
            )
        )
        return model


def statement(name: str, model: Model) -> sql.Composed:
    """Return the named query on the vectors of a model."""
    return sql.SQL(query(name)).format(vectors=model.table, index=sql.Identifier(model.index))


def checked_vectors(
    vectors: NDArray[np.float32], embedder: Embedder, count: int
) -> list[HalfVector | None]:
    """Return what is stored for an embedder's answer: None for a text that has no direction."""
    directed = check_vectors(vectors, embedder.model, (count, embedder.dimensions))
    return [HalfVector(row) if yes else None for yes, row in zip(directed, vectors, strict=True)]


def check_vectors(
    vectors: NDArray[np.float32], model: str, shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Refuse vectors of another shape or length than they should have; tell which have one."""
    if vectors.shape != shape:
        raise EmbeddingMismatchError(
            f"The model {model} gave vectors of shape {vectors.shape} for {shape[0]} texts, "
            f"but says that it has {shape[1]} dimensions. Use another model, or mend it."
        )
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    directed: NDArray[np.bool_] = np.isfinite(lengths) & (lengths != 0)
    wrong = directed & (np.abs(lengths - 1) > _LENGTH_TOLERANCE)
    if wrong.any():
        raise EmbeddingMismatchError(
            f"The model {model} gave a vector of length {lengths[wrong][0]:.3g} instead "
            "of 1. Let its adapter normalise them."
        )
    return directed


def _checked(row: Row, dimensions: int) -> Model:
    model = _model(row)
    if model.dimensions != dimensions:
        raise EmbeddingMismatchError(
            f"Memory holds vectors of {model.dimensions} dimensions under the name {model.name}, "
            f"but the model now gives {dimensions}. Give the new model another name, or go back "
            "to the old one."
        )
    return model


def _model(row: Row) -> Model:
    return Model(
        id=row["model_id"], name=row["name"], dimensions=row["dimensions"], serves=row["serves"]
    )
