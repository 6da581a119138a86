"""Items of the store, read: by name, by namespace and filter, by what they say."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from langgraph.store.base import ListNamespacesOp, SearchOp
from psycopg import sql

from memory.database import Pool, translated
from memory.filters import Filter
from memory.item_filters import condition
from memory.item_names import KIND, collection_of, item_uri, within
from memory.items import StoredItem, item_of
from memory.queries import query
from memory.rows import Row
from memory.search import Searcher


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scope:
    """The items that a search is about: a condition on `m`, and the values in it by name."""

    condition: sql.Composable
    values: dict[str, Any]


class ItemReader:
    """Finds items; with `omit_expired` none that has outlived its time, deleted or not."""

    def __init__(self, pool: Pool, searcher: Searcher, *, now: Callable[[], datetime]) -> None:
        self._pool = pool
        self._searcher = searcher
        self._now = now

    async def get(
        self, names: Iterable[tuple[tuple[str, ...], str]], *, omit_expired: bool
    ) -> dict[str, Row]:
        """Return the rows of those that there are, by uri."""
        uris = [item_uri(namespace, key) for namespace, key in names]
        alive = {"omit_expired": omit_expired, "now": self._now()}
        rows = await self._fetch("get_items", {"uris": uris} | alive)
        return {row["uri"]: row for row in rows}

    async def search(
        self, op: SearchOp, *, omit_expired: bool
    ) -> tuple[list[StoredItem], list[int]]:
        """Return the items of a search, and the ids of their documents.

        With a query the best come first, then those that nothing is known of, without a score;
        without one the newest.
        """
        scope = self._scope(op.namespace_prefix, op.filter, omit_expired=omit_expired)
        end = max(op.offset, 0) + max(op.limit, 0)
        scores = {}
        if op.query and op.query.strip() and end:
            scores = await self._scored(op, scope, end)
        wanted = list(scores)[op.offset : end]
        found = {row["document_id"]: row for row in await self._of_documents(wanted)}
        rows = [found[document_id] for document_id in wanted if document_id in found]
        if len(scores) < end:
            rest = {
                "left_out": list(scores),
                "offset": max(0, op.offset - len(scores)),
                "limit": end - max(op.offset, len(scores)),
            }
            rows += await self._fetch("newest_items", scope.values | rest, scope=scope.condition)
        items = [item_of(row, scores.get(row["document_id"])) for row in rows]
        return items, [row["document_id"] for row in rows]

    async def namespaces(
        self, op: ListNamespacesOp, *, omit_expired: bool
    ) -> list[tuple[str, ...]]:
        """Return the namespaces that match, in order."""
        values: dict[str, Any] = {
            "max_depth": op.max_depth,
            "limit": op.limit,
            "offset": op.offset,
            "omit_expired": omit_expired,
            "now": self._now(),
        }
        parts: list[sql.Composable] = [sql.SQL("true")]
        for number, match in enumerate(op.match_conditions or ()):
            if match.match_type not in _OFFSETS:
                raise ValueError(
                    f"Namespaces are matched by prefix or suffix, not by {match.match_type!r}."
                )
            values[f"path_{number}"] = list(match.path)
            path = sql.SQL("{}::text[]").format(sql.Placeholder(f"path_{number}"))
            offset = sql.SQL(_OFFSETS[match.match_type]).format(path=path)
            like = sql.SQL(query("namespace_like")).format(path=path, offset=offset)
            parts.append(like)
        matching = sql.SQL(" AND ").join(parts)
        rows = await self._fetch("list_namespaces", values, matching=matching)
        return [tuple(row["namespace"]) for row in rows]

    async def refresh(self, document_ids: Sequence[int], *, omit_expired: bool) -> None:
        """Let the time of items that have one begin anew."""
        values = {
            "document_ids": list(document_ids),
            "omit_expired": omit_expired,
            "now": self._now(),
        }
        statement = _composed("refresh_items")
        with translated():
            async with self._pool.connection() as connection:
                await connection.execute(statement, values)

    def _scope(
        self,
        prefix: Sequence[str],
        wanted: Mapping[str, Any] | None,
        *,
        omit_expired: bool,
    ) -> _Scope:
        matching, values = condition(wanted)
        known = within(prefix) | {"omit_expired": omit_expired, "now": self._now()}
        parts = [sql.SQL(query("item_within")), sql.SQL(query("item_alive")), matching]
        return _Scope(condition=sql.SQL(" AND ").join(parts), values=known | values)

    async def _scored(self, op: SearchOp, scope: _Scope, count: int) -> dict[int, float]:
        """Return the best documents of the scope with their scores, the best first."""
        rows = await self._fetch("item_documents", scope.values, scope=scope.condition)
        ids = frozenset(row["document_id"] for row in rows)
        if not ids:
            return {}
        hits = await self._searcher.search(
            op.query or "",
            k=count,
            collections=[collection_of(op.namespace_prefix[0])] if op.namespace_prefix else None,
            filter=Filter(kinds=frozenset({KIND}), document_ids=ids),
            per_document=1,
            fold=False,
        )
        return {hit.chunk.document.id: hit.score for hit in hits}

    async def _of_documents(self, document_ids: Sequence[int]) -> list[Row]:
        if not document_ids:
            return []
        return await self._fetch("items_of_documents", {"document_ids": list(document_ids)})

    async def _fetch(
        self, name: str, values: Mapping[str, Any], **parts: sql.Composable
    ) -> list[Row]:
        with translated():
            async with self._pool.connection() as connection:
                # Not prepared: what a condition leaves differs from one search to the next.
                cursor = await connection.execute(_composed(name, **parts), values, prepare=False)
                return await cursor.fetchall()


_OFFSETS = {"prefix": "0", "suffix": "cardinality(namespace) - cardinality({path})"}
"""How many labels stand before those that are matched."""


def _composed(name: str, **parts: sql.Composable) -> sql.Composed:
    return sql.SQL(query(name)).format(
        columns=sql.SQL(query("item_columns")), alive=sql.SQL(query("item_alive")), **parts
    )
