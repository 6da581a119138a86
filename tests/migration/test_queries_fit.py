"""Every named query fits the tables as they are."""

import re
from importlib.resources import files

from memory.database import connect
from memory.queries import parse

FILES = {
    file.name: file.read_text("utf-8")
    for file in sorted((files("memory") / "sql" / "queries").iterdir(), key=lambda file: file.name)
}
STATEMENTS = {
    name: text
    for name, text in parse(FILES.items()).items()
    if re.match(r"SELECT|INSERT|UPDATE|DELETE|WITH", text) and "{" not in text
}
"""All but definitions, and texts that others are put together from."""


def numbered(statement: str) -> str:
    """Write psycopg's named values as Postgres' own $1, $2…."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        if match[1] not in names:
            names.append(match[1])
        return f"${names.index(match[1]) + 1}"

    return re.sub(r"%%|%\((\w+)\)[sbt]", number, statement)


async def test_postgres_understands_every_query(dsn: str) -> None:
    async with await connect(dsn) as connection:
        for name, statement in STATEMENTS.items():
            await connection.execute(f"PREPARE {name} AS {numbered(statement)}".encode())
        cursor = await connection.execute("SELECT count(*) AS n FROM pg_prepared_statements")
        assert await cursor.fetchone() == {"n": len(STATEMENTS)}
