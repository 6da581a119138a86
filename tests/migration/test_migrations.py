"""Old databases and new ones get the same tables, once."""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo

from memory.database import Connection, connect
from memory.errors import DatabaseAccessError, SchemaError
from memory.migrations import Migration, apply, migrate, migration_lock, migrations, prepare, status
from memory.postmaster import programs
from memory.testing import cloned_database


@pytest.fixture
async def empty_dsn(server_dsn: str) -> AsyncIterator[str]:
    async with cloned_database(server_dsn, template="template1") as dsn:
        yield dsn


@pytest.fixture
async def old_dsn(server_dsn: str) -> AsyncIterator[str]:
    """A database that has had every migration one after the other."""
    async with cloned_database(server_dsn, template="template1") as dsn:
        async with await connect(dsn) as connection:
            await prepare(connection)
            await apply(connection, migrations())
        yield dsn


async def dump(dsn: str) -> list[str]:
    """All that a database holds, as SQL."""
    pg_dump = await asyncio.create_subprocess_exec(
        programs() / "pg_dump", "--exclude-table-data=cortical_migrations", dsn, stdout=PIPE
    )
    out, _ = await pg_dump.communicate()
    assert pg_dump.returncode == 0
    lines = out.decode().splitlines()
    return [line for line in lines if not line.startswith(("\\restrict", "\\unrestrict"))]


async def test_schema_and_migrations_lead_to_the_same_database(
    empty_dsn: str, old_dsn: str
) -> None:
    await migrate(empty_dsn)
    assert await dump(old_dsn) == await dump(empty_dsn), (
        "sql/schema.sql must say what sql/migrations lead to: write the change into both"
    )
    assert await status(old_dsn) == await status(empty_dsn)


async def test_the_comparison_sees_a_default_an_index_and_a_row(old_dsn: str) -> None:
    seen = [await dump(old_dsn)]
    async with await connect(old_dsn) as connection:
        for change in (
            "ALTER TABLE runs ALTER graph SET DEFAULT 'assistant'",
            "CREATE INDEX ON runs (graph)",
            "INSERT INTO collections (name) VALUES ('x')",
        ):
            await connection.execute(change.encode())
            seen.append(await dump(old_dsn))
    assert all(one != other for one, other in pairwise(seen))


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [found.number for found in migrations()] == list(range(1, len(migrations()) + 1))


async def test_a_second_migration_changes_nothing(empty_dsn: str) -> None:
    assert await migrate(empty_dsn) == [str(found) for found in migrations()]
    before = await dump(empty_dsn)
    assert await migrate(empty_dsn) == []
    assert await dump(empty_dsn) == before
    assert (await status(empty_dsn)).pending == ()


async def test_ten_at_once_migrate_once(empty_dsn: str) -> None:
    done = await asyncio.gather(*[migrate(empty_dsn) for _ in range(10)])
    assert sorted(map(len, done)) == [0] * 9 + [len(migrations())]


async def test_a_database_that_is_newer_than_the_program_is_left_alone(dsn: str) -> None:
    async with await connect(dsn) as connection:
        await connection.execute(
            "INSERT INTO cortical_migrations (number, name, sha256) VALUES (9999, 'later', '')"
        )
    with pytest.raises(
        SchemaError, match="newer than this program: it has had migration 9999_later"
    ):
        await migrate(dsn)


async def test_a_migration_that_was_changed_afterwards_is_named(dsn: str) -> None:
    async with await connect(dsn) as connection:
        await connection.execute("UPDATE cortical_migrations SET sha256 = 'f00' WHERE number = 1")
    with pytest.raises(SchemaError, match="Migration 0001_memory was changed"):
        await migrate(dsn)


async def test_a_migration_that_fails_is_undone_whole_and_those_before_it_stay(dsn: str) -> None:
    number = len(migrations()) + 1
    good = Migration(number=number, name="good", sql="CREATE TABLE good (n int)")
    bad = Migration(number=number + 1, name="bad", sql="CREATE TABLE bad (n int); SELECT 1 / 0")
    async with await connect(dsn) as connection:
        with pytest.raises(errors.DivisionByZero):
            await apply(connection, [good, bad])
        cursor = await connection.execute(
            "SELECT to_regclass('good') IS NULL AS good, to_regclass('bad') IS NULL AS bad,"
            " (SELECT max(number) FROM cortical_migrations) AS last"
        )
        assert await cursor.fetchone() == {"good": False, "bad": True, "last": number}


async def test_further_steps_run_under_the_lock_even_if_they_index_concurrently(dsn: str) -> None:
    at_work = 0

    async def index(connection: Connection) -> None:
        nonlocal at_work
        at_work += 1
        assert at_work == 1
        await connection.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS aside ON runs (graph)")
        at_work -= 1

    assert await asyncio.gather(*[migrate(dsn, further=[index]) for _ in range(3)]) == [[], [], []]


async def test_whoever_waits_too_long_for_the_lock_is_told(dsn: str) -> None:
    async with await connect(dsn) as connection, migration_lock(connection):
        with pytest.raises(SchemaError, match="Another process has been migrating"):
            await migrate(dsn, timeout_s=0.1)
    assert await migrate(dsn) == []


async def test_a_user_who_may_not_create_the_extension_is_told_what_to_ask_for(
    empty_dsn: str,
) -> None:
    async with await connect(empty_dsn) as connection:
        await connection.execute("CREATE ROLE guest LOGIN")
    try:
        with pytest.raises(
            DatabaseAccessError, match="Let a superuser run `CREATE EXTENSION vector`"
        ):
            await migrate(make_conninfo(empty_dsn, user="guest"))
    finally:
        async with await connect(empty_dsn) as connection:
            await connection.execute("DROP ROLE guest")
