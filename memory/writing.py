"""Changes of documents, each within a transaction that holds the lock of the lexicon."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from memory import language, lexicon, mail_threads
from memory.characters import storable, storable_json
from memory.database import Connection
from memory.documents import NewDocument
from memory.passages import Passage, columns, matched
from memory.queries import query
from memory.rows import Row, fetch


async def replace(
    connection: Connection,
    source_id: int,
    document: NewDocument,
    passages: Sequence[Passage],
    known: Sequence[Row],
) -> int:
    """Store a document in place of what is known of it; return its id."""
    configuration = language.configuration(document.language)
    kept: dict[int, int] = {}
    if known:
        document_id = known[0]["document_id"]
        if known[0]["configuration"] == configuration:
            rows = await fetch(connection, "chunk_keys", document_id=document_id)
            kept = matched([(row["chunk_id"], row["content_key"]) for row in rows], passages)
        await _delete_chunks(connection, [document_id], kept=list(kept.values()))
    found = await fetch(connection, "source_collection", source_id=source_id)
    if not found:
        raise LookupError(f"There is no source {source_id}.")
    rows = await fetch(connection, "put_document", **_columns_of(source_id, document))
    document_id = int(rows[0]["document_id"])
    await mail_threads.settle(connection, {document_id: document.message})
    stay = [passage for passage in passages if passage.ordinal in kept]
    if stay:
        values = columns(stay) | {"chunk_ids": [kept[passage.ordinal] for passage in stay]}
        await connection.execute(query("update_chunks"), values)
    fresh = [passage for passage in passages if passage.ordinal not in kept]
    if fresh:
        values = columns(fresh) | {
            "document_id": document_id,
            "collection_id": found[0]["collection_id"],
            "configuration": configuration,
            "mean_length": lexicon.mean_length(document.language),
            "k1": lexicon.K1,
            "b": lexicon.B,
            "count": len(fresh),
        }
        await connection.execute(query("insert_chunks"), values)
    return document_id


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
        "configuration": language.configuration(document.language),
        "modified_at": document.modified_at,
        "origins": label["origins"],
        "audience": label["audience"],
        "flaws": [storable(flaw) for flaw in document.flaws],
        "author": storable(document.author),
        "sender": (storable(message.sender) or None) if message else None,
        "recipients": [storable(one) for one in message.recipients] if message else [],
    }


async def vanish(connection: Connection, source_id: int, keep: AbstractSet[str]) -> list[str]:
    """Delete the documents of a source that are not to be kept; return their uris."""
    kept = [storable(uri) for uri in keep]
    rows = await fetch(connection, "vanished_documents", source_id=source_id, keep=kept)
    document_ids = [row["document_id"] for row in rows]
    await _delete_chunks(connection, document_ids, kept=[])
    await connection.execute(query("delete_documents"), {"document_ids": document_ids})
    if threads := {row["thread"] for row in rows} - {None}:
        await mail_threads.regroup(connection, threads)
    return [row["uri"] for row in rows]


async def _delete_chunks(
    connection: Connection, document_ids: list[int], *, kept: list[int]
) -> None:
    values = {"document_ids": document_ids, "kept": kept}
    await connection.execute(query("unindex_chunks"), values)
    await connection.execute(query("delete_chunks"), values)
