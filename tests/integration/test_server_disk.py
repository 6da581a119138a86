"""The embedded Postgres on a disk that is full."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DISK = """
import asyncio, ctypes, os, sys
from pathlib import Path

from memory.database import connect, transaction, open_pool, translated
from memory.errors import DatabaseUnreachableError, DiskFullError
from memory.migrations import migrate
from memory.server import EmbeddedPostgres
from memory.testing import hasty_server

disk = Path(sys.argv[1])

def mount(size):
    disk.mkdir(exist_ok=True)
    failed = ctypes.CDLL(None).mount(b"tmpfs", bytes(disk), b"tmpfs", 0, f"size={size}".encode())
    assert not failed

async def expect_full(awaitable):
    try:
        await awaitable
    except (DiskFullError, DatabaseUnreachableError) as error:
        print(type(error).__name__, error)
    else:
        raise AssertionError("the disk was not full")
"""

NO_ROOM_TO_BEGIN = (
    DISK
    + """
mount("8m")
asyncio.run(expect_full(EmbeddedPostgres(data_dir=disk / "postgres").ensure_running()))
print(sorted(path.name for path in (disk / "postgres").iterdir()))
"""
)

FULL_IN_USE = (
    DISK
    + """
ROWS = "SELECT n, repeat(md5(n::text), 100) FROM generate_series(1, 5000) n"
TABLE = "INSERT INTO passing " + ROWS
LOG = "SELECT pg_logical_emit_message(true, 'filler', repeat('x', 1000000))"

async def fill(dsn, statement):
    async with open_pool(dsn) as pool:
        while True:
            async with transaction(pool) as connection:
                await connection.execute(statement)

async def begin(server):
    dsn = await server.ensure_running()
    await migrate(dsn)
    async with await connect(dsn) as connection:
        await connection.execute("CREATE TABLE kept (n, words) AS " + ROWS)
        await connection.execute("CREATE UNLOGGED TABLE passing (n int, words text)")
        await connection.execute("ALTER TABLE passing ALTER words SET STORAGE EXTERNAL")
    return dsn

async def count(dsn):
    async with await connect(dsn) as connection:
        cursor = await connection.execute("SELECT count(words) AS n FROM kept")
        print(await cursor.fetchone())

async def main(statement):
    server = hasty_server(disk / "postgres")
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(20_000_000))
    dsn = await begin(server)
    try:
        await expect_full(fill(dsn, statement))
        ballast.unlink()
        await count(await server.ensure_running())
    finally:
        await server.stop()
"""
)

TABLE_FULL = (
    FULL_IN_USE
    + """
mount("140m")
asyncio.run(main(TABLE))
"""
)

LOG_FULL = (
    FULL_IN_USE
    + """
mount("140m")
asyncio.run(main(LOG))
"""
)

FULL_AT_START = (
    DISK
    + """
async def main():
    server = hasty_server(disk / "postgres")
    dsn = await server.ensure_running()
    async with await connect(dsn) as connection:
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    await server.stop()
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)): pass
        except OSError: pass
    await expect_full(server.ensure_running())
    ballast.unlink()
    try:
        async with await connect(await server.ensure_running()) as connection:
            print(await (await connection.execute("SELECT n FROM kept")).fetchone())
    finally:
        await server.stop()

mount("120m")
asyncio.run(main())
"""
)

FULL_IN_A_LOAD = (
    DISK
    + """
from memory import loading
from memory.arrivals import Arrival
from memory.store import DocumentStore
from memory.testing import text_document

loading.BATCH, loading._BLOCK = 300, 100
WHOLE = (
    "SELECT (SELECT count(*) FROM chunks) AS chunks, (SELECT count(*) FROM lexical) AS lexical, "
    "(SELECT sum(chunks)::int FROM lexicon) AS counted, "
    "(SELECT max(df) FROM terms WHERE lexeme = 'pump') AS pumps"
)

def documents(count, size):
    for number in range(count):
        words = " ".join(f"n{number}x{place}" for place in range(size))
        yield text_document(f"{number:05}", *(f"pump {words} p{line}" for line in range(10)))

async def load(pool, count, size):
    source = await DocumentStore(pool).source("shelf", "/")
    coming = (Arrival(source_id=source, document=one) for one in documents(count, size))
    await loading.load(pool, coming, expected=10 * count)

async def state(pool):
    async with transaction(pool) as connection:
        return (await (await connection.execute(WHOLE)).fetchall())[0]

async def main():
    server = hasty_server(disk / "postgres")
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(50_000_000))
    dsn = await server.ensure_running()
    await migrate(dsn)
    try:
        async with open_pool(dsn) as pool:
            await expect_full(load(pool, 5_000, 300))
        ballast.unlink()
        async with open_pool(await server.ensure_running()) as pool:
            print(await state(pool))
            await load(pool, 60, 300)
            print(await state(pool))
    finally:
        await server.stop()

mount("180m")
asyncio.run(main())
"""
)

PREFIX = ("unshare", "-rm")

pytestmark = pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.call([*PREFIX, "true"]) != 0,
    reason="a disk of one's own cannot be mounted here",
)


def run(script: str, disk: Path) -> list[str]:
    command = [*PREFIX, sys.executable, "-c", script, str(disk)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_no_room_to_begin_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    said, left = run(NO_ROOM_TO_BEGIN, tmp_path / "disk")
    assert said.startswith("DiskFullError")
    assert "Free some space" in said
    assert "data" not in left


def test_a_disk_that_fills_up_in_use_undoes_the_step_and_keeps_the_rest(tmp_path: Path) -> None:
    said, kept = run(TABLE_FULL, tmp_path / "disk")
    assert said.startswith("DiskFullError The disk of the database is full")
    assert "What was stored before is whole" in said
    assert kept == "{'n': 5000}"


def test_a_disk_that_has_no_room_for_the_write_ahead_log_ends_the_server_and_loses_nothing(
    tmp_path: Path,
) -> None:
    said, kept = run(LOG_FULL, tmp_path / "disk")
    # A process of the server that is nobody's may be the first to find the log full.
    assert said.split()[0] in {"DiskFullError", "DatabaseUnreachableError"}
    assert kept == "{'n': 5000}"


def test_a_disk_that_is_full_at_the_start_is_said_and_all_is_there_once_it_has_room(
    tmp_path: Path,
) -> None:
    said, kept = run(FULL_AT_START, tmp_path / "disk")
    assert said.startswith("DiskFullError The embedded Postgres cannot start")
    assert kept == "{'n': 7}"


def test_a_disk_that_fills_up_in_a_load_leaves_whole_batches_and_the_load_goes_on(
    tmp_path: Path,
) -> None:
    said, held, after = run(FULL_IN_A_LOAD, tmp_path / "disk")
    assert said.split()[0] in {"DiskFullError", "DatabaseUnreachableError"}
    before, later = (ast.literal_eval(state) for state in (held, after))
    for state in (before, later):
        assert set(state.values()) == {state["chunks"]}
    assert before["chunks"] % 300 == 0
    assert later["chunks"] >= max(600, before["chunks"])
