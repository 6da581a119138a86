"""The embedded Postgres: its start, its sharing, and what survives which death."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from memory.database import Pool, connect, open_pool, transaction
from memory.errors import (
    DatabaseUnreachableError,
    DataDirectoryError,
    ServerMissingError,
    ServerStartError,
)
from memory.migrations import migrate
from memory.postmaster import programs
from memory.server import EmbeddedPostgres
from memory.testing import hasty_server

CLIENT = """
import asyncio, os, signal, subprocess, sys
from pathlib import Path
from memory.testing import hasty_server
server = hasty_server(Path(sys.argv[1]))
"""
START = CLIENT + "print(asyncio.run(server.ensure_running()))"
STOP = CLIENT + "print(asyncio.run(server.stop()))"


@pytest.fixture
async def server(data_dir: Path) -> AsyncIterator[EmbeddedPostgres]:
    server = hasty_server(data_dir)
    yield server
    await server.stop()


async def run(script: str, *arguments: object, prefix: tuple[str, ...] = ()) -> str:
    """Run a script in a process of its own; return what it printed."""
    process = await spawn(script, *arguments, prefix=prefix)
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert err == b""
    return out.decode().strip()


async def spawn(
    script: str, *arguments: object, prefix: tuple[str, ...] = ()
) -> asyncio.subprocess.Process:
    command = [*prefix, sys.executable, "-c", script, *map(str, arguments)]
    return await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


async def value(dsn: str, statement: str) -> object:
    async with await connect(dsn) as connection:
        cursor = await connection.execute(statement)
        row = await cursor.fetchone()
    return None if row is None else next(iter(row.values()))


async def keep_a_row(dsn: str) -> None:
    async with await connect(dsn) as connection:
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")


async def stop_amid_a_transaction(server: EmbeddedPostgres, pool: Pool) -> None:
    async with transaction(pool) as connection:
        assert await server.stop()
        await connection.execute("SELECT 1")


def socket_dir(dsn: str) -> Path:
    return Path(str(conninfo_to_dict(dsn)["host"]))


def pid_of(server: EmbeddedPostgres) -> int:
    pid = server.status().pid
    assert pid is not None
    return pid


def leftovers(folder: str) -> list[Path]:
    return list(Path(folder).parent.glob(Path(folder).name))


async def gone(pid: int) -> None:
    """Wait until a process has ended."""
    ended = asyncio.Event()
    try:
        end = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    asyncio.get_running_loop().add_reader(end, ended.set)
    await ended.wait()
    asyncio.get_running_loop().remove_reader(end)
    os.close(end)


def permitted(*command: str) -> bool:
    return shutil.which(command[0]) is not None and not subprocess.call(
        [*command, "true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


isolated = pytest.mark.skipif(
    not permitted("unshare", "-rn"), reason="user namespaces are forbidden here"
)


async def test_ten_processes_that_start_it_at_once_share_one_server(
    server: EmbeddedPostgres,
) -> None:
    answers = await asyncio.gather(*[run(START, server.data_dir) for _ in range(10)])
    assert len(set(answers)) == 1
    log = (server.data_dir / "server.log").read_text()
    assert log.count("starting PostgreSQL") == 1
    assert await value(answers[0], "SELECT current_database()") == "cortical"


async def test_it_stays_when_the_client_is_killed_in_a_transaction(
    server: EmbeddedPostgres,
) -> None:
    dsn = await server.ensure_running()
    await keep_a_row(dsn)
    client = await spawn(
        "import psycopg, sys; c = psycopg.connect(sys.argv[1]);"
        "c.execute('INSERT INTO kept VALUES (8)'); print('inserted', flush=True); input()",
        dsn,
    )
    assert client.stdout is not None
    assert await client.stdout.readline() == b"inserted\n"
    before = pid_of(server)
    client.kill()
    await client.communicate()
    assert await server.ensure_running() == dsn
    assert pid_of(server) == before
    assert await value(dsn, "SELECT array_agg(n) FROM kept") == [7]


@pytest.mark.parametrize("step", [1, 2], ids=["while the data is made", "while it starts"])
async def test_a_client_killed_in_the_first_start_leaves_nothing_broken(
    server: EmbeddedPostgres, step: int
) -> None:
    dying = CLIENT + (
        "original, count = subprocess.run, 0\n"
        "def run(*args, **kwargs):\n"
        "    global count; count += 1\n"
        f"    if count < {step}: return original(*args, **kwargs)\n"
        "    kwargs.pop('timeout'), kwargs.pop('check')\n"
        "    subprocess.Popen(*args, **kwargs)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "subprocess.run = run\n"
        "asyncio.run(server.ensure_running())"
    )
    client = await spawn(dying, server.data_dir)
    await client.communicate()
    assert client.returncode == -signal.SIGKILL
    dsn = await server.ensure_running()
    assert await value(dsn, "SELECT 1") == 1
    assert not list(server.data_dir.glob("data.new-*"))


async def test_a_killed_server_is_started_by_the_next_client_with_all_that_was_committed(
    server: EmbeddedPostgres,
) -> None:
    dsn = await server.ensure_running()
    await keep_a_row(dsn)
    os.kill(pid_of(server), signal.SIGKILL)
    assert await run(START, server.data_dir) == dsn
    assert await value(dsn, "SELECT n FROM kept") == 7


async def test_a_number_taken_over_by_another_process_does_not_hold_up_the_start(
    server: EmbeddedPostgres,
) -> None:
    dsn = await server.ensure_running()
    killed = pid_of(server)
    os.kill(killed, signal.SIGKILL)
    for path in (
        server.data_dir / "data/postmaster.pid",
        server.data_dir / "run/.s.PGSQL.5432.lock",
    ):
        path.write_text(path.read_text().replace(str(killed), str(os.getpid())))
    assert await server.ensure_running() == dsn
    assert await value(dsn, "SELECT 1") == 1


async def test_a_database_that_was_dropped_is_made_again(server: EmbeddedPostgres) -> None:
    dsn = await server.ensure_running()
    async with await connect(make_conninfo(dsn, dbname="template1")) as connection:
        await connection.execute("DROP DATABASE cortical")
    assert await server.ensure_running() == dsn
    assert await value(dsn, "SELECT current_database()") == "cortical"


async def test_no_second_server_works_on_the_same_data_where_the_lock_was_removed(
    server: EmbeddedPostgres,
) -> None:
    dsn = await server.ensure_running()
    first = pid_of(server)
    for name in ("alive.lock", "run/.s.PGSQL.5432"):
        (server.data_dir / name).unlink()
    with pytest.raises(ServerStartError, match=f"Process {first} serves .*kill -INT {first}"):
        await server.ensure_running()
    os.kill(first, signal.SIGINT)
    await gone(first)
    assert await server.ensure_running() == dsn


async def test_a_server_whose_socket_was_removed_is_started_again(
    server: EmbeddedPostgres,
) -> None:
    dsn = await server.ensure_running()
    await keep_a_row(dsn)
    shutil.rmtree(server.data_dir / "run")
    assert await server.ensure_running() == dsn
    assert await value(dsn, "SELECT n FROM kept") == 7


async def test_a_stop_in_use_breaks_off_in_words_and_the_pool_goes_on_after_the_next_start(
    server: EmbeddedPostgres,
) -> None:
    dsn = await server.ensure_running()
    await migrate(dsn)
    async with open_pool(dsn) as pool:
        with pytest.raises(DatabaseUnreachableError, match="Nothing that was reported as stored"):
            await stop_amid_a_transaction(server, pool)
        assert not server.status().running
        await server.ensure_running()
        async with pool.connection() as connection:
            cursor = await connection.execute("SELECT 1 AS one")
            assert await cursor.fetchone() == {"one": 1}


async def test_stop_says_whether_it_ran(server: EmbeddedPostgres) -> None:
    assert not await server.stop()
    await server.ensure_running()
    assert await server.stop()
    assert not await server.stop()


async def test_it_is_out_of_reach_of_the_terminal(server: EmbeddedPostgres) -> None:
    await server.ensure_running()
    assert os.getsid(pid_of(server)) != os.getsid(0)


async def test_its_socket_is_for_its_user_alone(server: EmbeddedPostgres) -> None:
    dsn = await server.ensure_running()
    assert await value(dsn, "SHOW listen_addresses") == ""
    run = server.data_dir / "run"
    assert {path.stat().st_mode & 0o077 for path in (server.data_dir, run)} == {0}
    run.chmod(0o777)
    assert await server.ensure_running() == dsn
    assert run.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("name", "here"),
    [('it\'s % a "space"', True), ("Übung 数据", True), ("one, two", False), ("l" * 200, False)],
    ids=["space", "umlaut", "comma", "200"],
)
async def test_any_path_serves(data_dir: Path, name: str, here: bool) -> None:
    server = hasty_server(data_dir / name / "postgres")
    try:
        dsn = await server.ensure_running()
        assert await value(dsn, "SELECT 1") == 1
        assert socket_dir(dsn).is_relative_to(data_dir) == here
    finally:
        await server.stop()
    assert not socket_dir(dsn).exists()


@isolated
async def test_a_server_started_outside_serves_a_client_without_network(
    server: EmbeddedPostgres,
) -> None:
    dsn = await server.ensure_running()
    before = pid_of(server)
    assert await run(START, server.data_dir, prefix=("unshare", "-rn")) == dsn
    assert pid_of(server) == before
    assert await run(STOP, server.data_dir, prefix=("unshare", "-rn")) == "True"
    assert not server.status().running


@isolated
async def test_a_server_started_without_network_serves_a_client_outside(
    server: EmbeddedPostgres,
) -> None:
    dsn = await run(START, server.data_dir, prefix=("unshare", "-rn"))
    before = pid_of(server)
    assert await server.ensure_running() == dsn
    assert pid_of(server) == before
    assert await value(dsn, "SELECT 1") == 1
    assert await server.stop()


async def test_a_start_that_fails_quotes_what_the_server_said(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir=data_dir, settings={"work_mem": "plenty", "fsync": "off"})
    with pytest.raises(ServerStartError, match='invalid value for parameter "work_mem": "plenty"'):
        await server.ensure_running()
    assert not server.status().running


async def test_status_tells_version_process_and_size(server: EmbeddedPostgres) -> None:
    before = server.status()
    assert (before.running, before.pid, before.size_bytes) == (False, None, 0)
    assert not server.data_dir.exists()
    await server.ensure_running()
    after = server.status()
    assert (after.running, after.version) == (True, "18")
    assert after.size_bytes > 20_000_000


async def test_a_log_that_has_grown_too_long_keeps_its_end(server: EmbeddedPostgres) -> None:
    await server.ensure_running()
    log = server.data_dir / "server.log"
    with log.open("a") as file:
        file.write("x\n" * 1_000_000 + "the end\n")
    await server.ensure_running()
    assert log.stat().st_size < 100_000
    assert log.read_text().endswith("the end\n")


async def test_data_of_another_version_is_refused_untouched(data_dir: Path) -> None:
    (data_dir / "data").mkdir(parents=True)
    (data_dir / "data/PG_VERSION").write_text("16\n")
    with pytest.raises(
        DataDirectoryError, match="written by PostgreSQL 16, but this program brings 18"
    ):
        await EmbeddedPostgres(data_dir=data_dir).ensure_running()
    assert [path.name for path in (data_dir / "data").iterdir()] == ["PG_VERSION"]


async def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    data_dir = tmp_path / "file"
    data_dir.touch()
    with pytest.raises(DataDirectoryError, match=f"{data_dir}.*Not a directory"):
        await EmbeddedPostgres(data_dir=data_dir / "below").ensure_running()


def test_where_the_wheel_is_absent_the_next_step_is_told() -> None:
    with pytest.raises(ServerMissingError, match=r"`no_such_wheel` is not .*Install it, or"):
        programs("no_such_wheel")


async def test_servers_of_tests_that_were_killed_are_stopped_and_removed() -> None:
    tests = await spawn(
        "import asyncio, sys\n"
        "from memory.testing import hasty_server, server_folder\n"
        "with server_folder() as folder:\n"
        "    server = hasty_server(folder / 'a')\n"
        "    asyncio.run(server.ensure_running())\n"
        "    print(folder, server.status().pid, flush=True)\n"
        "    input()"
    )
    assert tests.stdout is not None
    folder, pid = (await tests.stdout.readline()).split()
    tests.kill()
    await gone(int(pid))
    # The guard holds the other end of the output until it has removed the folder.
    await tests.communicate()
    assert not leftovers(folder.decode())
