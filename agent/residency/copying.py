"""Copies the traces of this machine's card into the database.

The arbiter itself knows of no database. Whoever has one open follows the files: from where the
copy stands, whole lines only, so that a program that is killed, or a database that was away, costs
nothing but time. The files go when they are too many (`process/journal.py`): what went before it
was copied is said in the database as lost.
"""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Sequence, Set
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from agent.clock import SystemClock
from agent.residency.books import JsonObject
from agent.residency.opening import Place
from agent.residency.process.journal import epoch_of, traces
from agent.settings import Settings
from memory.card_traces import CardTraces, Copied, TraceHead
from memory.characters import storable_json
from memory.database import Pool
from memory.errors import MemoryStoreError
from tools.base import Clock

log = logging.getLogger(__name__)

FOLLOW_S = 10.0
"""Between two looks at the files."""
_PART_BYTES = 4 << 20
"""Of a file that are copied in one transaction."""
_MOST_LINES, _MOST_NUMBER = (1 << 31) - 1, (1 << 63) - 1
"""What columns can hold: of lines and epochs, of tokens."""
_MOST_S = 1e10
"""Three hundred years: no clock of a machine shows more."""
_DROPPED = "its file was dropped before all of it was copied"
_MISSED = "its file was dropped, or never written, before any of it was copied"


@asynccontextmanager
async def followed(place: Place | None, pool: Pool, settings: Settings) -> AsyncIterator[None]:
    """Copy the traces of a card while the block runs, and forget old ones.

    Nothing that fails there is fatal. Without a card there is nothing to copy.
    """
    if place is None:
        yield
        return
    keep = timedelta(days=settings.residency.trace_days)
    over = asyncio.Event()
    work = _follow(place.files.data_dir, CardTraces(pool), keep, SystemClock(), over)
    following = asyncio.create_task(work)
    try:
        yield
    finally:
        # Before Python 3.12 `wait_for`, in which psycopg waits, may swallow a cancellation.
        over.set()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _follow(
    folder: Path, store: CardTraces, keep: timedelta, clock: Clock, over: asyncio.Event
) -> None:
    pruned, flaw = False, ""
    while not over.is_set():
        try:
            await copy(folder, store, keep=keep, clock=clock)
            if not pruned:
                await store.prune(clock.now() - keep)
            pruned, flaw = True, ""
        except (MemoryStoreError, OSError) as error:
            if str(error) != flaw:
                log.warning("trace_not_copied", extra={"reason": str(error)})
            flaw = str(error)
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), FOLLOW_S)


async def copy(folder: Path, store: CardTraces, *, keep: timedelta, clock: Clock) -> None:
    """Copy what is new in a card's directory, save traces that are older than `keep`."""
    now = clock.now()
    paths = await asyncio.to_thread(traces, folder)
    there = {epoch_of(path) for path in paths}
    heads: list[TraceHead] = []
    for path in paths:
        with suppress(FileNotFoundError):  # the arbiter may drop the oldest meanwhile
            first = await asyncio.to_thread(_first, path, since=now - keep)
            if first is not None:
                head, size = first
                await _missed(store, head, there, now)
                await store.begin(head, head_bytes=size)
                heads.append(head)
                while await _part(store, head, path, last=path == paths[-1]):
                    pass
    await _dropped(store, heads)


async def _missed(store: CardTraces, head: TraceHead, there: Set[int], now: datetime) -> None:
    """Say of lives between the last that is known and this one that nothing of them is here."""
    known = await store.newest_epoch(head.card, head.host)
    for epoch in range(head.epoch if known is None else known + 1, head.epoch):
        if epoch not in there:
            named = uuid5(NAMESPACE_OID, f"{head.trace_id} {epoch}")
            lost = replace(head, trace_id=named, epoch=epoch)
            await store.missed(lost, reason=_MISSED, now=now)
            log.warning("trace_lost", extra={"card": head.card, "epoch": epoch})


async def _dropped(store: CardTraces, heads: Sequence[TraceHead]) -> None:
    """Say of traces that were being copied that their files are gone."""
    for card, host in {(head.card, head.host) for head in heads}:
        own = [head for head in heads if (head.card, head.host) == (card, host)]
        lost = await store.lose(
            card,
            host,
            there=[head.trace_id for head in own],
            before=max(head.epoch for head in own),
            reason=_DROPPED,
        )
        for epoch in lost:
            log.warning("trace_lost", extra={"card": card, "epoch": epoch})


