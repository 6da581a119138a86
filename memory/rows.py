"""Rows of the tables of documents, as values."""

from collections.abc import Iterable
from typing import Any

from memory.database import Connection
from memory.documents import Chunk, Document, Span
from memory.labels import Label
from memory.places import Place
from memory.queries import query

Row = dict[str, Any]

_COUNTS_LIMIT = 2**31
"""Above what a count in a statement may be; no document has as many passages."""
_ID_LIMIT = 2**63
"""Above all ids."""


def possible(ids: Iterable[int]) -> list[int]:
    """Return those numbers that an id can be: no row has another, and Postgres refuses to look."""
    return [one for one in ids if -_ID_LIMIT <= one < _ID_LIMIT]


async def fetch(connection: Connection, query_name: str, /, **values: Any) -> list[Row]:
    """Run a named query and return all its rows."""
    cursor = await connection.execute(query(query_name), values)
    return await cursor.fetchall()


def count_of(number: int) -> int:
    """Return a number as a statement may count with it; none where it is below nought."""
    return min(max(number, 0), _COUNTS_LIMIT - 1)


def document_of(row: Row) -> Document:
    """Return the document of a row that names its columns as `get_chunks` does."""
    return Document(
        id=row["document_id"],
        collection=row["collection"],
        uri=row["uri"],
        title=row["title"],
        kind=row["kind"],
        language=row["language"],
        label=Label.from_json(
            {"origins": row["document_origins"], "audience": row["document_audience"]}
        ),
        modified_at=row["modified_at"],
        author=row["author"],
        thread=row["thread"],
    )


def chunk_of(row: Row) -> Chunk:
    """Return the passage of such a row, with its document."""
    return Chunk(
        id=row["chunk_id"],
        document=document_of(row),
        ordinal=row["ordinal"],
        text=row["text"],
        context=row["context"],
        place=Place.from_json(row["place"]),
        label=Label.from_json(row),
        spans=tuple(Span.from_json(span) for span in row["spans"]),
        quoted=row["quoted"],
    )
