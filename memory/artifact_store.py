"""The table of bodies that graph state only refers to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from memory.artifacts import Artifact
from memory.characters import storable_json
from memory.database import Pool, translated
from memory.labels import Label
from memory.queries import query


class ArtifactStore:
    """Keeps each body once, under an id that the caller gives."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def put(self, artifact: Artifact, *, thread_id: str, run_id: str, now: datetime) -> None:
        """Store it; a known id changes nothing, so that a node may run again."""
        with translated():
            async with self._pool.connection() as connection:
                await connection.execute(
                    query("put_artifact"),
                    {
                        "artifact_id": artifact.id,
                        "thread_id": thread_id,
                        "run_id": run_id,
                        "kind": artifact.kind,
                        "body": Jsonb(storable_json(artifact.body)),
                        "origins": sorted(artifact.label.origins),
                        "audience": sorted(artifact.label.audience),
                        "now": now,
                    },
                )

    async def get(self, ids: Sequence[str]) -> dict[str, Artifact]:
        """Return those that are known, by id."""
        if not ids:
            return {}
        with translated():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(query("get_artifacts"), {"ids": list(ids)})
                rows = await cursor.fetchall()
        return {artifact.id: artifact for artifact in map(_artifact, rows)}

    async def referred(self, reference: str, *, thread_id: str) -> list[Artifact]:
        """Return those of a thread whose ids begin with a reference: two at most."""
        asked = {"reference": reference, "thread_id": thread_id}
        with translated():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(query("get_referred_artifacts"), asked)
                return [_artifact(row) for row in await cursor.fetchall()]


def _artifact(row: Mapping[str, Any]) -> Artifact:
    return Artifact(
        id=str(row["artifact_id"]),
        kind=row["kind"],
        body=row["body"],
        label=Label.from_json(dict(row)),
    )
