"""The embedded Postgres: started on first use, shared by all processes of the user.

It stays when the program ends, until `stop`. A server that was killed is started again by the next
client; what was committed is there.
"""

import asyncio
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from memory import postmaster
from memory.cluster import MAJOR, Cluster
from memory.errors import DatabaseUnreachableError, ServerStartError
from memory.pidfile import PORT, Postmaster
from memory.queries import query

DATABASE = "cortical"
_CONNECT_TIMEOUT_S = 10
_POLL_S = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerStatus:
    """What can be said of the server without asking it."""

    data_dir: Path
    running: bool
    pid: int | None
    version: str
    """Major version of PostgreSQL."""
    size_bytes: int
    """What the data takes on the disk; 0 before the first start."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddedPostgres:
    """The server of one data directory."""

    data_dir: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings of Postgres beyond our own or instead of them, taken up when the server starts."""
    timeout_s: float = 120.0
    """Time for a start, in which a killed server may have much to recover."""

    async def ensure_running(self) -> str:
        """Start the server where it does not answer; return the URL of its database."""
        return await asyncio.to_thread(self._ensure_running)

    async def stop(self) -> bool:
        """End the server, whoever uses it; return whether it ran."""
        return await asyncio.to_thread(self._stop)

    def status(self) -> ServerStatus:
        """Look at the files; nothing is started, asked or changed."""
        cluster = self._cluster
        found = cluster.postmaster() if cluster.alive() else None
        return ServerStatus(
            data_dir=cluster.root,
            running=found is not None,
            pid=found.pid if found is not None else None,
            version=cluster.version() or str(MAJOR),
            size_bytes=_size(cluster.data),
        )

    @property
    def _cluster(self) -> Cluster:
        return Cluster(root=self.data_dir.resolve())

    def _ensure_running(self) -> str:
        cluster = self._cluster
        found = cluster.postmaster()
        if found is not None and found.reachable() and _refusal(found, DATABASE) is None:
            cluster.trim_log()
            return _url(found, DATABASE)
        cluster.prepare()
        with cluster.starting(self.timeout_s):
            found = self._settled(cluster)
            if found is None:
                log_start = cluster.log_size()
                postmaster.start(cluster, settings=self.settings, timeout_s=self.timeout_s)
                found = self._settled(cluster)
                if found is None:
                    raise postmaster.failure(cluster, log_start)
            if _refusal(found, DATABASE) is not None:
                _create_database(found)
            return _url(found, DATABASE)

    def _stop(self) -> bool:
        cluster = self._cluster
        if not cluster.root.exists():
            return False
        with cluster.starting(self.timeout_s):
            ran = cluster.alive()
            postmaster.stop(cluster)
            return ran

    def _settled(self, cluster: Cluster) -> Postmaster | None:
        """Wait until the server answers or is gone; None when it is gone."""
        deadline = time.monotonic() + self.timeout_s
        refusal = "it has not said that it is ready"
        while cluster.alive():
            found = cluster.postmaster()
            if found is not None and found.ready:
                if not found.reachable():
                    # Somebody emptied the socket's directory, or opened it to others.
                    postmaster.stop(cluster)
                    return None
                refused = _refusal(found, DATABASE)
                if refused is None or f'"{DATABASE}" does not exist' in refused:
                    return found
                refusal = refused
            if time.monotonic() > deadline:
                raise ServerStartError(
                    f"The embedded Postgres in {cluster.root} runs, but does not answer: {refusal}."
                    f" Its last words were:\n{cluster.log_tail()}"
                )
            time.sleep(_POLL_S)
        return None


def _refusal(server: Postmaster, database: str) -> str | None:
    """Return why no connection came about, None if one did."""
    import psycopg

    try:
        psycopg.connect(_url(server, database), connect_timeout=_CONNECT_TIMEOUT_S).close()
    except psycopg.OperationalError as error:
        if "too many clients" in str(error):
            raise DatabaseUnreachableError(
                f"The embedded Postgres takes no more connections ({error}). End some processes "
                "of cortical, then try again."
            ) from error
        return str(error)
    return None


def _create_database(server: Postmaster) -> None:
    import psycopg

    from memory.database import translated

    url = _url(server, "template1")
    with translated(), psycopg.connect(url, autocommit=True) as connection:
        names = {name for (name,) in connection.execute(query("databases"))}
        if "postgres" in names:
            connection.execute(query("name_database"))
        else:
            connection.execute(query("create_database"))


def _url(server: Postmaster, database: str) -> str:
    host = quote(os.fsencode(server.socket_dir), safe="")
    return f"postgresql://{postmaster.USER}@/{database}?host={host}&port={PORT}"


def _size(folder: Path) -> int:
    """Add up the blocks of all files; one that goes away meanwhile counts nothing."""
    blocks = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                blocks += Path(place, name).lstat().st_blocks
    return blocks * 512
