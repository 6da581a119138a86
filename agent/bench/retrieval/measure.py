"""Fill memory with judged documents, ask all questions, and say how well it ranked."""

import asyncio
import hashlib
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent import assembly
from agent.bench import place
from agent.bench.retrieval import beir, crossfit, peers, report
from agent.bench.retrieval.beir import Judged
from agent.bench.retrieval.legs import Asked, asked_of
from agent.recorder import Watch
from agent.settings import DatabaseSettings, Settings
from memory.store import DocumentStore
from tools.papers import document_of
from tools.reading.base import FileReader

DATABASE = "cortical_bench_retrieval"
K = 10
_BATCH = 200
_EMBED_BATCH = 64


async def measure(
    settings: Settings, folders: Sequence[Path], *, watch: Watch, peer: Path | None
) -> dict[str, Any]:
    """Measure one folder, or several and their mean. Raises UsageError for an unfit folder."""
    sets = [await asyncio.to_thread(beir.load, folder) for folder in folders]
    runs = [await _asked(settings, judged, watch) for judged in sets]
    gains = [judged.gains for judged in sets]
    weights = {"cross_fitted": crossfit.of_other_questions(runs, gains)}
    if len(sets) > 1:
        weights["of_other_folders"] = crossfit.of_other_folders(runs, gains)
    reports = []
    for number, (judged, run) in enumerate(zip(sets, runs, strict=True)):
        chosen = {name: of_runs[number] for name, of_runs in weights.items()}
        rankings = await peers.rankings(judged, peer, watch) if peer is not None else {}
        reports.append(report.of(judged, run, rankings, chosen))
    if len(reports) == 1:
        return reports[0]
    return {"sets": reports, "mean": report.mean(reports)}


async def _asked(settings: Settings, judged: Judged, watch: Watch) -> list[Asked]:
    """Ingest a folder into a database of its own and ask all its questions."""
    server = await assembly.database_url(settings)
    async with (
        place.lent(server, DATABASE) as url,
        assembly.memory(
            settings.model_copy(update={"database": DatabaseSettings(url=url)})
        ) as memory,
    ):
        source_id = await memory.store.source("bench", judged.name)
        await fill(memory.store, memory.reader, judged.documents, source_id, watch)
        await memory.store.embed_missing(
            memory.embedder,
            batch=_EMBED_BATCH,
            on_progress=lambda done, total: watch(
                {"event": "embedding", "done": done, "total": total}
            ),
        )
        searcher = memory.searcher
        await searcher.search(judged.questions[0][1], k=K)  # loads the model
        asked = []
        for key, text in judged.questions:
            watch({"event": "asking", "text": text})
            began = time.perf_counter()
            hits = await searcher.search(text, k=K, per_document=1)
            elapsed = time.perf_counter() - began
            asked.append(asked_of(key, hits, await searcher.candidates(text), elapsed))
        return asked


async def fill(
    store: DocumentStore,
    reader: FileReader,
    documents: Sequence[tuple[str, str, str]],
    source_id: int,
    watch: Watch,
) -> None:
    """Read each document (id, title, text) as a file of its own would be, and store it."""
    held = []
    for number, (key, title, text) in enumerate(documents, start=1):
        if not (text or title).strip():
            continue
        data = (text or title).encode("utf-8", "replace")
        reading = replace(await reader.read(data, title or key), title=title)
        document = document_of(
            reading,
            uri=key,
            digest=hashlib.sha256(data).digest(),
            modified_at=datetime.fromtimestamp(0, UTC),
        )
        held.append(document)
        if len(held) == _BATCH or number == len(documents):
            await store.put_many(source_id, held)
            held = []
            facts = {"done": number, "total": len(documents), "name": title or key}
            watch({"event": "ingesting", **facts})
    if held:
        await store.put_many(source_id, held)
