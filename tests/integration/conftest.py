import pytest

from memory.database import Pool
from memory.store import DocumentStore
from tools.reading.testing import PlainReader


@pytest.fixture
def store(pool: Pool) -> DocumentStore:
    return DocumentStore(pool)


@pytest.fixture
def reader() -> PlainReader:
    return PlainReader()
