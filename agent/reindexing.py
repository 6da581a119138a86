"""The change of the embedding model, told as plain values."""

import time
from dataclasses import asdict
from typing import Any

from agent import assembly
from agent.recorder import Watch
from agent.settings import Settings
from tools.ingestion.pace import Pace


async def reindex(
    settings: Settings, *, choice: str | None, keep: bool, watch: Watch
) -> dict[str, Any]:
    """Go over to the model that the flag or the setting names, while the old one serves."""
    from memory.reindexing import reindex as work

    began = time.monotonic()
    pace: Pace | None = None

    def told(done: int, total: int) -> None:
        nonlocal pace
        now_s = time.monotonic()
        pace = pace or Pace(total, now_s=began)
        pace.total = total
        pace.advance(done - pace.done, now_s=now_s)
        watch(
            {
                "event": "embedding",
                "done": done,
                "total": total,
                "passages_s": pace.rate(now_s=now_s),
                "left_s": pace.left_s(now_s=now_s),
            }
        )

    async with assembly.database(settings) as pool:
        embedder = await assembly.chosen_embedder(settings, choice or settings.embedder)
        done = await work(pool, embedder, keep=keep, on_progress=told)
    return asdict(done) | {"seconds": time.monotonic() - began}
