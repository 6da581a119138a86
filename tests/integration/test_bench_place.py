"""Databases of benchmarks: each run has its own, and clears what dead ones left."""

from contextlib import AsyncExitStack

import pytest
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from agent.bench.place import lent
from agent.errors import UsageError
from memory.database import connect

NAME = "cortical_bench_test"


async def there(server: str) -> set[str]:
    """Return the databases of this benchmark."""
    async with await connect(server) as connection:
        found = await connection.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [NAME]
        )
        return {row["datname"] for row in await found.fetchall()}


def name_of(url: str) -> str:
    return str(conninfo_to_dict(url)["dbname"])


async def test_two_runs_at_once_have_a_database_each_and_leave_none(server_dsn: str) -> None:
    async with lent(server_dsn, NAME) as first:
        async with lent(server_dsn, NAME) as second:
            assert name_of(first) != name_of(second)
            assert await there(server_dsn) == {name_of(first), name_of(second)}
        async with await connect(first) as connection:
            await connection.execute("SELECT count(*) FROM documents")
    assert await there(server_dsn) == set()


async def test_what_a_dead_run_left_is_cleared_and_what_is_like_it_stands(server_dsn: str) -> None:
    """A run that lives is connected; what has another name is none of ours."""
    left, strange = f"{NAME}_0123456789ab", f"{NAME}_0123456789abc"
    async with await connect(server_dsn) as connection:
        for name in (left, strange):
            await connection.execute(f"CREATE DATABASE {name}")
        async with lent(server_dsn, NAME) as own:
            assert await there(server_dsn) == {strange, name_of(own)}
        await connection.execute(f"DROP DATABASE {strange}")


async def test_one_that_is_kept_has_one_run_at_a_time_and_is_gone_on_with(server_dsn: str) -> None:
    async with lent(server_dsn, NAME, keep=True) as kept:
        assert name_of(kept) == NAME
        async with await connect(kept) as connection:
            await connection.execute("CREATE TABLE mine ()")
        for wish in ({"keep": True}, {"reuse": True}, {"keep": True, "reuse": True}):
            async with AsyncExitStack() as stack:
                with pytest.raises(UsageError, match="in use"):
                    await stack.enter_async_context(lent(server_dsn, NAME, **wish))
        async with lent(server_dsn, NAME) as beside:
            assert name_of(beside) != NAME
    assert await there(server_dsn) == {NAME}
    async with lent(server_dsn, NAME, keep=True, reuse=True) as again, await connect(again) as one:
        await one.execute("SELECT FROM mine")
    async with lent(server_dsn, NAME, keep=True) as anew, await connect(anew) as one:
        with pytest.raises(errors.UndefinedTable):
            await one.execute("SELECT FROM mine")
    async with lent(server_dsn, NAME, reuse=True):
        pass
    assert await there(server_dsn) == set()
