"""For tests: a real database, of which each gets a fresh copy, and an embedder without a model."""

import asyncio
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import LiteralString
from uuid import uuid4
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from psycopg.conninfo import make_conninfo

from memory.database import connect
from memory.documents import NewChunk, NewDocument
from memory.embedding import Role
from memory.labels import Label, Origin
from memory.migrations import migrate, migration_lock
from memory.places import Place
from memory.server import EmbeddedPostgres

TEMPLATE = "cortical_template"
_ENOUGH_BYTES = 2 << 30
DOCUMENT_LABEL = Label(origins=frozenset({Origin.DOCUMENT}))


@contextmanager
def server_folder() -> Iterator[Path]:
    """Lend a directory for servers; in the end all that run there are stopped, and it is gone.

    A process of its own sees to it, so that it happens also when this one is killed.
    """
    folder = Path(tempfile.mkdtemp(prefix="cortical-test-", dir=quick_place()))
    command = [sys.executable, "-m", "memory.testing", str(folder)]
    with subprocess.Popen(  # noqa: S603 - this very module
        command, stdin=subprocess.PIPE, cwd=Path(__file__).parents[1], start_new_session=True
    ) as guard:
        try:
            yield folder
        finally:
            guard.communicate()


def remove_servers(folder: Path) -> None:
    """Stop all servers whose data lies below, and remove it."""
    for lock in folder.rglob("alive.lock"):
        asyncio.run(EmbeddedPostgres(data_dir=lock.parent).stop())
    shutil.rmtree(folder, ignore_errors=True)


def hasty_server(folder: Path) -> EmbeddedPostgres:
    """Return a server that does not wait for the disk: tests need not outlive a power cut."""
    return EmbeddedPostgres(data_dir=folder, settings={"fsync": "off", "full_page_writes": "off"})


async def make_template(dsn: str) -> None:
    """Make the migrated database that tests get copies of, unless it is there.

    Any number of test processes may call it at once.
    """
    async with await connect(dsn) as connection, migration_lock(connection):
        cursor = await connection.execute("SELECT FROM pg_database WHERE datname = %s", [TEMPLATE])
        if await cursor.fetchone() is None:
            half_made = f"{TEMPLATE}_half_made"
            await connection.execute(_named("DROP DATABASE IF EXISTS {}", half_made))
            await connection.execute(_named("CREATE DATABASE {}", half_made))
            await migrate(make_conninfo(dsn, dbname=half_made))
            await connection.execute(_named("ALTER DATABASE {} RENAME TO {}", half_made, TEMPLATE))


@asynccontextmanager
async def cloned_database(dsn: str, *, template: str = TEMPLATE) -> AsyncIterator[str]:
    """Lend a fresh copy of the template, which in the end is dropped, whoever is connected."""
    name = f"test_{uuid4().hex}"
    async with await connect(dsn) as connection:
        await connection.execute(
            _named("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)
        )
        try:
            yield make_conninfo(dsn, dbname=name)
        finally:
            await connection.execute(_named("DROP DATABASE {} WITH (FORCE)", name))


class HashingEmbedder:
    """Gives texts vectors that are alike as far as their words are the same."""

    def __init__(self, model: str = "hashing", dimensions: int = 64) -> None:
        self.model = model
        self.dimensions = dimensions
        self.tokens_limit = 1_000_000
        self.embedded: list[str] = []
        """All texts that were asked for, in order."""

    def reads(self, text: str) -> bool:  # noqa: ARG002 - it hashes any script
        """Return True."""
        return True

    async def embed(self, texts: Sequence[str], *, role: Role) -> NDArray[np.float32]:
        """Count words, each at the place and with the sign that its checksum says."""
        self.embedded += [text for text in texts if role == "document"]
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split() or [""]:
                checksum = crc32(word.encode())
                vectors[row, checksum % self.dimensions] += 1 if checksum & 0x10000 else -1
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: NDArray[np.float32] = vectors / np.maximum(lengths, 1e-9)
        return unit


def text_document(
    uri: str,
    *texts: str,
    title: str = "",
    language: str = "en",
    kind: str = "text",
    label: Label = DOCUMENT_LABEL,
) -> NewDocument:
    """Return a document of these passages, each on a line of its own."""
    contents = repr((title, language, texts)).encode("utf-8", "surrogatepass")
    return NewDocument(
        uri=uri,
        title=title or uri,
        kind=kind,
        media_type="text/plain",
        content_hash=hashlib.sha256(contents).digest(),
        reader="test 1",
        language=language,
        modified_at=None,
        label=label,
        chunks=tuple(
            NewChunk(text=text, context=title, place=Place(line=line), label=label)
            for line, text in enumerate(texts, start=1)
        ),
    )


def _named(statement: LiteralString, *names: str) -> sql.Composed:
    return sql.SQL(statement).format(*map(sql.Identifier, names))


def quick_place() -> str | None:
    """Return where files live in memory, if there is room; else None.

    Each copy of a database makes and removes hundreds of files. For ext4 that is slow: it searches
    for inodes past all those that were freed within five seconds.
    """
    place = "/dev/shm"  # noqa: S108 - mkdtemp makes what is private below it
    try:
        return place if shutil.disk_usage(place).free > _ENOUGH_BYTES else None
    except OSError:
        return None


if __name__ == "__main__":
    sys.stdin.read()  # ends when whoever started this has ended, however it ended
    remove_servers(Path(sys.argv[1]))
