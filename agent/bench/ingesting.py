"""How fast files come into memory: read and stored, embedded, and looked at again unchanged.

Without a folder, one of its own making: mail, notes and pages with words as common as in prose.
"""

import asyncio
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent import assembly
from agent.bench.process import peak_bytes
from agent.errors import AgentError, UsageError
from agent.recorder import Watch
from agent.settings import Settings
from memory.sizing import usable_cores
from tools.ingest_report import IngestProgress, IngestReport

FILES = 1_000
"""In a folder of our own making."""
_WORDS = 4_000
_AGAIN = "from agent.cli import main; main()"


async def measure(settings: Settings, folder: Path | None, *, watch: Watch) -> dict[str, Any]:
    """Ingest a folder into a collection of its own, embed it, look at it again, forget it."""
    with _material(folder) as material:
        collection = f"bench:{uuid.uuid4()}"
        async with assembly.memory(settings) as memory:
            try:
                report = await memory.ingestion.ingest(
                    [material], collection=collection, on_progress=_told(watch)
                )
                if not report.chunks:
                    raise AgentError(
                        f"The benchmark is void: nothing in {str(material)!r} could be read."
                    )
                began = time.monotonic()
                embedded = await memory.store.embed_missing(
                    memory.embedder,
                    on_progress=lambda done, total: watch(
                        {"event": "embedding", "done": done, "total": total}
                    ),
                )
                embedding_s = time.monotonic() - began
                again_s = await asyncio.to_thread(_again, material, collection)
            finally:
                for source in (await memory.store.sources(collection)).values():
                    await memory.store.forget(source)
            model = memory.embedder.model
    return {
        "machine": _machine(),
        "folder": "made for this" if folder is None else str(folder),
        **_figures(report),
        "embedder": model,
        "embedded": embedded,
        "embedded/s": embedded / embedding_s,
        "again_s": again_s,
        "peak_mb": peak_bytes() / 2**20,
    }


def _told(watch: Watch) -> Any:
    def told(progress: IngestProgress) -> None:
        watch(
            {
                "event": "ingesting",
                "done": progress.done,
                "total": progress.total,
                "name": progress.name,
                "files_s": progress.files_s,
                "left_s": progress.left_s,
            }
        )

    return told


def _figures(report: IngestReport) -> dict[str, Any]:
    return {
        "files": report.read,
        "documents": report.documents,
        "chunks": report.chunks,
        "failed": len(report.failed),
        "seconds": report.seconds,
        "files/s": report.read / report.seconds,
        "chunks/s": report.chunks / report.seconds,
        "mb/s": report.bytes_read / 1e6 / report.seconds,
    }


def _again(folder: Path, collection: str) -> float:
    """Return the seconds of a whole process that finds the folder unchanged."""
    words = ["ingest", str(folder), "--collection", collection, "--json"]
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603 - this very program
        [sys.executable, "-c", _AGAIN, *words], capture_output=True, text=True, check=False
    )
    # Files that cannot be read make it end with 1, as they should.
    if done.returncode > 1:
        raise AgentError(f"The second pass failed: {done.stderr.strip().rpartition(chr(10))[2]}")
    return time.monotonic() - began


def _machine() -> str:
    return f"{platform.machine()}, {usable_cores()} of {os.cpu_count()} cores, {platform.system()}"


@contextmanager
def _material(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        if not folder.exists():
            raise UsageError(f"There is no folder {str(folder)!r}. Is the path right?")
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="cortical-bench-") as name:
        _make(Path(name), random.Random(1))  # noqa: S311 - words, not secrets
        yield Path(name)


def _make(root: Path, chance: random.Random) -> None:
    """Write mail, notes and pages whose words are as unevenly common as those of prose."""
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    words = ["".join(chance.choices(letters, k=chance.randrange(2, 11))) for _ in range(_WORDS)]
    weights = [1 / rank for rank in range(1, _WORDS + 1)]

    def prose(count: int) -> str:
        said = chance.choices(words, weights, k=count)
        return " ".join(f"{word}." if place % 12 == 11 else word for place, word in enumerate(said))

    for number in range(FILES):
        path = root / f"{number // 100:02}" / f"{number:05}"
        path.parent.mkdir(exist_ok=True)
        body = "\n\n".join(prose(chance.randrange(20, 120)) for _ in range(chance.randrange(1, 5)))
        match number % 3:
            case 0:
                head = f"From: a@x.org\nTo: b@x.org\nSubject: {prose(4)}\nMessage-ID: <{number}@x>"
                path.with_suffix(".eml").write_text(f"{head}\n\n{body}\n")
            case 1:
                path.with_suffix(".md").write_text(f"# {prose(4)}\n\n{body}\n")
            case _:
                path.with_suffix(".txt").write_text(f"{body}\n")


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Write the figures."""
    yield f"machine: {report['machine']}; folder: {report['folder']}"
    yield (
        f"{report['files']} files, {report['documents']} documents, {report['chunks']} passages, "
        f"{report['failed']} not read, in {report['seconds']:.1f} s"
    )
    yield (
        f"read and stored: {report['files/s']:.0f} files/s, {report['chunks/s']:.0f} passages/s, "
        f"{report['mb/s']:.2f} MB/s"
    )
    yield f"embedded by {report['embedder']}: {report['embedded/s']:.0f} passages/s"
    yield f"unchanged, as a whole process: {report['again_s']:.2f} s"
    yield f"most memory of this process: {report['peak_mb']:.0f} MB"
