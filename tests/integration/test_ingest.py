"""Files and folders into memory."""

import asyncio
import os
from pathlib import Path

import pytest

from agent.clock import SystemClock
from memory.database import Pool
from memory.store import DocumentStore
from tools.content import Content
from tools.ingest import Ingestion
from tools.ingest_report import Failure, IngestProgress, IngestReport, Outcome
from tools.reading import text
from tools.reading.base import Reading, UnreadableError


class PlainReader:
    """Reads everything as text; what begins with FAIL it does not read."""

    def __init__(self) -> None:
        self.version = text.READER
        self.read_names: list[str] = []

    async def read(self, data: bytes, name: str, content: Content | None = None) -> Reading:
        self.read_names.append(name)
        if data.startswith(b"FAIL"):
            raise UnreadableError(f"{name} cannot be read: it says so.")
        if data.startswith(b"BUG"):
            raise KeyError(name)
        return text.read(data, name, "text/plain")

    def current(self, reader: str) -> bool:
        return reader == self.version


@pytest.fixture
def store(pool: Pool) -> DocumentStore:
    return DocumentStore(pool)


@pytest.fixture
def reader() -> PlainReader:
    return PlainReader()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files, one of them further down, and things that are not ingested."""
    root = tmp_path / "papers ä"
    (root / "deep" / "er").mkdir(parents=True)
    (root / "one.txt").write_text("The pump starts at two bar.\n")
    (root / "two.txt").write_text("Die Pumpe läuft an, sobald der Druck unter zwei Bar fällt.\n")
    (root / "deep" / "er" / "three.txt").write_text("水泵在两巴启动。\n")
    (root / ".hidden").write_text("unseen")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("unseen")
    (root / "loop").symlink_to(root)
    (root / "elsewhere.txt").symlink_to("/etc/hostname")
    os.mkfifo(root / "pipe")
    return root


async def run(
    store: DocumentStore, reader: PlainReader, *paths: Path, collection: str = "home"
) -> IngestReport:
    ingestion = Ingestion(store, reader, clock=SystemClock())
    return await ingestion.ingest(paths, collection=collection)


async def uris(store: DocumentStore) -> list[str]:
    return [document.uri for document in await store.documents("home")]


async def test_a_folder_is_ingested_once(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    first = await run(store, reader, folder)
    assert (first.read, first.unchanged, first.vanished, first.chunks) == (3, 0, 0, 3)
    assert first.failed == first.flawed == ()
    documents = await store.documents("home")
    assert [document.uri for document in documents] == [
        (folder / "deep" / "er" / "three.txt").as_uri(),
        (folder / "one.txt").as_uri(),
        (folder / "two.txt").as_uri(),
    ]
    assert [document.language for document in documents] == ["zh", "en", "de"]
    second = await run(store, reader, folder)
    assert (second.read, second.unchanged, second.vanished, second.chunks) == (0, 3, 0, 0)
    assert len(reader.read_names) == 3


async def test_what_changed_is_read_again_and_what_vanished_goes(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    await run(store, reader, folder)
    (folder / "one.txt").write_text("It starts at three bar.\n")
    (folder / "two.txt").unlink()
    report = await run(store, reader, folder)
    assert (report.read, report.unchanged, report.vanished) == (1, 1, 1)
    assert len(await uris(store)) == 2
    one = (await store.documents("home", uri=(folder / "one.txt").as_uri()))[0]
    assert one.title == "one.txt"


async def test_another_version_of_the_reader_reads_again(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    await run(store, reader, folder)
    reader.version = "text/2"
    assert (await run(store, reader, folder)).read == 3


async def test_one_bad_file_stops_nothing_and_is_named(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    (folder / "bad.txt").write_text("FAIL")
    (folder / "bug.txt").write_text("BUG")
    (folder / "odd.txt").write_bytes(b"one\0two")
    report = await run(store, reader, folder)
    assert report.read == 4
    assert report.failed == (
        Failure(uri=(folder / "bad.txt").as_uri(), reason="bad.txt cannot be read: it says so."),
        Failure(uri=(folder / "bug.txt").as_uri(), reason="bug.txt: KeyError: 'bug.txt'"),
    )
    assert report.flawed == (
        Failure(uri=(folder / "odd.txt").as_uri(), reason="1 NUL characters are shown as \ufffd"),
    )


async def test_a_file_that_cannot_be_read_any_more_is_not_quoted_any_more(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    await run(store, reader, folder)
    (folder / "one.txt").write_text("FAIL")
    report = await run(store, reader, folder)
    assert (report.vanished, len(report.failed)) == (0, 1)
    assert (folder / "one.txt").as_uri() not in await uris(store)


async def test_a_file_that_a_fault_of_ours_hit_stays_as_it_was(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    await run(store, reader, folder)
    (folder / "one.txt").write_text("BUG")
    await run(store, reader, folder)
    assert (folder / "one.txt").as_uri() in await uris(store)


async def test_a_path_that_is_missing_is_named_before_anything_is_done(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    with pytest.raises(UnreadableError, match=r"nowhere: does not exist\. Name a file"):
        await run(store, reader, folder, folder / "nowhere")
    with pytest.raises(UnreadableError, match="pipe is neither a file nor a folder"):
        await run(store, reader, folder / "pipe")
    assert reader.read_names == []


async def test_a_file_over_the_limit_is_named(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    ingestion = Ingestion(store, reader, clock=SystemClock(), bytes_limit=30)
    report = await ingestion.ingest([folder], collection="home")
    assert [failure.reason for failure in report.failed] == [
        "two.txt has 61 bytes, and 30 are read at most. "
        "Raise the limit in the settings, or split the file."
    ]


async def test_a_file_within_a_folder_that_is_known_stands_in_memory_once(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    await run(store, reader, folder)
    (folder / "two.txt").unlink()
    part = await run(store, reader, folder / "deep", folder / "one.txt")
    assert (part.read, part.unchanged, part.vanished) == (0, 2, 0)
    assert len(await uris(store)) == 3
    whole = await run(store, reader, folder, folder / "deep")
    assert (whole.unchanged, whole.vanished) == (2, 1)


async def test_a_folder_takes_over_what_was_ingested_below_it(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    await run(store, reader, folder / "deep")
    await run(store, reader, folder / ".hidden")
    (before,) = await store.documents("home", uri=(folder / "deep" / "er" / "three.txt").as_uri())
    report = await run(store, reader, folder)
    assert (report.read, report.moved + report.unchanged) == (2, 1)
    assert len(await uris(store)) == 4
    (after,) = await store.documents("home", uri=before.uri)
    assert after == before
    assert list(await store.sources("home")) == [
        (folder / ".hidden").as_uri(),
        folder.as_uri(),
    ]


async def test_collections_are_apart(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    await run(store, reader, folder)
    assert (await run(store, reader, folder, collection="work")).read == 3
    assert len(await uris(store)) == 3


async def test_an_ingestion_that_was_broken_off_goes_on(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    def stop(progress: IngestProgress) -> None:
        if progress.done == 2:
            task.cancel()

    ingestion = Ingestion(store, reader, clock=SystemClock(), parallel=1, together=1)
    task = asyncio.create_task(ingestion.ingest([folder], collection="home", on_progress=stop))
    with pytest.raises(asyncio.CancelledError):
        await task
    report = await run(store, reader, folder)
    assert (report.read, report.unchanged) == (1, 2)


async def test_each_file_is_told_of(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    told: list[IngestProgress] = []
    ingestion = Ingestion(store, reader, clock=SystemClock(), parallel=2)
    await ingestion.ingest([folder], collection="home", on_progress=told.append)
    assert [(one.done, one.total) for one in told] == [(1, 3), (2, 3), (3, 3)]
    assert {one.name for one in told} == {"one.txt", "two.txt", "three.txt"}
    assert {one.outcome for one in told} == {Outcome.READ}
