"""Changes of documents, each within a transaction that holds the lock of the lexicon."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from memory import language, lexicon, mail_threads
from memory.characters import storable, storable_json
from memory.database import Connection, Pool, transaction
from memory.documents import NewDocument
from memory.inserting import Owned, insert_passages
from memory.passages import Passage, columns, matched
from memory.queries import query
from memory.rows import Row, fetch


@dataclass(kw_only=True, slots=True)
class Fresh:
    """Passages of several documents that have yet to be written."""

    batches: dict[tuple[str, float], list[tuple[int, Passage]]] = field(default_factory=dict)
    """By text search configuration and mean length: the document's id with each passage."""

    def add(self, document_id: int, code: str, passages: Sequence[Passage]) -> None:
        """Take in the passages of a document in a language given by its code."""
        if not passages:
            return
        key = (language.configuration(code), lexicon.mean_length(code))
        self.batches.setdefault(key, []).extend((document_id, passage) for passage in passages)


@asynccontextmanager
async def writing(pool: Pool) -> AsyncIterator[Connection]:
    """Lend a connection within a transaction that alone may change passages."""
    async with transaction(pool) as connection:
        await connection.execute(query("lock_lexicon"), {"key": lexicon.LOCK_KEY})
        yield connection


async def known_documents(
    connection: Connection, source_id: int, uris: Iterable[str]
) -> dict[str, Row]:
    """Return what is known of documents that are to be replaced, by their uris as stored."""
    rows = await fetch(connection, "known_documents_of", source_id=source_id, uris=list(uris))
    return {row["uri"]: row for row in rows}


def is_same(known: Row, document: NewDocument) -> bool:
    """Return whether what is known of a document is the very same: nothing has to be written."""
    return (known["content_hash"], known["reader"]) == (document.content_hash, document.reader)


Given = tuple[NewDocument, Sequence[Passage]]
"""A document with its passages."""


async def replace_all(
    connection: Connection, source_id: int, given: Sequence[Given], known: Mapping[str, Row]
) -> tuple[list[int], Fresh]:
    """Put documents in place of what is known of them by uri; return their ids, in order.

    Passages that stay are brought up to date; the others have yet to be inserted.
    """
    fresh = Fresh()
    new = [one for one in given if storable(one[0].uri) not in known]
    new_ids = await put_documents(connection, source_id, [document for document, _ in new])
    for document_id, (document, passages) in zip(new_ids, new, strict=True):
        fresh.add(document_id, document.vocabulary, passages)
    made = iter(new_ids)
    ids = []
    for document, passages in given:
        row = known.get(storable(document.uri))
        if row is not None:
            await _replace(connection, source_id, document, passages, row, fresh)
        ids.append(next(made) if row is None else int(row["document_id"]))
    return ids, fresh


async def _replace(
    connection: Connection,
    source_id: int,
    document: NewDocument,
    passages: Sequence[Passage],
    known: Row,
    fresh: Fresh,
) -> None:
    document_id = known["document_id"]
    kept: dict[int, int] = {}
    if known["configuration"] == language.configuration(document.vocabulary):
        rows = await fetch(connection, "chunk_keys", document_id=document_id)
        kept = matched([(row["chunk_id"], row["content_key"]) for row in rows], passages)
    await _delete_chunks(connection, [document_id], kept=list(kept.values()))
    await put_documents(connection, source_id, [document])
    stay = [passage for passage in passages if passage.ordinal in kept]
    if stay:
        values = columns(stay) | {"chunk_ids": [kept[passage.ordinal] for passage in stay]}
        await connection.execute(query("update_chunks"), values)
    fresh.add(
        document_id,
        document.vocabulary,
        [passage for passage in passages if passage.ordinal not in kept],
    )


async def put_documents(
    connection: Connection, source_id: int, documents: Sequence[NewDocument]
) -> list[int]:
    """Write documents without their passages; return their ids."""
    if not documents:
        return []
    async with connection.cursor() as cursor:
        values = [_columns_of(source_id, document) for document in documents]
        await cursor.executemany(query("put_document"), values, returning=True)
        ids = []
        async for result in cursor.results():
            ids += [int(row["document_id"]) for row in await result.fetchall()]
    messages = (document.message for document in documents)
    await mail_threads.settle(connection, dict(zip(ids, messages, strict=True)))
    return ids


async def collection_of(connection: Connection, source_id: int) -> int:
    """Return the id of the collection of a source; LookupError where there is no such source."""
    found = await fetch(connection, "source_collection", source_id=source_id)
    if not found:
        raise LookupError(f"There is no source {source_id}.")
    return int(found[0]["collection_id"])


async def insert(connection: Connection, collection_id: int, fresh: Fresh) -> None:
    """Write passages, and raise the frequencies of their words once for all of them."""
    for (configuration, mean_length), passages in fresh.batches.items():
        owned = [Owned(document_id=owner, passage=passage) for owner, passage in passages]
        await insert_passages(connection, collection_id, configuration, mean_length, owned)


def _columns_of(source_id: int, document: NewDocument) -> dict[str, Any]:
    label = storable_json(document.label.to_json())
    message = document.message
    return {
        "source_id": source_id,
        "uri": storable(document.uri),
        "title": storable(document.title),
        "kind": document.kind,
        "media_type": document.media_type,
        "content_hash": document.content_hash,
        "reader": document.reader,
        "language": document.language,
        "configuration": language.configuration(document.vocabulary),
        "modified_at": document.modified_at,
        "origins": label["origins"],
        "audience": label["audience"],
        "flaws": [storable(flaw) for flaw in document.flaws],
        "author": storable(document.author),
        "sender": (storable(message.sender) or None) if message else None,
        "recipients": [storable(one) for one in message.recipients] if message else [],
    }


async def delete_documents(connection: Connection, document_ids: list[int]) -> None:
    """Delete documents with their passages, and take them out of the lexicon and of threads."""
    if document_ids:
        await _delete_chunks(connection, document_ids, kept=[])
        rows = await fetch(connection, "delete_documents", document_ids=document_ids)
        await mail_threads.regroup(connection, {row["thread"] for row in rows} - {None})


async def _delete_chunks(
    connection: Connection, document_ids: list[int], *, kept: list[int]
) -> None:
    values = {"document_ids": document_ids, "kept": kept}
    await connection.execute(query("unindex_chunks"), values)
    await connection.execute(query("delete_chunks"), values)