async def _part(store: CardTraces, head: TraceHead, path: Path, *, last: bool) -> bool:
    """Copy the next lines of a trace; tell whether there are more."""
    async with store.held(head) as copying:
        if copying is None or copying.copied.closed:
            return False
        before = copying.copied
        data = await asyncio.to_thread(_read, path, before.bytes)
        part = _parted(data, before, ends=not last)
        if part.copied != before:
            await copying.add(part.lines, part.copied)
        return len(data) == _PART_BYTES and not part.copied.closed


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """Lines to be copied, and how far the copy is then."""

    lines: Sequence[str]
    copied: Copied


def _parted(data: bytes, before: Copied, *, ends: bool) -> _Part:
    """Read what comes next in a file: whole lines; `ends` says that nobody writes there any more.

    The last of a file that ends may have been cut; one in the middle that is no transition is
    damage, behind which nothing is copied.
    """
    *whole, rest = data.split(b"\n")
    lines: list[str] = []
    copied = before
    for text in whole:
        line = _storable(text)
        if line is None or not _is_transition(line):
            reason = f"line {copied.lines + 1} of its file is damaged"
            return _Part(lines=lines, copied=replace(copied, lost=reason, closed=True))
        copied = replace(copied, bytes=copied.bytes + len(text) + 1, lines=copied.lines + 1)
        if "end" in line:
            return _Part(lines=lines, copied=replace(copied, ended_n=line["end"], closed=True))
        lines.append(json.dumps(line))
    if len(data) == _PART_BYTES:
        if not whole:
            reason = f"line {copied.lines + 1} of its file has no end"
            copied = replace(copied, lost=reason, closed=True)
    elif ends:
        cut_line = copied.lines + 1 if rest else None
        copied = replace(copied, cut_line=cut_line, closed=True)
    return _Part(lines=lines, copied=copied)


def _storable(text: bytes) -> JsonObject | None:
    """Return a line as Postgres can hold it; None if it is none."""
    try:
        line = json.loads(text)
        json.dumps(line, allow_nan=False)
    except ValueError:
        return None
    return storable_json(line) if isinstance(line, dict) else None


def _is_transition(line: JsonObject) -> bool:
    """Tell whether a line has what its row needs, or is the last one."""
    if "end" in line:
        return _counts(line["end"], _MOST_LINES)
    event = line.get("event")
    return (
        _counts(line.get("n"), _MOST_LINES)
        and _is_moment(line.get("t"))
        and isinstance(event, dict)
        and isinstance(event.get("kind"), str)
        and _counts(line.get("lease", 0), _MOST_NUMBER)
    )


def _counts(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _is_moment(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) <= _MOST_S


def _first(path: Path, *, since: datetime) -> tuple[TraceHead, int] | None:
    """Return whose trace a file is and the size of its first line.

    None if it is older, if the line is not written yet, or does not tell whose it is.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mtime < since.timestamp():
            return None
        text = file.readline(_PART_BYTES)
    line = _storable(text) if text.endswith(b"\n") else None
    head = None if line is None else _head(line, uuid5(NAMESPACE_OID, text.decode()))
    return None if head is None else (head, len(text))


def _head(line: JsonObject, trace_id: UUID) -> TraceHead | None:
    """Return whose trace a first line begins; None if it does not tell."""
    try:
        began = line["began"]
        known = _counts(line["epoch"], _MOST_LINES) and _is_moment(began["t"])
        return (
            None
            if not known
            else TraceHead(
                trace_id=trace_id,
                card=str(line["card"]),
                epoch=line["epoch"],
                host=str(line["host"]),
                began_at=datetime.fromisoformat(began["at"]),
                began_t=float(began["t"]),
                line=line,
            )
        )
    except (ValueError, KeyError, TypeError):
        return None


def _read(path: Path, begins: int) -> bytes:
    with path.open("rb") as file:
        file.seek(begins)
        return file.read(_PART_BYTES)
