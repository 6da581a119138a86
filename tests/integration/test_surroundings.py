"""What stands beside a passage, and the section that it belongs to."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from memory.documents import Chunk, NewDocument
from memory.places import Place
from memory.store import DocumentStore
from memory.testing import text_document

SECTIONS = [
    ("intro", ("Handbook",)),
    ("pump one", ("Handbook", "Pump")),
    ("pump two", ("Handbook", "Pump")),
    ("cleaning", ("Handbook", "Pump", "Cleaning")),
    ("valve", ("Handbook", "Valve")),
]


def book(uri: str, part: str | None = None) -> NewDocument:
    document = text_document(uri, *(text for text, _ in SECTIONS))
    return replace(
        document,
        chunks=tuple(
            replace(chunk, place=Place(heading=heading, part=part))
            for chunk, (_, heading) in zip(document.chunks, SECTIONS, strict=True)
        ),
    )


@pytest.fixture
async def ids(store: DocumentStore) -> list[int]:
    source_id = await store.source("shelf", "/")
    await store.put(source_id, book("other"))
    put = await store.put(source_id, book("book"))
    return await store.passages(put.document_id)


def texts(chunks: Sequence[Chunk]) -> list[str]:
    return [chunk.text for chunk in chunks]


async def test_neighbours_stand_before_and_behind_in_the_same_document(
    store: DocumentStore, ids: list[int]
) -> None:
    assert texts(await store.neighbours(ids[2])) == ["pump one", "pump two", "cleaning"]
    assert texts(await store.neighbours(ids[0], before=3, after=1)) == ["intro", "pump one"]
    assert texts(await store.neighbours(ids[4], before=0, after=9)) == ["valve"]
    assert await store.neighbours(-1) == []


async def test_a_section_is_all_under_a_heading_or_under_one_further_out(
    store: DocumentStore, ids: list[int]
) -> None:
    pump = ["pump one", "pump two", "cleaning"]
    assert texts(await store.section(ids[1])) == pump
    assert texts(await store.section(ids[3])) == ["cleaning"]
    assert texts(await store.section(ids[3], up=1)) == pump
    assert texts(await store.section(ids[3], up=2)) == [text for text, _ in SECTIONS]
    assert texts(await store.section(ids[3], up=99)) == [text for text, _ in SECTIONS]
    assert {chunk.document.uri for chunk in await store.section(ids[3], up=99)} == {"book"}


async def test_of_a_long_section_the_nearest_come(store: DocumentStore, ids: list[int]) -> None:
    assert texts(await store.section(ids[4], up=1, limit=2)) == ["cleaning", "valve"]


async def test_a_section_does_not_reach_into_another_attachment(store: DocumentStore) -> None:
    source_id = await store.source("shelf", "/")
    mail = book("mail", part="one.txt")
    both = replace(mail, chunks=mail.chunks + book("mail", part="two.txt").chunks)
    put = await store.put(source_id, both)
    first = (await store.passages(put.document_id))[0]
    assert len(await store.section(first)) == len(SECTIONS)
