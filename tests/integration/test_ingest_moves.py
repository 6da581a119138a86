"""What has moved keeps its documents, passages and vectors, and is not read again."""

from pathlib import Path

import pytest

from agent.clock import SystemClock
from memory.store import DocumentStore
from memory.testing import HashingEmbedder
from tools.ingest import Ingestion
from tools.ingest_report import IngestReport
from tools.reading.testing import PlainReader, Postbox, postboxes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "papers"
    (root / "a").mkdir(parents=True)
    for number in range(3):
        (root / "a" / f"{number}.txt").write_text(f"Valve {number} of the pump.\n")
    (root / "mail").write_text(
        "From a Mon Jan 1 10:00:00 2024\nMessage-ID: 1\nTo: b\n\nHello pump.\n"
        "From a Mon Jan 1 10:00:00 2024\nTo: b\n\nwithout key\n"
        "From a Mon Jan 1 10:00:00 2024\nMessage-ID: 2\nTo: b\n\nFAIL\n"
    )
    return root


async def run(store: DocumentStore, reader: PlainReader, *paths: Path) -> IngestReport:
    ingestion = Ingestion(store, reader, clock=SystemClock(), containers=postboxes(Postbox()))
    return await ingestion.ingest(paths, collection="home")


async def rows(store: DocumentStore) -> dict[str, tuple[int, tuple[int, ...]]]:
    """By name: the ids of each document and of its passages."""
    return {
        document.uri.rpartition("papers/")[2]: (
            document.id,
            tuple(await store.passages(document.id)),
        )
        for document in await store.documents("home")
    }


async def test_a_renamed_folder_costs_no_reading_and_no_embedding(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    first = await run(store, reader, folder)
    assert len(first.failed) == 2
    embedder = HashingEmbedder()
    await store.embed_missing(embedder)
    before = await rows(store)
    reader.read_names.clear()
    embedder.embedded.clear()
    (folder / "a").rename(folder / "b")
    (folder / "mail").rename(folder / "b" / "post")
    report = await run(store, reader, folder)
    assert (report.moved, report.read, report.vanished) == (4, 0, 0)
    assert [one.reason for one in report.failed] == [one.reason for one in first.failed]
    assert reader.read_names == []
    assert await store.embed_missing(embedder) == 0
    assert await rows(store) == {
        f"b/{name.replace('a/', '').replace('mail', 'post')}": ids for name, ids in before.items()
    }


async def test_of_equal_files_each_follows_the_one_whose_path_is_most_alike(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    for name in ("x", "y"):
        (folder / "a" / name).mkdir()
        (folder / "a" / name / "LICENSE").write_text("Do what you like.\n")
    await run(store, reader, folder)
    before = await rows(store)
    (folder / "a").rename(folder / "z")
    await run(store, reader, folder)
    after = await rows(store)
    assert {name.replace("a/", "z/"): ids for name, ids in before.items()} == after


async def test_a_mail_that_gets_a_flag_stays_the_same_and_shows_its_new_name(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    for part in ("cur", "new", "tmp"):
        (folder / part).mkdir()
    (folder / "new" / "17.host").write_text("The pump leaks.\n")
    await run(store, reader, folder)
    (before,) = await store.documents("home", uri=(folder / "new" / "17.host").as_uri())
    flagged = (folder / "new" / "17.host").rename(folder / "cur" / "17.host:2,S")
    await run(store, reader, folder)
    (after,) = await store.documents("home", uri=flagged.as_uri())
    assert (after.id, after.title) == (before.id, "17.host:2,S")


async def test_a_file_that_moved_into_another_folder_moves_between_sources(
    store: DocumentStore, reader: PlainReader, folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    await run(store, reader, folder, other)
    before = (await rows(store))["a/1.txt"]
    moved = (folder / "a" / "1.txt").rename(other / "1.txt")
    reader.read_names.clear()
    await run(store, reader, folder, other)
    (document,) = await store.documents("home", uri=moved.as_uri())
    assert (document.id, tuple(await store.passages(document.id))) == before
    assert reader.read_names == []
    moved.unlink()
    (other / "another.txt").write_text("Another one.\n")
    assert (await run(store, reader, folder, other)).vanished == 1


async def test_a_copy_is_another_document_whose_vectors_are_copied(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    await run(store, reader, folder)
    embedder = HashingEmbedder()
    await store.embed_missing(embedder)
    embedder.embedded.clear()
    (folder / "copy").mkdir()
    (folder / "copy" / "1.txt").write_bytes((folder / "a" / "1.txt").read_bytes())
    report = await run(store, reader, folder)
    assert (report.read, report.moved) == (1, 0)
    assert await store.embed_missing(embedder) == 1
    assert embedder.embedded == []


async def test_a_moved_file_that_would_be_read_otherwise_today_is_read_and_stays_the_same(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    await run(store, reader, folder)
    before = await rows(store)
    (folder / "a" / "1.txt").rename(folder / "1.txt")
    reader.reader = "another/1"
    report = await run(store, reader, folder)
    assert report.read == 3
    assert (await rows(store))["1.txt"][0] == before["a/1.txt"][0]
