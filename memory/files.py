"""What memory knows of the files that documents come from, so that nothing is read twice."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from memory.database import Connection, Pool, transaction
from memory.documents import KnownDocument
from memory.queries import query
from memory.rows import fetch
from memory.writing import delete_documents, writing

_PAGE = 5_000
"""Uris that are fetched at once."""
_DELETED = 500
"""Documents that are deleted in one transaction, so that no other writer waits for long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileRecord:
    """A file as it was when it was last read."""

    uri: str
    stamp: str | None
    """Its state as the file system tells it; None: it has none of its own, or nobody took it."""
    digest: bytes
    """SHA-256 of its bytes."""
    reader: str
    """What read it: as in `NewDocument`, or what else has to change before it is read again."""
    reason: str | None = None
    """Why it could not be read: nothing of it stands in memory, unless it holds many documents, of
    which those before the fault do."""
    many: bool = False
    """Whether it holds documents rather than being one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """A file that has gone from one place and stands at another with the same content."""

    source_id: int
    """Source that it was in."""
    old: str
    new: str
    old_name: str
    new_name: str
    """The names without folders: a title that is the old one becomes the new one."""
    stamp: str | None


class FileStore:
    """What is known of the files of each source."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def known(self, source_id: int) -> dict[str, FileRecord]:
        """Return what is known of a source's files, by uri."""
        async with transaction(self._pool) as connection:
            rows = await fetch(connection, "known_files", source_id=source_id)
        return await asyncio.to_thread(lambda: {row["uri"]: FileRecord(**row) for row in rows})

    async def documents(self, source_id: int, uris: Sequence[str]) -> dict[str, KnownDocument]:
        """Return which of these documents are stored, by uri."""
        async with transaction(self._pool) as connection:
            rows = await fetch(
                connection, "known_documents_of", source_id=source_id, uris=list(uris)
            )
        return {
            row["uri"]: KnownDocument(
                id=row["document_id"], content_hash=row["content_hash"], reader=row["reader"]
            )
            for row in rows
        }

    async def members(self, source_id: int, uri: str) -> AsyncIterator[list[str]]:
        """Yield the uris of the documents within a file, in order, a page at a time."""
        after = f"{uri}#"
        while True:
            async with transaction(self._pool) as connection:
                rows = await fetch(
                    connection,
                    "member_documents",
                    source_id=source_id,
                    file=uri,
                    after=after,
                    limit=_PAGE,
                )
            if not rows:
                return
            yield [row["uri"] for row in rows]
            after = rows[-1]["uri"]

    async def move(self, source_id: int, moves: Sequence[Move]) -> set[str]:
        """Give files and their documents other uris, in a source of the same collection.

        Ids, passages and vectors stay. Returns the new uris of those that could be moved: the old
        place was known, and nothing was known of the new one.
        """
        values = {
            "source_id": source_id,
            "sources": [move.source_id for move in moves],
            "olds": [move.old for move in moves],
            "old_names": [move.old_name for move in moves],
            "news": [move.new for move in moves],
            "new_names": [move.new_name for move in moves],
            "stamps": [move.stamp for move in moves],
        }
        async with writing(self._pool) as connection:
            return {row["uri"] for row in await fetch(connection, "move_files", **values)}

    async def drop(self, source_id: int, uris: Sequence[str]) -> None:
        """Delete what there is of files: their documents, those within them, what is known.

        In several transactions; broken off, it may be called again.
        """
        values = {"source_id": source_id, "uris": list(uris)}
        while True:
            async with writing(self._pool) as connection:
                rows = await fetch(connection, "documents_of_files", limit=_DELETED, **values)
                await delete_documents(connection, [row["document_id"] for row in rows])
                if len(rows) < _DELETED:
                    await connection.execute(query("forget_files"), values)
                    return


async def record(connection: Connection, source_id: int, files: Sequence[FileRecord]) -> None:
    """Write down files, and delete what memory has of them that they no longer hold."""
    uris = [file.uri for file in files]
    overtaken = await fetch(
        connection,
        "overtaken_documents",
        source_id=source_id,
        uris=uris,
        whole=[file.reason is None and not file.many for file in files],
        many=[file.many for file in files],
    )
    await delete_documents(connection, [row["document_id"] for row in overtaken])
    values = {
        "source_id": source_id,
        "uris": uris,
        "stamps": [file.stamp for file in files],
        "digests": [file.digest for file in files],
        "readers": [file.reader for file in files],
        "reasons": [file.reason for file in files],
        "many": [file.many for file in files],
    }
    await connection.execute(query("record_files"), values)
