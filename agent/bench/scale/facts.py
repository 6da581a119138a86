"""What the figures depend on, and what the store takes on the disk."""

import os
from typing import Any

from memory.database import Pool
from memory.sizing import usable_cores, usable_memory

_SETTINGS = (
    "server_version", "shared_buffers", "work_mem", "maintenance_work_mem",
    "max_parallel_maintenance_workers", "max_wal_size", "effective_cache_size",
    "hnsw.ef_search", "hnsw.iterative_scan", "synchronous_commit", "fsync",
)  # fmt: skip


async def sizes(pool: Pool) -> dict[str, Any]:
    """Return the bytes of the database, and of each large table or index in it."""
    statement = """
        SELECT relname, pg_relation_size(oid)::bigint AS bytes FROM pg_class
        WHERE relkind IN ('r', 'i', 't') AND relnamespace = 'public'::regnamespace
        ORDER BY bytes DESC LIMIT 14"""
    async with pool.connection() as connection:
        rows = await (await connection.execute(statement)).fetchall()
        whole = await (
            await connection.execute("SELECT pg_database_size(current_database()) AS bytes")
        ).fetchall()
    relations = {row["relname"]: row["bytes"] for row in rows}
    return {"database": whole[0]["bytes"], "relations": relations}


async def machine(pool: Pool) -> dict[str, Any]:
    """Return what the figures depend on: the settings of the server, and this machine."""
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT name, current_setting(name, true) AS value FROM unnest(%s::text[]) AS name",
            [list(_SETTINGS)],
        )
        settings = {row["name"]: row["value"] for row in await cursor.fetchall()}
    return {
        "cores": usable_cores(),
        "memory_bytes": usable_memory(),
        "load_average": round(os.getloadavg()[0], 1),
        "server": settings,
    }
