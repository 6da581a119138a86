"""All items of the store, for the person whose memory it is: looked through, and forgotten."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from psycopg import sql

from memory.database import Pool, translated
from memory.item_names import item_uri, within
from memory.items import StoredItem, item_of
from memory.queries import query
from memory.rows import Row, fetch
from memory.writing import delete_documents, writing

PAGE = 500
"""Items that are read or deleted at once, so that nobody waits for long."""


class ItemCatalogue:
    """Lists items in the order of their names, and deletes them. It needs no embedder."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def count(self, namespace: Sequence[str] = ()) -> int:
        """Count the items of a namespace and all below it."""
        return int((await self._fetch("count_items", namespace))[0]["items"])

    async def items(self, namespace: Sequence[str] = ()) -> AsyncIterator[StoredItem]:
        """Yield the items of a namespace and all below it, by name."""
        after: tuple[list[str] | None, str | None] = (None, None)
        while True:
            rows = await self._fetch(
                "page_of_items",
                namespace,
                after_namespace=after[0],
                after_key=after[1],
                limit=PAGE,
            )
            for row in rows:
                yield item_of(row)
            if len(rows) < PAGE:
                return
            after = rows[-1]["namespace"], rows[-1]["key"]

    async def named(
        self, key: str, namespace: Sequence[str] = (), *, limit: int = 10
    ) -> list[StoredItem]:
        """Return items of that key, in a namespace or below it."""
        rows = await self._fetch("items_of_key", namespace, key=key, limit=limit)
        return [item_of(row) for row in rows]

    async def forget(self, items: Sequence[StoredItem]) -> int:
        """Delete items with their words and their vectors; return how many were still there."""
        count = 0
        uris = [item_uri(item.namespace, item.key) for item in items]
        for start in range(0, len(uris), PAGE):
            async with writing(self._pool) as connection:
                rows = await fetch(
                    connection, "documents_of_items", uris=uris[start : start + PAGE]
                )
                await delete_documents(connection, [row["document_id"] for row in rows])
            count += len(rows)
        return count

    async def _fetch(self, name: str, namespace: Sequence[str], **values: Any) -> list[Row]:
        statement = sql.SQL(query(name)).format(
            columns=sql.SQL(query("item_columns")), within=sql.SQL(query("item_within"))
        )
        with translated():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    statement, within(namespace) | values, prepare=False
                )
                return await cursor.fetchall()
