"""The one writer of an ingestion, when it fails."""

import asyncio
from typing import Any, cast

import pytest

from memory.errors import DiskFullError
from memory.files import FileRecord
from memory.store import DocumentStore
from tools.ingest_report import Tally, silent
from tools.ingestion.writer import Parcel, Writer, WriterGoneError


class FullStore:
    async def put_many(self, *_: Any, **__: Any) -> None:
        raise DiskFullError("The disk is full.")


def parcel() -> Parcel:
    record = FileRecord(uri="file:///a", stamp=None, digest=b"", reader="plain 1")
    return Parcel(source_id=1, uri="file:///a", name="a", size=1, record=record)


@pytest.fixture
def writer() -> Writer:
    return Writer(cast(DocumentStore, FullStore()), Tally(silent), together=1)


async def test_whoever_waits_for_a_writer_that_fails_goes_on_and_learns_of_it(
    writer: Writer,
) -> None:
    async def send_for_ever() -> None:
        while True:
            await writer.send(parcel())

    senders = [asyncio.create_task(send_for_ever()) for _ in range(20)]
    await asyncio.sleep(0)
    with pytest.raises(DiskFullError):
        await writer.run()
    async with asyncio.timeout(5):
        ended = await asyncio.gather(*senders, return_exceptions=True)
    assert {type(error) for error in ended} == {WriterGoneError}


async def test_a_writer_that_has_ended_takes_nothing_and_cannot_be_closed(writer: Writer) -> None:
    await writer.send(parcel())
    with pytest.raises(DiskFullError):
        await writer.run()
    with pytest.raises(WriterGoneError, match="Nothing more is stored"):
        await writer.send(parcel())
    with pytest.raises(WriterGoneError):
        await writer.close()
