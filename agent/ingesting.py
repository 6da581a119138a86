"""Ingestion, told as plain values."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent import assembly
from agent.errors import UsageError
from agent.recorder import Watch
from agent.settings import Settings
from tools.ingest_report import Failure, IngestProgress


async def ingest(settings: Settings, paths: Sequence[Path], *, watch: Watch) -> dict[str, Any]:
    """Bring files and folders into the collection and make them findable by meaning."""
    for path in paths:
        if not path.exists():
            raise UsageError(f"There is no file or folder {str(path)!r}. Is the path right?")

    def told(progress: IngestProgress) -> None:
        facts = {"done": progress.done, "total": progress.total, "name": progress.name}
        watch({"event": "ingesting", **facts})

    began = time.monotonic()
    async with assembly.memory(settings) as memory:
        report = await memory.ingestion.ingest(
            paths, collection=settings.collection, on_progress=told
        )
        embedded = await memory.store.embed_missing(
            memory.embedder,
            on_progress=lambda done, total: watch(
                {"event": "embedding", "done": done, "total": total}
            ),
        )
    return {
        "collection": settings.collection,
        "read": report.read,
        "unchanged": report.unchanged,
        "vanished": report.vanished,
        "chunks": report.chunks,
        "embedded": embedded,
        "seconds": time.monotonic() - began,
        "failed": [_told(failure) for failure in report.failed],
        "flawed": [_told(failure) for failure in report.flawed],
    }


def _told(failure: Failure) -> dict[str, str]:
    return {"uri": failure.uri, "reason": failure.reason}
