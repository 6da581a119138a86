"""Files and folders into memory."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any, NoReturn

import pytest

from agent.clock import SystemClock
from memory.store import DocumentStore
from tools import stamps
from tools.ingest import Ingestion
from tools.ingest_report import Failure, IngestProgress, IngestReport, Outcome
from tools.ingestion import files, intake
from tools.reading import disk
from tools.reading.base import UnreadableError
from tools.reading.testing import PlainReader, Postbox, postboxes


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


def unmounted(folder: Path) -> Path:
    """Leave an empty folder in the place of one, as a disk does; return where its files are."""
    disk = folder.rename(folder.with_name("disk"))
    folder.mkdir()
    return disk


def mounted(disk: Path, folder: Path) -> None:
    folder.rmdir()
    disk.rename(folder)


async def test_a_folder_that_is_empty_now_may_be_a_disk_that_is_not_mounted(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    await run(store, reader, folder)
    disk = unmounted(folder)
    report = await run(store, reader, folder)
    assert (report.vanished, len(await uris(store))) == (0, 3)
    ((uri, reason),) = [(one.uri, one.reason) for one in report.failed]
    assert uri == folder.as_uri()
    assert "holds 3 files of it, which stay" in reason
    assert "--emptied" in reason
    mounted(disk, folder)
    report = await run(store, reader, folder)
    assert (report.unchanged, report.failed) == (3, ())


async def test_a_folder_that_was_emptied_goes_where_that_is_said(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    await run(store, reader, folder)
    unmounted(folder)
    ingestion = Ingestion(store, reader, clock=SystemClock())
    report = await ingestion.ingest([folder], collection="home", emptied=True)
    assert (report.vanished, report.failed, await uris(store)) == (3, (), [])


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
    reader.reader = "another/1"
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
    assert (report.read, report.moved, report.unchanged) == (2, 1, 0)
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


async def test_an_unchanged_file_costs_a_look_unless_its_state_cannot_be_trusted(
    store: DocumentStore, reader: PlainReader, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run(store, reader, folder)
    loaded: list[str] = []
    monkeypatch.setattr(intake, "load", lambda path, *more: _noted(loaded, path, *more))
    assert (await run(store, reader, folder)).unchanged == 3
    assert sorted(loaded) == ["one.txt", "three.txt", "two.txt"]  # only just written
    age(folder)
    await run(store, reader, folder)
    loaded.clear()
    assert (await run(store, reader, folder)).unchanged == 3
    assert loaded == []
    (folder / "one.txt").write_text("The pump starts at six bar.\n")  # as long as before
    os.utime(folder / "one.txt", ns=(OLD_NS, OLD_NS))
    report = await run(store, reader, folder)
    assert (report.read, loaded) == (1, ["one.txt"])


async def test_what_cannot_be_read_is_named_again_and_not_read_again(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    for name, text in {"bad": "FAIL", "unheard": "NO", "bug": "BUG", "blank": " \n"}.items():
        (folder / name).write_text(text)
    (folder / "empty").touch()
    first = await run(store, reader, folder)
    assert (first.read, first.empty, len(first.failed)) == (3, 2, 3)
    reader.read_names.clear()
    second = await run(store, reader, folder)
    assert second.failed == first.failed
    assert sorted(reader.read_names) == ["bug", "unheard"]
    reader.version = "plain 2"
    reader.read_names.clear()
    await run(store, reader, folder)
    assert sorted(reader.read_names) == ["bad", "bug", "unheard"]
    (folder / "bad").write_text("good")
    third = await run(store, reader, folder)
    assert (third.read, len(third.failed)) == (1, 2)


async def test_files_that_postgres_refuses_cost_themselves_only(
    store: DocumentStore, reader: PlainReader, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "refused.txt").write_text("poison")
    real = store.put_many

    async def refusing(source_id: int, documents: Any, **more: Any) -> Any:
        if any("poison" in chunk.text for one in documents for chunk in one.chunks):
            raise ValueError("no room for poison")
        return await real(source_id, documents, **more)

    monkeypatch.setattr(store, "put_many", refusing)
    report = await run(store, reader, folder)
    assert (report.read, len(report.failed)) == (3, 1)
    assert "no room for poison" in report.failed[0].reason


async def test_a_file_that_changes_while_it_is_read_is_looked_at_again(
    store: DocumentStore, reader: PlainReader, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, path = disk._read, folder / "one.txt"
    age(folder)

    def growing(descriptor: int, limit: int) -> bytes:
        data = real(descriptor, limit)
        with path.open("a") as file:
            file.write("More.\n")
        return data

    monkeypatch.setattr(disk, "_read", growing)
    await run(store, reader, path)
    monkeypatch.setattr(disk, "_read", real)
    assert (await run(store, reader, path)).read == 1
    assert (await run(store, reader, path)).unchanged == 1


async def test_a_file_that_is_gone_when_it_is_its_turn_has_vanished(
    store: DocumentStore, reader: PlainReader, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run(store, reader, folder)

    def vanished(path: Path, *_: object) -> NoReturn:
        raise FileNotFoundError(path)

    monkeypatch.setattr(intake, "load", vanished)
    report = await run(store, reader, folder)
    assert (report.vanished, report.failed) == (3, ())
    assert await uris(store) == []


async def test_names_of_any_bytes_are_kept_and_a_path_too_long_to_index_is_named(
    store: DocumentStore, reader: PlainReader, tmp_path: Path
) -> None:
    root = tmp_path / "odd"
    root.mkdir()
    names = [b"two\nlines", b"half \xed\xa0\x80", b"n" * 255, b"a#b?c%20", b" "]
    for name in names:
        (root / os.fsdecode(name)).write_text("The pump.\n")
    far = root / ("\u00e4" * 120) / ("\u00e4" * 120) / ("\u00e4" * 120)
    far.mkdir(parents=True)
    (far / "x").write_text("x")
    report = await run(store, reader, root)
    assert report.read == len(names)
    assert [failure.reason for failure in report.failed] == [
        f"x: its path of {len((far / 'x').as_uri())} bytes is too long to be indexed. Shorten it."
    ]
    assert (await run(store, reader, root)).unchanged == len(names)


async def test_two_ingestions_of_a_folder_at_once_give_what_one_gives(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    for number in range(60):
        (folder / f"{number}.txt").write_text(f"Valve {number} of the pump.\n")
    reports = await asyncio.gather(*(run(store, reader, folder) for _ in range(2)))
    assert all(report.failed == () for report in reports)
    assert len(await uris(store)) == 63
    assert (await run(store, reader, folder)).unchanged == 63


async def test_the_same_folder_by_another_name_is_the_same_folder(
    store: DocumentStore, reader: PlainReader, folder: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder)
    report = await run(store, reader, folder, link, folder / "deep" / "..", link / "deep")
    assert (report.read, len(await uris(store))) == (3, 3)


async def test_a_file_that_now_holds_many_documents_stands_in_memory_only_as_these(
    store: DocumentStore, reader: PlainReader, folder: Path
) -> None:
    await run(store, reader, folder)
    path = folder / "one.txt"
    path.write_text("From a Mon Jan 1 10:00:00 2024\nMessage-ID: 1\nTo: b\n\nHello pump.\n")
    box = Ingestion(store, reader, clock=SystemClock(), containers=postboxes(Postbox()))
    await box.ingest([folder], collection="home")
    there = [uri for uri in await uris(store) if uri.startswith(path.as_uri())]
    assert there == [f"{path.as_uri()}#1"]
    path.write_text("The pump starts.\n")
    await box.ingest([folder], collection="home")
    there = [uri for uri in await uris(store) if uri.startswith(path.as_uri())]
    assert there == [path.as_uri()]


OLD_NS = 1_600_000_000_000_000_000


def age(folder: Path) -> None:
    """Wait until the files of a folder are older than the coarsest clock's grain."""
    newest = max(
        max(path.lstat().st_mtime_ns, path.lstat().st_ctime_ns) for path in folder.rglob("*")
    )
    time.sleep(max(0.0, (newest + stamps.GRAIN_NS - time.time_ns()) / 1e9) + 0.05)


def _noted(names: list[str], path: Path, *more: Any) -> Any:
    names.append(path.name)
    return files.load(path, *more)
