"""An ingestion that is killed, cut off from its database or without room loses nothing."""

import asyncio
import os
import random
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.clock import SystemClock
from memory.database import connect, open_pool
from memory.errors import DatabaseUnreachableError
from memory.migrations import migrate
from memory.store import DocumentStore
from memory.testing import cloned_database, hasty_server
from tools.ingest import Ingestion
from tools.ingest_report import IngestProgress, Outcome
from tools.reading.testing import PlainReader

CHILD = """
import asyncio, sys
from pathlib import Path
from agent.clock import SystemClock
from memory.database import open_pool
from memory.store import DocumentStore
from memory.testing import HashingEmbedder
from tools.content import detect
from tools.ingest import Ingestion
from tools.ingestion.embedding import Embedding
from tools.reading.reader import ContentReader
from tools.reading.testing import perception

async def main():
    detect(b"loads what tells types")
    async with open_pool(sys.argv[1]) as pool:
        store = DocumentStore(pool)
        embedding = Embedding(store, HashingEmbedder(), lambda done, total: None)
        ingestion = Ingestion(store, ContentReader(perception()), clock=SystemClock())
        task = asyncio.create_task(embedding.run())
        print("begun", flush=True)
        await ingestion.ingest(
            [Path(sys.argv[2])], collection="home", on_progress=lambda _: embedding.wake()
        )
        embedding.close()
        await task

asyncio.run(main())
"""

SNAPSHOTS = {
    "documents": """SELECT uri, title, kind, media_type, content_hash, reader, language,
        configuration, modified_at, flaws FROM documents ORDER BY uri""",
    "chunks": """SELECT uri, ordinal, text, context, content_key, place, spans
        FROM chunks JOIN documents USING (document_id) ORDER BY uri, ordinal""",
    "lexical": """SELECT uri, ordinal, text_key, (
            SELECT array_agg(lexeme || ' ' || split_part(entry, ':', 2) ORDER BY lexeme)
            FROM string_to_table(trim('{}' FROM split_part(weights::text, '/', 1)), ',') AS entry
            JOIN terms ON entry <> '' AND term_id = split_part(entry, ':', 1)::int) AS weights,
            cardinality(terms_of(lexical.weights)) AS terms
        FROM lexical JOIN chunks USING (chunk_id) JOIN documents ON documents.document_id =
            chunks.document_id ORDER BY uri, ordinal""",
    "terms": "SELECT configuration, lexeme, df FROM terms ORDER BY 1, 2",
    "lexicon": "SELECT configuration, chunks FROM lexicon ORDER BY 1",
    "files": "SELECT uri, digest, reader, reason, many FROM files ORDER BY uri",
    "vectors": """SELECT uri, ordinal, embedding::text FROM vectors_1
        JOIN chunks USING (chunk_id) JOIN documents ON documents.document_id = chunks.document_id
        ORDER BY uri, ordinal""",
}


async def snapshot(dsn: str) -> dict[str, list[Any]]:
    """All that ingestion leaves, ids aside."""
    async with await connect(dsn) as connection:
        return {
            name: await (await connection.execute(text.encode())).fetchall()
            for name, text in SNAPSHOTS.items()
        }


