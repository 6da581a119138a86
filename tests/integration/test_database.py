"""The pool against the embedded server."""

from memory.database import Pool


async def test_a_pool_gives_rows_as_dictionaries(pool: Pool) -> None:
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT 1 AS one, '[1,2]'::vector AS vector")
        row = await cursor.fetchone()
    assert row is not None
    assert row["one"] == 1
    assert row["vector"].to_list() == [1.0, 2.0]
