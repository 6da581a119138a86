"""What the pool refuses, and how it says so."""

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import PoolTimeout

from memory.database import check_versions, connect, translated, with_search_options
from memory.errors import (
    DatabaseAccessError,
    DatabaseTooOldError,
    DatabaseUnreachableError,
    DiskFullError,
    MemoryStoreError,
    SchemaError,
)


@pytest.mark.parametrize("pgvector", ["0.8.4", "0.8.5", "0.10.0", "1.0.0"])
def test_versions_that_are_new_enough_pass(pgvector: str) -> None:
    check_versions(160000, pgvector)
    check_versions(180004, pgvector)


@pytest.mark.parametrize("pgvector", ["0.8.3", "0.7.9", "0.8"])
def test_an_old_pgvector_is_told_with_the_version_found_and_the_next_step(pgvector: str) -> None:
    with pytest.raises(
        DatabaseTooOldError, match=rf"has pgvector {pgvector}, but 0\.8\.4.*ALTER EXTENSION"
    ):
        check_versions(180004, pgvector)


def test_an_old_server_is_told_with_the_version_found_and_the_next_step() -> None:
    with pytest.raises(
        DatabaseTooOldError, match=r"is PostgreSQL 15\.7, but 16 or later.*Upgrade it"
    ):
        check_versions(150007, "0.8.5")


def test_a_database_without_pgvector_is_sent_to_migrate() -> None:
    with pytest.raises(SchemaError, match="Run `cortical migrate`"):
        check_versions(180004, None)


def test_search_options_join_those_of_the_url_and_come_last() -> None:
    dsn = "postgresql:///x?options=-c%20work_mem%3D64MB%20-c%20hnsw.ef_search%3D7"
    options = str(conninfo_to_dict(with_search_options(dsn))["options"])
    assert options.startswith("-c work_mem=64MB")
    assert options.endswith("-c hnsw.iterative_scan=relaxed_order -c hnsw.ef_search=300")


@pytest.mark.parametrize(
    ("foreign", "ours"),
    [
        (errors.DiskFull("no space"), DiskFullError),
        (errors.InsufficientPrivilege("denied"), DatabaseAccessError),
        (errors.UndefinedTable("no table"), SchemaError),
        (errors.AdminShutdown("terminating"), DatabaseUnreachableError),
        (PoolTimeout("30 s"), DatabaseUnreachableError),
        (psycopg.OperationalError("connection failed: refused"), DatabaseUnreachableError),
        (psycopg.OperationalError('FATAL: role "x" does not exist'), DatabaseAccessError),
        (
            psycopg.OperationalError("FATAL: the database system is starting up"),
            DatabaseUnreachableError,
        ),
        (
            psycopg.OperationalError("FATAL: sorry, too many clients already"),
            DatabaseUnreachableError,
        ),
    ],
)
def test_a_foreign_error_becomes_the_one_for_whoever_must_act(
    foreign: psycopg.Error, ours: type[MemoryStoreError]
) -> None:
    with pytest.raises(MemoryStoreError, match=str(foreign)) as caught, translated():
        raise foreign
    assert type(caught.value) is ours
    assert caught.value.__cause__ is foreign


OPERATIONAL = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, psycopg.OperationalError)
]


@pytest.mark.parametrize("kind", OPERATIONAL)
def test_no_fault_of_the_server_passes_untranslated(kind: type[psycopg.Error]) -> None:
    with pytest.raises(MemoryStoreError, match="the reason"), translated():
        raise kind("the reason")


def test_a_mistake_of_ours_passes_as_it_is() -> None:
    with pytest.raises(errors.SyntaxError), translated():
        raise errors.SyntaxError("SELEC")


@pytest.mark.parametrize("dsn", ["secret", "postgres:/ann:secret@db/x", "host=db pass word=secret"])
async def test_a_url_that_cannot_be_read_is_told_without_repeating_it(dsn: str) -> None:
    with pytest.raises(DatabaseAccessError, match="Write it as postgresql://") as connecting:
        await connect(dsn)
    with pytest.raises(DatabaseAccessError) as pooling:
        with_search_options(dsn)
    assert "secret" not in f"{connecting.value} {pooling.value}"
