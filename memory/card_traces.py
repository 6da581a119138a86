"""Traces of the arbiters of cards: what each wrote down, a row for each transition."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from memory.database import Connection, Pool, transaction, translated
from memory.queries import query


@dataclass(frozen=True, kw_only=True, slots=True)
class TraceHead:
    """Whose trace it is."""

    trace_id: UUID
    card: str
    epoch: int
    host: str
    began_at: datetime
    began_t: float
    """The same moment on the clock of the trace, in seconds."""
    line: dict[str, Any]
    """Its first line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Copied:
    """How far the file of a trace is copied."""

    bytes: int
    lines: int
    ended_n: int | None = None
    cut_line: int | None = None
    lost: str | None = None
    closed: bool = False
    """Nothing more of it will come."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredTrace:
    """A trace as it is in the database."""

    trace_id: UUID
    card: str
    epoch: int
    host: str
    head: dict[str, Any] | None
    ended_n: int | None
    cut_line: int | None
    lost: str | None


class Copying:
    """A trace that nobody else copies meanwhile: what is added is there whole or not at all."""

    def __init__(self, connection: Connection, head: TraceHead, copied: Copied) -> None:
        self.copied = copied
        self._connection = connection
        self._head = head

    async def add(self, lines: Sequence[str], copied: Copied) -> None:
        """Add transitions, given as JSON, and say how far the copy is then."""
        trace_id = self._head.trace_id
        if lines:
            await self._connection.execute(
                query("insert_card_events"),
                {
                    "trace_id": trace_id,
                    "began_at": self._head.began_at,
                    "began_t": self._head.began_t,
                    "lines": list(lines),
                },
            )
        await self._connection.execute(
            query("advance_card_trace"),
            {
                "trace_id": trace_id,
                "copied_bytes": copied.bytes,
                "copied_lines": copied.lines,
                "ended_n": copied.ended_n,
                "cut_line": copied.cut_line,
                "lost": copied.lost,
                "closed": copied.closed,
            },
        )
        self.copied = copied


class CardTraces:
    """Keeps traces, and forgets the old ones."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def begin(self, head: TraceHead, *, head_bytes: int) -> None:
        """Write down that there is a trace; one that is known stays as it is."""
        await self._do(
            "begin_card_trace",
            trace_id=head.trace_id,
            card=head.card,
            epoch=head.epoch,
            host=head.host,
            began_at=head.began_at,
            head=Jsonb(head.line),
            copied_bytes=head_bytes,
        )

    @asynccontextmanager
    async def held(self, head: TraceHead) -> AsyncIterator[Copying | None]:
        """Take a trace for oneself for a transaction; None while another program has it."""
        async with transaction(self._pool) as connection:
            cursor = await connection.execute(query("hold_card_trace"), {"trace_id": head.trace_id})
            row = await cursor.fetchone()
            if row is None:
                yield None
                return
            copied = Copied(
                bytes=row["copied_bytes"],
                lines=row["copied_lines"],
                ended_n=row["ended_n"],
                cut_line=row["cut_line"],
                lost=row["lost"],
                closed=row["closed"],
            )
            yield Copying(connection, head, copied)

    async def newest_epoch(self, card: str, host: str) -> int | None:
        """Return the last life of a card's arbiter that is known; None if none is."""
        with translated():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    query("newest_card_epoch"), {"card": card, "host": host}
                )
                row = await cursor.fetchone()
        return None if row is None else row["epoch"]

    async def lose(
        self, card: str, host: str, *, there: Iterable[UUID], before: int, reason: str
    ) -> list[int]:
        """Say of traces before an epoch that their files are gone; return their epochs."""
        with translated():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    query("lose_card_traces"),
                    {
                        "card": card,
                        "host": host,
                        "there": list(there),
                        "before": before,
                        "reason": reason,
                    },
                )
                return [row["epoch"] for row in await cursor.fetchall()]

    async def missed(self, trace: TraceHead, *, reason: str, now: datetime) -> None:
        """Write down that nothing of a trace was there to be copied."""
        await self._do(
            "insert_lost_card_trace",
            trace_id=trace.trace_id,
            card=trace.card,
            epoch=trace.epoch,
            host=trace.host,
            began_at=trace.began_at,
            reason=reason,
            now=now,
        )

    async def get(self, card: str, epoch: int | None = None) -> StoredTrace | None:
        """Return a trace of a card: the newest, or the newest of that epoch."""
        with translated():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    query("card_trace"), {"card": card, "epoch": epoch}
                )
                row = await cursor.fetchone()
        if row is None:
            return None
        return StoredTrace(
            trace_id=row["trace_id"],
            card=row["card"],
            epoch=row["epoch"],
            host=row["host"],
            head=row["head"],
            ended_n=row["ended_n"],
            cut_line=row["cut_line"],
            lost=row["lost"],
        )

    async def lines(self, trace: StoredTrace) -> list[dict[str, Any]]:
        """Return the transitions of a trace that are here."""
        with translated():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(query("card_lines"), {"trace_id": trace.trace_id})
                return [row["line"] for row in await cursor.fetchall()]

    async def prune(self, before: datetime) -> int:
        """Forget traces that ended before then, each whole; return how many."""
        with translated():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(query("prune_card_traces"), {"before": before})
                return cursor.rowcount

    async def _do(self, name: str, **values: Any) -> None:
        with translated():
            async with self._pool.connection() as connection:
                await connection.execute(query(name), values)
