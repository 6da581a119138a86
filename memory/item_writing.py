"""Items of the store as documents: name, value, words and vectors in one transaction."""

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from psycopg.types.json import Jsonb

from memory import item_vectors, language, writing
from memory.database import Connection, Pool, translated
from memory.documents import NewChunk, NewDocument
from memory.embedding import Embedder, follow
from memory.errors import ModelReplacedError
from memory.item_names import KIND, SOURCE_URI, collection_of
from memory.items import CheckedValue, NewItem
from memory.passages import Passage, prepared
from memory.places import Place
from memory.queries import query
from memory.rows import fetch
from memory.store import DocumentStore

READER = "item 1"
SLICE = 500
"""Items that are written in one transaction, so that no other writer waits for long."""

Some = TypeVar("Some")
Cut = Callable[[str], Sequence[str]]
"""Cuts a text into passages that the embedder sees whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Draft:
    """An item with the document that it becomes."""

    item: NewItem
    value: CheckedValue
    document: NewDocument
    passages: Sequence[Passage]


class ItemWriter:
    """Puts and deletes items. What it has returned for is on the disk, and found by its words."""

    def __init__(
        self, pool: Pool, embedder: Embedder, *, cut: Cut, now: Callable[[], datetime]
    ) -> None:
        self._pool = pool
        self._store = DocumentStore(pool)
        self._embedder = embedder
        self._cut = cut
        self._now = now

    async def write(self, items: Sequence[NewItem]) -> None:
        """Store items of different names, or delete those that have no value.

        Each is written whole or not at all.
        """
        gone = [item.uri for item in items if item.value is None]
        for uris in _sliced(gone, SLICE):
            await self._delete(uris)
        by_root: defaultdict[str, list[NewItem]] = defaultdict(list)
        for item in items:
            if item.value is not None:
                by_root[item.namespace[0] if item.namespace else ""].append(item)
        for root, some in by_root.items():
            source_id = await self._store.source(collection_of(root), SOURCE_URI)
            for slice_ in _sliced(some, SLICE):
                await self._put(source_id, slice_)

    async def delete_expired(self) -> int:
        """Delete what has outlived its time; return how many went."""
        count = 0
        # Looked for outside the lock: most of the time there is nothing.
        while await self._expired():
            async with writing.writing(self._pool) as connection:
                rows = await fetch(connection, "expired_items", now=self._now(), limit=SLICE)
                ids = [row["document_id"] for row in rows]
                await writing.delete_documents(connection, ids)
            count += len(ids)
        return count

    async def _expired(self) -> bool:
        with translated():
            async with self._pool.connection() as connection:
                return bool(await fetch(connection, "expired_items", now=self._now(), limit=1))

    async def _put(self, source_id: int, items: Sequence[NewItem]) -> None:
        drafts = await asyncio.to_thread(lambda: [_drafted(item, self._cut) for item in items])
        while True:
            try:
                await self._write(source_id, drafts)
            except ModelReplacedError:
                await follow(self._embedder)
            else:
                return

    async def _write(self, source_id: int, drafts: Sequence[_Draft]) -> None:
        vectors = await item_vectors.made(
            self._pool, self._embedder, (one for draft in drafts for one in draft.passages)
        )
        async with writing.writing(self._pool) as connection:
            now = self._now()
            document_ids = await _documents(connection, source_id, drafts, now)
            await connection.execute(query("put_items"), _columns(drafts, document_ids, now))
            if vectors is not None:
                await item_vectors.add(connection, vectors, document_ids)

    async def _delete(self, uris: Sequence[str]) -> None:
        async with writing.writing(self._pool) as connection:
            rows = await fetch(connection, "documents_of_items", uris=list(uris))
            await writing.delete_documents(connection, [row["document_id"] for row in rows])


async def _documents(
    connection: Connection, source_id: int, drafts: Sequence[_Draft], now: datetime
) -> list[int]:
    """Store the documents of items and return their ids."""
    collection_id = await writing.collection_of(connection, source_id)
    uris = [draft.document.uri for draft in drafts]
    rows = await fetch(connection, "known_documents_of", source_id=source_id, uris=uris)
    known = {row["uri"]: row for row in rows}
    title = f"Remembered on {now.date().isoformat()}"
    given = [
        (replace(draft.document, title=title, modified_at=now), draft.passages) for draft in drafts
    ]
    ids, fresh = await writing.replace_all(connection, source_id, given, known)
    await writing.insert(connection, collection_id, fresh)
    return ids


def _drafted(item: NewItem, cut: Cut) -> _Draft:
    assert item.value is not None, "an item without a value is deleted"
    label = item.value.label
    canonical = json.dumps(item.value, sort_keys=True, ensure_ascii=False)
    document = NewDocument(
        uri=item.uri,
        title="",
        kind=KIND,
        media_type="application/json",
        content_hash=hashlib.sha256(canonical.encode()).digest(),
        reader=READER,
        language=language.detect("\n".join(item.texts)) if item.texts else language.UNKNOWN,
        modified_at=None,
        label=label,
        chunks=tuple(
            NewChunk(text=passage, context="", place=Place(), label=label)
            for text in item.texts
            for passage in cut(text)
        ),
    )
    return _Draft(item=item, value=item.value, document=document, passages=prepared(document))


def _columns(
    drafts: Sequence[_Draft], document_ids: Sequence[int], now: datetime
) -> dict[str, object]:
    return {
        "document_ids": list(document_ids),
        "namespaces": [Jsonb(list(draft.item.namespace)) for draft in drafts],
        "keys": [draft.item.key for draft in drafts],
        "values": [Jsonb(dict(draft.value)) for draft in drafts],
        "sources": [draft.value.source for draft in drafts],
        "ttls": [draft.item.ttl_minutes for draft in drafts],
        "now": now,
    }


def _sliced(all_of_them: Sequence[Some], size: int) -> Iterator[Sequence[Some]]:
    for start in range(0, len(all_of_them), size):
        yield all_of_them[start : start + size]
