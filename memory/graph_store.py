"""The long-term memory that LangGraph hands to graphs: a store on the tables of documents."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from logging import getLogger
from typing import Any, Literal, TypeVar

from langchain_core.runnables.config import var_child_runnable_config
from langgraph.store.base import (
    NOT_PROVIDED,
    GetOp,
    ListNamespacesOp,
    NotProvided,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    TTLConfig,
    validate_op_namespace,
)
from langgraph.store.base.batch import AsyncBatchedBaseStore

from memory.database import Pool
from memory.embedding import Embedder
from memory.errors import MemoryStoreError
from memory.item_names import item_uri
from memory.item_reading import ItemReader
from memory.item_texts import Fields, texts
from memory.item_writing import Cut, ItemWriter
from memory.items import UNLABELLED, CheckedValue, NewItem, checked, item_of
from memory.labels import Label
from memory.search import Searcher

log = getLogger(__name__)
KEPT: TTLConfig = {"omit_expired": True, "refresh_on_read": True, "sweep_interval_minutes": 1}
"""What is put without a time to live stays; what has outlived its time is never read again."""

OneOp = TypeVar("OneOp")


class GraphStore(AsyncBatchedBaseStore):
    """LangGraph's `BaseStore`, on Postgres. Made within the loop that it is used in.

    An item is a document of kind `memory`, in the collection of its namespace's first label. So it
    is searched like all documents, by words and by meaning, from the moment that `aput` returns.
    Its label and its source stand with it; a graph that says neither puts words from anywhere.

    Calls of the same tick go to the database together; of those, reading comes before writing.
    From other threads the methods without `a` work as well; in the loop's own they would wait for
    themselves, and are refused.
    """

    supports_ttl = True

    def __init__(
        self,
        pool: Pool,
        embedder: Embedder,
        *,
        cut: Cut,
        fields: Sequence[str] | None = None,
        ttl: TTLConfig | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self.ttl_config = ttl
        self._fields = fields
        self._writer = ItemWriter(pool, embedder, cut=cut, now=now)
        self._reader = ItemReader(pool, Searcher(pool, embedder), now=now)
        self._sweeper: asyncio.Task[None] | None = None

    async def keep(
        self,
        namespace: tuple[str, ...],
        key: str,
        value: Mapping[str, Any],
        *,
        label: Label,
        source: str | None = None,
        index: Literal[False] | list[str] | None = None,
        ttl: float | NotProvided | None = NOT_PROVIDED,
    ) -> None:
        """Put an item whose words are known to have come from where the label says."""
        known = checked(value, label=label, source=source or _run())
        await self.aput(namespace, key, known, index, ttl=ttl)

    async def aput(
        self,
        namespace: tuple[str, ...],
        key: str,
        value: Mapping[str, Any] | None,
        index: Literal[False] | list[str] | None = None,
        *,
        ttl: float | NotProvided | None = NOT_PROVIDED,
    ) -> None:
        """Store an item, or replace the one of that name; see `BaseStore.aput`.

        What cannot be stored is refused here, where it costs nobody else's call of the same tick.
        As LangGraph's own stores do, it takes None for a wish to delete.
        """
        if value is None:
            await self.adelete(namespace, key)
            return
        known = checked(value, label=UNLABELLED, source=_run())
        validate_op_namespace(PutOp(namespace, key, known))
        item_uri(namespace, str(key))
        await super().aput(namespace, str(key), known, index, ttl=ttl)

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Do many things at once: what is read is as it was before what is written."""
        wanted = list(ops)
        for op in wanted:
            validate_op_namespace(op)
        items = _new_items(wanted, self._fields)
        results: list[Result] = [None] * len(wanted)
        await self._get(_numbered(wanted, GetOp), results)
        for number, search in _numbered(wanted, SearchOp):
            results[number] = await self._search(search)
        for number, listing in _numbered(wanted, ListNamespacesOp):
            results[number] = await self._reader.namespaces(listing, omit_expired=self._omits)
        if items:
            await self._writer.write(items)
        return results

    async def sweep_ttl(self) -> int:
        """Delete what has outlived its time; return how many went."""
        return await self._writer.delete_expired()

    async def start_ttl_sweeper(self, sweep_interval_minutes: float | None = None) -> None:
        """Delete what has outlived its time, now and again and again."""
        configured = (self.ttl_config or {}).get("sweep_interval_minutes")
        minutes = sweep_interval_minutes or configured
        if minutes and (self._sweeper is None or self._sweeper.done()):
            self._sweeper = asyncio.create_task(self._swept(60 * minutes))

    async def stop_ttl_sweeper(self) -> None:
        """End that."""
        await _ended(self._sweeper)
        self._sweeper = None

    async def aclose(self) -> None:
        """End what runs in the background; the pool is its owner's."""
        await self.stop_ttl_sweeper()
        await _ended(self._task)

    @property
    def _omits(self) -> bool:
        return bool(self.ttl_config and self.ttl_config.get("omit_expired"))

    async def _get(self, ops: Sequence[tuple[int, GetOp]], results: list[Result]) -> None:
        if not ops:
            return
        rows = await self._reader.get(
            ((op.namespace, op.key) for _, op in ops), omit_expired=self._omits
        )
        aging = []
        for number, op in ops:
            row = rows.get(item_uri(op.namespace, op.key))
            if row is None:
                continue
            results[number] = item_of(row)
            if op.refresh_ttl and row["ttl_minutes"] is not None:
                aging.append(row["document_id"])
        if aging:
            await self._reader.refresh(aging, omit_expired=self._omits)

    async def _search(self, op: SearchOp) -> list[SearchItem]:
        items, document_ids = await self._reader.search(op, omit_expired=self._omits)
        if op.refresh_ttl and any(item.ttl_minutes is not None for item in items):
            await self._reader.refresh(document_ids, omit_expired=self._omits)
        return [*items]

    async def _swept(self, every_s: float) -> None:
        while True:
            # A database that is away for a moment is asked again the next time.
            with contextlib.suppress(MemoryStoreError):
                await self.sweep_ttl()
            await asyncio.sleep(every_s)