def start(dsn: str, folder: Path) -> subprocess.Popen[str]:
    """Begin an ingestion in a process of its own; return when it has begun."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, dsn, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def run_through(dsn: str, folder: Path) -> float:
    """Ingest to the end; return the seconds that it took."""
    began = time.monotonic()
    with start(dsn, folder) as process:
        assert process.wait() == 0
    return time.monotonic() - began


def kill_again_and_again(dsn: str, folder: Path, seconds: float, kills: int) -> int:
    """Begin ingestions and kill each at a random moment; return how many were under way."""
    chance = random.Random(3)
    under_way = 0
    for _ in range(kills):
        with start(dsn, folder) as process:
            time.sleep(chance.uniform(0, seconds / 6))
            under_way += process.poll() is None
            process.kill()
    return under_way


def small_corpus(folder: Path, *, texts: int = 300) -> Path:
    """Files of several kinds, some of them bad, some the same."""
    chance = random.Random(5)
    words = "pump valve pressure bar filter water starts stops below above motor oil".split()
    for number in range(texts):
        path = folder / f"{number % 7}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [" ".join(chance.choices(words, k=12)) for _ in range(chance.randrange(1, 40))]
        path.write_text(f"# Note {number}\n\n" + ".\n".join(lines))
    (folder / "empty").touch()
    (folder / "noise.bin").write_bytes(bytes(range(256)) * 9)
    shutil.copy(folder / "3" / "3.txt", folder / "copy.txt")
    return folder


async def killed_and_whole(server_dsn: str, folder: Path, kills: int) -> None:
    async with cloned_database(server_dsn) as dsn, cloned_database(server_dsn) as other:
        seconds = await asyncio.to_thread(run_through, dsn, folder)
        under_way = await asyncio.to_thread(kill_again_and_again, other, folder, seconds, kills)
        assert under_way >= kills / 2
        await asyncio.to_thread(run_through, other, folder)
        expected, found = await snapshot(dsn), await snapshot(other)
    assert expected["documents"]
    assert len(expected["vectors"]) == len(expected["chunks"])
    for name, rows in expected.items():
        assert found[name] == rows, name


async def test_kills_at_random_moments_leave_the_rows_of_an_undisturbed_ingestion(
    server_dsn: str, tmp_path: Path, amount: Callable[[int, int], int]
) -> None:
    corpus = small_corpus(tmp_path / "corpus", texts=amount(150, 300))
    await killed_and_whole(server_dsn, corpus, amount(4, 40))


MAIL = Path(__file__).parents[3] / "shared" / "data" / "mail" / "spamassassin"


@pytest.mark.shared
@pytest.mark.skipif(
    not MAIL.is_dir() or "CORTICAL_TEST_SOAK" not in os.environ,
    reason="no mail beside the checkout, or CORTICAL_TEST_SOAK is not set: it takes minutes",
)
async def test_kills_leave_the_rows_of_an_undisturbed_ingestion_of_real_mail(
    server_dsn: str, tmp_path: Path, amount: Callable[[int, int], int]
) -> None:
    for archive in MAIL.glob("*.tar.xz"):
        with tarfile.open(archive) as messages:
            messages.extractall(tmp_path / "mail", filter="data")
    await killed_and_whole(server_dsn, tmp_path / "mail", amount(0, 10))


async def test_connections_that_are_cut_again_and_again_cost_nothing(
    dsn: str, tmp_path: Path
) -> None:
    folder = small_corpus(tmp_path / "corpus")

    cuts: list[asyncio.Task[int]] = []

    async def cut() -> int:
        async with await connect(dsn) as connection:
            cursor = await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return cursor.rowcount

    def now_and_then(progress: IngestProgress) -> None:
        if progress.done % 50 == 0:
            cuts.append(asyncio.create_task(cut()))

    async with open_pool(dsn, max_size=5) as pool:
        store = DocumentStore(pool)
        ingestion = Ingestion(store, PlainReader(), clock=SystemClock(), together=5)
        report = await ingestion.ingest([folder], collection="home", on_progress=now_and_then)
        assert sum([await one for one in cuts]) >= 5
        assert report.failed == ()
        assert len(await store.documents("home")) == 302


async def test_a_server_that_is_restarted_is_waited_for(data_dir: Path, tmp_path: Path) -> None:
    server = hasty_server(data_dir)
    dsn = await server.ensure_running()
    await migrate(dsn)
    folder = small_corpus(tmp_path / "corpus")
    restarted: list[asyncio.Task[None]] = []

    async def restart() -> None:
        await server.stop()
        assert await server.ensure_running() == dsn

    def midway(progress: IngestProgress) -> None:
        if progress.done == 100:
            restarted.append(asyncio.create_task(restart()))

    async with open_pool(dsn, max_size=5) as pool:
        store = DocumentStore(pool)
        ingestion = Ingestion(store, PlainReader(), clock=SystemClock(), together=5)
        report = await ingestion.ingest([folder], collection="home", on_progress=midway)
        await restarted[0]
        assert report.failed == ()
        assert len(await store.documents("home")) == 302


async def test_a_server_that_stays_away_is_an_error_and_what_was_told_is_stored(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memory.patience.patiently.__kwdefaults__", {"patience_s": 1.0})
    server = hasty_server(data_dir)
    dsn = await server.ensure_running()
    await migrate(dsn)
    folder = small_corpus(tmp_path / "corpus")
    told: set[str] = set()
    stopped: list[asyncio.Task[bool]] = []

    def midway(progress: IngestProgress) -> None:
        if progress.outcome is Outcome.READ:
            told.add(progress.uri)
        if progress.done == 100:
            stopped.append(asyncio.create_task(server.stop()))

    async with open_pool(dsn, max_size=5, timeout_s=2.0) as pool:
        ingestion = Ingestion(DocumentStore(pool), PlainReader(), clock=SystemClock(), together=5)
        with pytest.raises(
            DatabaseUnreachableError, match=r"Nothing that was reported|Is the serv"
        ):
            await ingestion.ingest([folder], collection="home", on_progress=midway)
        await stopped[0]
    dsn = await server.ensure_running()
    async with open_pool(dsn, max_size=5) as pool:
        store = DocumentStore(pool)
        assert told <= {document.uri for document in await store.documents("home")}
        ingestion = Ingestion(store, PlainReader(), clock=SystemClock())
        report = await ingestion.ingest([folder], collection="home")
        assert len(await store.documents("home")) == 302
        assert report.read <= 302 - len(told)


FULL = """
import asyncio, ctypes, shutil, sys
from pathlib import Path
from agent.clock import SystemClock
from memory.database import open_pool
from memory.errors import DatabaseUnreachableError, DiskFullError
from memory.migrations import migrate
from memory.store import DocumentStore
from memory.patience import patiently
from memory.testing import hasty_server
from tools.ingest import Ingestion
from tools.reading.testing import PlainReader

