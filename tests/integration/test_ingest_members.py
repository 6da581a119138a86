"""Files that hold many documents."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from agent.clock import SystemClock
from memory.store import DocumentStore
from tools.ingest import Ingestion
from tools.ingest_report import Failure, IngestProgress, IngestReport
from tools.ingestion.member_uris import Seen, member_uri
from tools.reading.base import UnreadableError
from tools.reading.members import BrokenMember, Member
from tools.reading.testing import PlainReader, Postbox, postboxes


@pytest.fixture
def box(tmp_path: Path) -> Path:
    path = tmp_path / "post" / "box"
    path.parent.mkdir()
    write(path, [("a b/ü", "One pump."), ("2", "Two pumps."), ("3", "Three pumps.")])
    return path


def write(path: Path, messages: Sequence[tuple[str, str]]) -> None:
    """Write messages, each a key and a text; one without a key is broken."""
    with path.open("w") as file:
        for key, text in messages:
            head = f"Message-ID: {key}\n" if key else ""
            file.write(f"From a Mon Jan 1 10:00:00 2024\n{head}To: b\n\n{text}\n")


async def run(
    store: DocumentStore, reader: PlainReader, path: Path, post: Postbox | None = None
) -> IngestReport:
    containers = postboxes(post or Postbox())
    ingestion = Ingestion(store, reader, clock=SystemClock(), containers=containers)
    return await ingestion.ingest([path], collection="home")


async def keys(store: DocumentStore) -> list[str]:
    return [document.uri.partition("#")[2] for document in await store.documents("home")]


async def test_each_member_is_a_document_and_only_what_changed_is_read(
    store: DocumentStore, reader: PlainReader, box: Path
) -> None:
    first = await run(store, reader, box)
    assert (first.read, first.documents, first.failed) == (1, 3, ())
    assert await keys(store) == ["2", "3", "a%20b%2F%C3%BC"]
    reader.read_names.clear()
    write(box, [("0", "None."), ("3", "Three pumps!"), ("a b/ü", "One pump.")])
    second = await run(store, reader, box)
    assert (second.read, second.documents, second.vanished) == (1, 2, 1)
    assert sorted(reader.read_names) == ["mail 0", "mail 3"]
    assert await keys(store) == ["0", "3", "a%20b%2F%C3%BC"]
    post = Postbox()
    assert (await run(store, reader, box, post)).unchanged == 1
    assert post.taken_apart == 0


async def test_a_broken_member_is_named_each_time_and_stops_nothing(
    store: DocumentStore, reader: PlainReader, box: Path
) -> None:
    write(box, [("1", "FAIL"), ("", "no key"), ("3", "Good."), ("3", "Twice."), ("4", "NO")])
    uri = box.as_uri()
    expected = (
        Failure(uri=f"{uri}#1", reason="mail 1 cannot be read: it says so."),
        Failure(uri=f"{uri}#3", reason="mail 3: there is another of the same key before it."),
        Failure(uri=f"{uri}#4", reason="mail 4 was not heard."),
        Failure(uri=f"{uri}#no%20key%0A", reason="it has no key"),
    )
    assert (await run(store, reader, box)).failed == expected
    reader.read_names.clear()
    assert (await run(store, reader, box)).failed == expected
    assert reader.read_names == ["mail 4"]  # a sense may do better another time
    write(box, [("1", "FAIL"), ("", "no key"), ("3", "Good.")])
    reader.read_names.clear()
    post = Postbox()
    for _ in range(2):
        report = await run(store, reader, box, post)
        assert [failure.uri for failure in report.failed] == [f"{uri}#1", f"{uri}#no%20key%0A"]
    assert post.taken_apart == 1
    assert reader.read_names == []
    write(box, [("1", "Mended."), ("3", "Good.")])
    assert (await run(store, reader, box)).failed == ()
    assert await keys(store) == ["1", "3"]


async def test_what_was_stored_before_an_interruption_is_not_read_again(
    store: DocumentStore, reader: PlainReader, box: Path
) -> None:
    write(box, [(f"{number}", f"{number} pumps.") for number in range(300)])

    class Killed(BaseException):
        pass

    def stop(progress: IngestProgress) -> None:
        if progress.documents >= 100:
            raise Killed

    ingestion = Ingestion(store, reader, clock=SystemClock(), containers=postboxes(Postbox()))
    with pytest.raises(BaseExceptionGroup):
        await ingestion.ingest([box], collection="home", on_progress=stop)
    stored = len(await keys(store))
    assert 100 <= stored < 300
    reader.read_names.clear()
    await run(store, reader, box)
    assert len(reader.read_names) == 300 - stored
    assert len(await keys(store)) == 300


async def test_a_file_that_cannot_be_read_to_its_end_keeps_what_stood_before(
    store: DocumentStore, reader: PlainReader, box: Path
) -> None:
    class Torn(Postbox):
        error: Exception = UnreadableError("box is torn after the first letter.")

        def members(self, path: Path) -> Iterator[Member | BrokenMember]:
            yield next(super().members(path))
            raise self.error

    await run(store, reader, box)
    write(box, [("2", "Two pumps at last."), ("3", "Three pumps.")])
    torn = Torn()
    report = await run(store, reader, box, torn)
    assert [failure.reason for failure in report.failed] == [str(torn.error)]
    assert await keys(store) == ["2", "3", "a%20b%2F%C3%BC"]
    torn.error = OSError(5, "Input/output error")
    write(box, [("2", "Two pumps, no more.")])
    report = await run(store, reader, box, torn)
    assert [failure.reason for failure in report.failed] == ["box: Input/output error"]
    assert len(await keys(store)) == 3
    assert (await run(store, reader, box)).failed == ()
    assert await keys(store) == ["2"]


async def test_a_file_beyond_the_limit_is_taken_apart_all_the_same(
    store: DocumentStore, reader: PlainReader, box: Path
) -> None:
    write(box, [(f"{number}", f"{number} pumps.") for number in range(50)])
    (box.parent / "large.txt").write_text("pump " * 500)
    ingestion = Ingestion(
        store,
        reader,
        clock=SystemClock(),
        bytes_limit=1_000,
        containers=postboxes(Postbox()),
    )
    for _ in range(2):
        report = await ingestion.ingest([box.parent], collection="home")
        assert [failure.uri for failure in report.failed] == [(box.parent / "large.txt").as_uri()]
    assert len(await keys(store)) == 50
    os.unlink(box)  # noqa: PTH108 - a method of the path is refused here
    await ingestion.ingest([box.parent], collection="home")
    assert await keys(store) == []


def test_a_key_of_any_length_and_letters_makes_a_uri_of_its_own() -> None:
    uris = [member_uri("file:///box", "k" * 5_000 + end) for end in ("1", "2", "\udc80")]
    assert len(set(uris)) == 3
    assert all(len(uri) < 2_000 for uri in uris)
    assert member_uri("file:///box", "a#b\n") == "file:///box#a%23b%0A"


def test_what_was_seen_is_known_among_many() -> None:
    seen = Seen()
    assert all(seen.add(f"uri {number}") for number in range(25_000))
    assert not any(seen.add(f"uri {number}") for number in range(0, 25_000, 7))
    assert "uri 25000" not in seen
