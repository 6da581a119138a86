"""Who may work on a thread: a fence that rises, held by one process at a time."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg.rows import DictRow

from memory.database import Pool, translated
from memory.errors import MemoryStoreError
from memory.queries import query

LEASE_S = 30.0
"""A holder that does not renew for so long is taken for dead."""


class ThreadBusyError(MemoryStoreError):
    """Another process works on the thread."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fence:
    """The right to write to a thread, until somebody takes a higher token."""

    thread_id: str
    token: int


def this_process() -> str:
    """Name this process so that another on the same host can tell whether it still lives."""
    return f"{_host()} {os.getpid()} {_started(os.getpid())}"


def known_dead(holder: str) -> bool:
    """Whether the holder was a process of this host that has ended; False where nobody knows."""
    host, pid, started = holder.split(" ")
    return host == _host() and _started(int(pid)) != started


def _host() -> str:
    """Name the host, its start and its space of process ids: only within them pids mean a thing."""
    boot = _read("/proc/sys/kernel/random/boot_id")
    try:
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        space = "-"
    return f"{socket.gethostname()}/{boot}/{space}"


def _started(pid: int) -> str:
    """Return when a process began, in ticks since the host did; empty if it is gone or a zombie."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    if not fields or fields[0] in "ZX":
        return ""
    return fields[19]


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


class Threads:
    """Hands out fences."""

    def __init__(self, pool: Pool, *, lease_s: float = LEASE_S) -> None:
        self._pool = pool
        self._lease_s = lease_s

    @asynccontextmanager
    async def held(self, thread_id: str) -> AsyncIterator[Fence]:
        """Hold a thread for the block, renewing the lease meanwhile.

        Raises `ThreadBusyError` if a living process holds it. A process that was killed on this
        host is found out at once, one on another host when its lease has run out.
        """
        token = await self._take(thread_id)
        renewal = asyncio.create_task(self._renewed(thread_id, token))
        try:
            yield Fence(thread_id=thread_id, token=token)
        finally:
            renewal.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await renewal
            await self._execute("release_thread", thread_id=thread_id, token=token)

    async def worked_on(self, thread_id: str) -> bool:
        """Whether somebody holds a thread, as far as can be known from here."""
        rows = await self._fetch("thread_holder", thread_id=thread_id)
        if not rows or rows[0]["holder"] is None or rows[0]["late"]:
            return False
        return not await asyncio.to_thread(known_dead, rows[0]["holder"])

    async def _take(self, thread_id: str) -> int:
        me = await asyncio.to_thread(this_process)
        values = {"thread_id": thread_id, "holder": me, "lease_s": self._lease_s}
        rows = await self._fetch("take_thread", **values, dead=None)
        if not rows:
            holder = await self._fetch("thread_holder", thread_id=thread_id)
            name = holder[0]["holder"] if holder else None
            if name is None or await asyncio.to_thread(known_dead, name):
                rows = await self._fetch("take_thread", **values, dead=name)
        if not rows:
            raise ThreadBusyError(
                f"Thread {thread_id!r} is being worked on by another process. Wait until it has "
                "ended, or use another thread."
            )
        return int(rows[0]["token"])

    async def _renewed(self, thread_id: str, token: int) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 3)
            # A database that is away for a moment must not end the run: the next renewal counts.
            with contextlib.suppress(MemoryStoreError):
                await self._execute(
                    "renew_thread", thread_id=thread_id, token=token, lease_s=self._lease_s
                )

    async def _execute(self, name: str, **values: object) -> None:
        with translated():
            async with self._pool.connection() as connection:
                await connection.execute(query(name), values)

    async def _fetch(self, name: str, **values: object) -> list[DictRow]:
        with translated():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(query(name), values)
                return await cursor.fetchall()
