"""Documents and their passages: put, replaced and forgotten, each in one transaction."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memory import vectors
from memory.characters import storable
from memory.database import Pool, transaction, translated
from memory.documents import (
    URI_BYTES_LIMIT,
    Chunk,
    Document,
    NewDocument,
    Threaded,
)
from memory.embedding import Embedder
from memory.embedding_models import Model, list_models
from memory.files import FileRecord, FileStore, record
from memory.passages import Passage, prepared
from memory.queries import query
from memory.rows import Row, chunk_of, count_of, document_of, fetch, possible
from memory.writing import (
    collection_of,
    delete_documents,
    insert,
    is_same,
    known_documents,
    replace_all,
    writing,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PutResult:
    """What became of a document that was put."""

    document_id: int
    chunks: int
    changed: bool
    """False: it was stored already, and nothing was written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectionSummary:
    """What a collection holds."""

    name: str
    documents: dict[str, int]
    """Number of documents by kind."""
    chunks: int


class DocumentStore:
    """The documents in memory. A writer at a time; readers never wait."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.files = FileStore(pool)
        """What is known of the files that documents come from."""

    async def source(self, collection: str, uri: str) -> int:
        """Return the id of a source, which is made where it is new."""
        _check_uri(uri)
        names = {"collection": storable(collection), "uri": storable(uri)}
        async with transaction(self._pool) as connection:
            found = await fetch(connection, "get_source", **names)
            if not found:
                await connection.execute(query("add_collection"), {"name": names["collection"]})
                await connection.execute(query("add_source"), names)
                found = await fetch(connection, "get_source", **names)
            return int(found[0]["source_id"])

    async def sources(self, collection: str) -> dict[str, int]:
        """Return the sources of a collection: their ids by uri."""
        rows = await self._fetch("list_sources", collection=storable(collection))
        return {row["uri"]: row["source_id"] for row in rows}

    async def put(self, source_id: int, document: NewDocument) -> PutResult:
        """Store one document, as `put_many` does."""
        (result,) = await self.put_many(source_id, [document])
        return result

    async def put_many(
        self,
        source_id: int,
        documents: Sequence[NewDocument],
        *,
        files: Sequence[FileRecord] = (),
    ) -> list[PutResult]:
        """Store documents of different uris, or replace those of the same uri; all of it or none.

        The same again writes nothing, and its passages are not looked at. Passages that stay the
        same keep their ids and vectors. What was learnt of the files that they come from is written
        down with them. PassageTooLongError: one is longer than can be indexed. LookupError: there
        is no such source. ValueError: two have the same uri, or one that is too long.
        """
        named = _named(documents)
        # Passages are prepared before the lock is taken, for which all other writers wait. What is
        # known now decides nothing: it spares the work on documents that will turn out the same.
        passages = await _prepared(_changed(named, await self._known(source_id, named)))
        async with writing(self._pool) as connection:
            collection_id = await collection_of(connection, source_id)
            known = await known_documents(connection, source_id, named)
            changed = _changed(named, known)
            passages |= await _prepared(
                {uri: one for uri, one in changed.items() if uri not in passages}
            )
            given = [(one, passages[uri]) for uri, one in changed.items()]
            ids, fresh = await replace_all(connection, source_id, given, known)
            await insert(connection, collection_id, fresh)
            await record(connection, source_id, files)
        written = {
            uri: PutResult(document_id=document_id, chunks=len(passages[uri]), changed=True)
            for uri, document_id in zip(changed, ids, strict=True)
        }
        return [written.get(uri) or _unchanged(known[uri]) for uri in named]

    async def _known(self, source_id: int, uris: Iterable[str]) -> dict[str, Row]:
        with translated():
            async with self._pool.connection() as connection:
                return await known_documents(connection, source_id, uris)

    async def forget(self, source_id: int) -> list[str]:
        """Delete a source with all its documents; return their uris."""
        async with writing(self._pool) as connection:
            rows = await fetch(connection, "documents_of_source", source_id=source_id)
            await delete_documents(connection, [row["document_id"] for row in rows])
            await connection.execute(query("delete_source"), {"source_id": source_id})
            return [row["uri"] for row in rows]

    async def chunks(self, chunk_ids: Sequence[int]) -> list[Chunk]:
        """Return passages in the order of their ids; those that are gone are left out."""
        rows = await self._fetch("get_chunks", chunk_ids=possible(chunk_ids))
        return [chunk_of(row) for row in rows]

    async def neighbours(self, chunk_id: int, *, before: int = 1, after: int = 1) -> list[Chunk]:
        """Return a passage with those that stand before and behind it; nothing if it is gone."""
        rows = await self._fetch("neighbours", chunk_id=chunk_id, before=before, after=after)
        return await self.chunks([row["chunk_id"] for row in rows])

    async def section(self, chunk_id: int, *, up: int = 0, limit: int = 20) -> list[Chunk]:
        """Return the passages under the heading that a passage stands under, in their order.

        `up` leads so many headings further out. Of more than `limit` those nearest to it come.
        """
        bounds = {"up": count_of(up), "limit": count_of(limit)}
        rows = await self._fetch("section", chunk_id=chunk_id, **bounds)
        return await self.chunks([row["chunk_id"] for row in rows])

    async def passages(self, document_id: int) -> list[int]:
        """Return the ids of a document's passages, in their order."""
        rows = await self._fetch("get_passages", document_id=document_id)
        return [row["chunk_id"] for row in rows]

    async def models(self) -> list[Model]:
        """Return the models that passages have vectors of, the newest first."""
        with translated():
            async with self._pool.connection() as connection:
                return await list_models(connection)

    async def documents(self, collection: str, *, uri: str | None = None) -> list[Document]:
        """Return the documents of a collection, or those of one uri, by uri."""
        wanted = None if uri is None else storable(uri)
        rows = await self._fetch("get_documents", collection=storable(collection), uri=wanted)
        return [document_of(row) for row in rows]

    async def thread(self, thread: str) -> list[Threaded]:
        """Return the mails of a thread in the order of their dates."""
        rows = await self._fetch("thread_documents", thread=storable(thread))
        return [Threaded(document=document_of(row), parent_id=row["parent_id"]) for row in rows]

    async def collections(self) -> list[CollectionSummary]:
        """Return what there is, by name."""
        return [CollectionSummary(**row) for row in await self._fetch("list_collections")]

    async def languages(self) -> dict[str, dict[str, int]]:
        """Return the number of documents by collection and language code."""
        counts: dict[str, dict[str, int]] = {}
        for row in await self._fetch("list_languages"):
            counts.setdefault(row["collection"], {})[row["language"]] = row["documents"]
        return counts

    async def embed_missing(
        self,
        embedder: Embedder,
        *,
        batch: int = 32,
        limit: int | None = None,
        on_progress: vectors.Progress = vectors.silent,
    ) -> int:
        """Embed passages that have no vector, newest first; return how many got one.

        It may be broken off at any moment and loses one batch at most; the next call goes on.
        """
        return await vectors.embed_missing(
            self._pool, embedder, batch=batch, limit=limit, on_progress=on_progress
        )

    async def _fetch(self, name: str, **values: Any) -> list[Row]:
        with translated():
            async with self._pool.connection() as connection:
                return await fetch(connection, name, **values)


