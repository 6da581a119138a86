"""Rows in the binary format of COPY, which spares both sides the writing and reading of numbers."""

import struct
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from memory.database import Connection

_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
_BLOCK_BYTES = 1 << 20
_VOCABULARY = 1_000_000_000
"""Dimensions of the column `weights`."""

# Fields are preceded by their length in bytes; the first number of a row is how many there are.
_LEXICAL = struct.Struct(">hiqiqiiiq")
_SPARSE = struct.Struct(">iiii")

Numbers = Sequence[int]


async def copy_rows(connection: Connection, target: sql.Composable, rows: Iterable[bytes]) -> None:
    """Write encoded rows into a table, which `target` names with its columns."""
    statement = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(target)
    async with connection.cursor() as cursor, cursor.copy(statement) as copy:
        held, size = [_HEADER], 0
        for row in rows:
            held.append(row)
            size += len(row)
            if size >= _BLOCK_BYTES:
                await copy.write(b"".join(held))
                held, size = [], 0
        await copy.write(b"".join([*held, _TRAILER]))


def lexical_rows(
    chunk_ids: Numbers,
    document_ids: Numbers,
    collection_id: int,
    text_keys: Numbers,
    owners: NDArray[np.int64],
    terms: NDArray[np.int64],
    weights: NDArray[np.float32],
) -> Iterator[bytes]:
    """Encode rows of `lexical`. The postings go by their passage, within one by rising term."""
    ends = np.searchsorted(owners, np.arange(1, len(chunk_ids) + 1)).tolist()
    indices = (terms - 1).astype(">i4").tobytes()
    values = weights.astype(">f4").tobytes()
    start = 0
    for chunk_id, document_id, text_key, end in zip(
        chunk_ids, document_ids, text_keys, ends, strict=True
    ):
        size = end - start
        yield b"".join(
            (
                _LEXICAL.pack(5, 8, chunk_id, 8, document_id, 4, collection_id, 8, text_key),
                _SPARSE.pack(12 + 8 * size, _VOCABULARY, size, 0),
                indices[4 * start : 4 * end],
                values[4 * start : 4 * end],
            )
        )
        start = end


def vector_rows(
    chunk_ids: Numbers, document_ids: Numbers, collection_id: int, vectors: NDArray[np.float32]
) -> NDArray[np.void]:
    """Encode rows of a table of vectors, as an array of them."""
    count, dimensions = vectors.shape
    layout = [
        ("fields", ">i2"),
        *[("chunk_bytes", ">i4"), ("chunk", ">i8"), ("document_bytes", ">i4"), ("document", ">i8")],
        *[("collection_bytes", ">i4"), ("collection", ">i4"), ("vector_bytes", ">i4")],
        *[("dimensions", ">i2"), ("unused", ">i2"), ("vector", ">f2", (dimensions,))],
    ]
    rows = np.zeros(count, np.dtype(layout))
    rows["fields"] = 4
    rows["chunk_bytes"] = rows["document_bytes"] = 8
    rows["collection_bytes"], rows["vector_bytes"] = 4, 4 + 2 * dimensions
    rows["chunk"], rows["document"], rows["collection"] = chunk_ids, document_ids, collection_id
    rows["dimensions"], rows["vector"] = dimensions, vectors
    return rows
