"""New passages on their way into the tables: by COPY, with the frequencies of their words."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from memory import postings
from memory.copying import copy_rows, lexical_rows, vector_rows
from memory.database import Connection
from memory.embedding_models import Model, check_vectors
from memory.passages import Passage
from memory.queries import query
from memory.rows import fetch

_CHUNKS = sql.SQL(
    "chunks (chunk_id, document_id, ordinal, text, context, content_key, place, spans, origins, "
    "audience, quoted)"
)
_CHUNK_TYPES = (
    "int8", "int8", "int4", "text", "text", "bytea", "jsonb", "jsonb", "text[]", "text[]",
    "bool",
)  # fmt: skip
_LEXICAL = sql.SQL("lexical (chunk_id, document_id, collection_id, text_key, weights)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Owned:
    """A passage with the document that it belongs to."""

    document_id: int
    passage: Passage
    lexemes: str | None = None
    """What `postings.tokenise` made of its words, if that has been done."""
    vector: NDArray[np.float32] | None = None
    """Of unit length, if it is known already."""


async def insert_passages(
    connection: Connection,
    collection_id: int,
    configuration: str,
    mean_length: float,
    owned: Sequence[Owned],
) -> list[int]:
    """Write passages of one collection and language; return their ids.

    Held must be the lock of the lexicon, whose frequencies are raised once for all of them.
    """
    missing = [one.passage.words for one in owned if one.lexemes is None]
    made = iter(await postings.tokenise(connection, configuration, missing) if missing else ())
    lexemes = [one.lexemes if one.lexemes is not None else next(made) for one in owned]
    found = await asyncio.to_thread(postings.counted, lexemes)
    term_ids = await _count_terms(connection, configuration, found)
    chunk_ids = await _reserved(connection, len(owned))
    await _copy_chunks(connection, chunk_ids, owned)
    terms = term_ids[found.numbers]
    order = np.lexsort((terms, found.owners))
    rows = lexical_rows(
        chunk_ids,
        [one.document_id for one in owned],
        collection_id,
        [one.passage.text_key for one in owned],
        found.owners,
        terms[order],
        found.weights(mean_length)[order],
    )
    await copy_rows(connection, _LEXICAL, rows)
    values = {"collection_id": collection_id, "configuration": configuration, "count": len(owned)}
    await connection.execute(query("count_passages"), values)
    return chunk_ids


async def insert_vectors(
    connection: Connection,
    collection_id: int,
    model: Model,
    chunk_ids: Sequence[int],
    owned: Sequence[Owned],
) -> None:
    """Write the vectors that came with passages; one without direction is left to be asked for."""
    having = [index for index, one in enumerate(owned) if one.vector is not None]
    if not having:
        return
    vectors = np.array([owned[index].vector for index in having])
    directed = check_vectors(vectors, model.name, (len(having), model.dimensions))
    rows = vector_rows(
        [chunk_ids[index] for index in having],
        [owned[index].document_id for index in having],
        collection_id,
        vectors,
    )
    target = sql.SQL("{} (chunk_id, document_id, collection_id, embedding)").format(model.table)
    await copy_rows(connection, target, [rows[directed].tobytes()])


async def _count_terms(
    connection: Connection, configuration: str, found: postings.Postings
) -> NDArray[np.int64]:
    """Raise the frequencies of lexemes, which are made where they are new; return their ids."""
    values = {
        "configuration": configuration,
        "lexemes": found.lexemes,
        "frequencies": found.frequencies().tolist(),
    }
    rows = await fetch(connection, "count_terms", **values)
    ids = {row["lexeme"]: row["term_id"] for row in rows}
    return np.array([ids[lexeme] for lexeme in found.lexemes], np.int64)


async def _reserved(connection: Connection, count: int) -> list[int]:
    rows = await fetch(connection, "reserve_chunks", count=count)
    return [row["chunk_id"] for row in rows]


async def _copy_chunks(
    connection: Connection, chunk_ids: Sequence[int], owned: Sequence[Owned]
) -> None:
    statement = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(_CHUNKS)
    async with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(_CHUNK_TYPES)
        for chunk_id, one in zip(chunk_ids, owned, strict=True):
            passage = one.passage
            await copy.write_row(
                (
                    chunk_id,
                    one.document_id,
                    passage.ordinal,
                    passage.text,
                    passage.context,
                    passage.content_key,
                    passage.place,
                    passage.spans,
                    passage.label.obj["origins"],
                    passage.label.obj["audience"],
                    passage.quoted,
                )
            )