def _check_uri(uri: str) -> None:
    size = len(storable(uri).encode())
    if size > URI_BYTES_LIMIT:
        raise ValueError(
            f"The uri {uri[:80]}… has {size} bytes, but at most {URI_BYTES_LIMIT} can be indexed."
        )


def _named(documents: Sequence[NewDocument]) -> dict[str, NewDocument]:
    """Return documents by their uris as they are stored. ValueError: two have the same."""
    named: dict[str, NewDocument] = {}
    for document in documents:
        _check_uri(document.uri)
        uri = storable(document.uri)
        if uri in named:
            raise ValueError(
                f"The uri {uri!r} is given twice, and only one of the two documents can be stored "
                "under it. Put them one after another to keep the last."
            )
        named[uri] = document
    return named


def _changed(named: Mapping[str, NewDocument], known: Mapping[str, Row]) -> dict[str, NewDocument]:
    """Return those that are new or are not what is known of them."""
    return {
        uri: document
        for uri, document in named.items()
        if uri not in known or not is_same(known[uri], document)
    }


async def _prepared(documents: Mapping[str, NewDocument]) -> dict[str, list[Passage]]:
    return await asyncio.to_thread(lambda: {uri: prepared(one) for uri, one in documents.items()})


def _unchanged(known: Row) -> PutResult:
    """Return the result of storing nothing."""
    return PutResult(document_id=known["document_id"], chunks=known["chunks"], changed=False)