@asynccontextmanager
async def open_store(pool: Pool, embedder: Embedder, *, cut: Cut) -> AsyncIterator[GraphStore]:
    """Lend the store of this program, whose items go when their time has come."""
    store = GraphStore(pool, embedder, cut=cut, ttl=KEPT)
    await store.sweep_ttl()
    await store.start_ttl_sweeper()
    try:
        yield store
    finally:
        await store.aclose()


def _new_items(ops: Sequence[Op], fields: Sequence[str] | None) -> list[NewItem]:
    """Return what is to be written: of several with the same name the last."""
    found: dict[tuple[tuple[str, ...], str], NewItem] = {}
    for op in ops:
        if not isinstance(op, PutOp):
            continue
        name = tuple(op.namespace), str(op.key)
        item_uri(*name)
        found.pop(name, None)
        found[name] = _new_item(name, op, fields)
    return list(found.values())


def _new_item(
    name: tuple[tuple[str, ...], str], op: PutOp, fields: Sequence[str] | None
) -> NewItem:
    if op.value is None:
        return NewItem(namespace=name[0], key=name[1], value=None)
    value: CheckedValue = checked(op.value, label=UNLABELLED, source=_run())
    wanted: Fields = fields if op.index is None else op.index
    return NewItem(
        namespace=name[0],
        key=name[1],
        value=value,
        texts=texts(value, wanted),
        ttl_minutes=op.ttl,
    )


def _numbered(ops: Sequence[Op], kind: type[OneOp]) -> list[tuple[int, OneOp]]:
    return [(number, op) for number, op in enumerate(ops) if isinstance(op, kind)]


def _run() -> str | None:
    """Name the run whose node is at work, if one is."""
    config = var_child_runnable_config.get() or {}
    run_id = config.get("configurable", {}).get("run_id")
    return None if run_id is None else f"run:{run_id}"


async def _ended(task: asyncio.Task[None] | None) -> None:
    # A driver that is told to stop in the middle of its work may take that for its own affair.
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=1)