patiently.__kwdefaults__["patience_s"] = 1.0
disk, folder = Path(sys.argv[1]), Path(sys.argv[2])
disk.mkdir()
assert not ctypes.CDLL(None).mount(b"tmpfs", bytes(disk), b"tmpfs", 0, b"size=300m")

async def ingest(dsn):
    async with open_pool(dsn) as pool:
        store = DocumentStore(pool)
        ingestion = Ingestion(store, PlainReader(), clock=SystemClock())
        try:
            report = await ingestion.ingest([folder], collection="home")
            print("read", report.read, "unchanged", report.unchanged)
        except (DiskFullError, DatabaseUnreachableError) as error:
            print(type(error).__name__, error)
        else:
            print(len(await store.documents("home")))

async def main():
    server = hasty_server(disk / "postgres")
    try:
        await migrate(await server.ensure_running())
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as file:
            file.write(bytes(max(0, shutil.disk_usage(disk).free - 10_000_000)))
        await ingest(await server.ensure_running())
        ballast.unlink()
        await ingest(await server.ensure_running())
    finally:
        await server.stop()

asyncio.run(main())
"""
PREFIX = ("unshare", "-rm")


@pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.call([*PREFIX, "true"]) != 0,
    reason="a disk of one's own cannot be mounted here",
)
def test_a_disk_that_fills_up_is_said_and_the_next_ingestion_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    chance = random.Random(7)
    for number in range(70):
        words = (f"{chance.getrandbits(60):x}" for _ in range(2_000))
        (folder / f"{number}.txt").write_text("\n".join(words))
    done = subprocess.run(
        [*PREFIX, sys.executable, "-c", FULL, str(tmp_path / "disk"), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said, counts, documents = done.stdout.splitlines()
    assert said.split()[0] in {"DiskFullError", "DatabaseUnreachableError"}
    read, unchanged = int(counts.split()[1]), int(counts.split()[3])
    assert read + unchanged == 70
    assert documents == "70"
