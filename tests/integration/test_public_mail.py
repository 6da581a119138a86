"""Mail that nobody here wrote: read or named, in time, and its threads found again."""

import asyncio
import hashlib
import json
import sys
import tarfile
from asyncio.subprocess import PIPE
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from re import findall

import pytest

from memory.database import Pool
from memory.store import DocumentStore
from tools.papers import document_of
from tools.reading import mail
from tools.reading.base import Reading, UnreadableError

MAIL = Path(__file__).parents[2].parent / "shared" / "data" / "mail"
TALON = MAIL / "fixtures" / "talon"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not MAIL.is_dir(), reason="the public data is not beside the checkout"),
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spamassassin")
    for archive in sorted((MAIL / "spamassassin").glob("*.tar.xz")):
        with tarfile.open(archive) as held:
            held.extractall(folder, filter="data")
    return folder


@pytest.fixture
def chosen(corpus: Path, tmp_path: Path, amount: Callable[[int, int], int]) -> Path:
    """Some of the mails."""
    folder = tmp_path / "chosen"
    mails = sorted(path for path in corpus.rglob("*") if path.is_file())
    for path in mails[:: amount(8, 1)]:
        copy = folder / path.relative_to(corpus)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.hardlink_to(path)
    return folder


async def test_every_mail_is_read_or_named_within_five_seconds_and_512_mb(
    chosen: Path, amount: Callable[[int, int], int]
) -> None:
    program = Path(__file__).with_name("measured_reading.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, program, chosen, MAIL / "fixtures", stdout=PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    measured = [json.loads(line) for line in out.splitlines()]
    assert len(measured) > amount(300, 2_300)
    read = [one for one in measured if one["kind"]]
    named = [one for one in measured if one["reason"]]
    assert len(read) + len(named) == len(measured)
    assert all(Path(one["path"]).name in one["reason"] for one in named)
    assert [one for one in named if one["path"].startswith(str(chosen))] == []
    assert [one["path"] for one in measured if one["seconds"] > 5 or one["mb"] > 512] == []


async def unread(data: bytes, name: str, nest: mail.Nest) -> Reading:
    """Leave attachments alone."""
    raise UnreadableError(f"{name} is not looked at here.")


def named_ids(data: bytes) -> tuple[str, str]:
    """Return the Message-ID of a mail and that of its parent, by the shortest way."""
    parsed = message_from_bytes(data.partition(b"\n")[2] if data.startswith(b"From ") else data)
    ids, references, replied = (
        findall(r"<([^<>\s]+)>", str(parsed.get(name, "")))
        for name in ("message-id", "references", "in-reply-to")
    )
    return "".join(ids[:1]), "".join(references[-1:] or replied[:1])


async def test_replies_find_their_parents_whatever_the_order(
    corpus: Path, pool: Pool, amount: Callable[[int, int], int]
) -> None:
    store = DocumentStore(pool)
    source_id = await store.source("home", "file:///")
    by_id: defaultdict[str, set[str]] = defaultdict(set)
    answered: dict[str, str] = {}
    # The names are digests behind a number: turned round they are in no order of time.
    mails = sorted((corpus / "easy-ham-2").iterdir())[: amount(500, 10_000)]
    for path in sorted(mails, key=lambda path: path.stem[::-1]):
        data, uri = path.read_bytes(), path.as_uri()
        reading = await mail.read(data, path.name, "message/rfc822", unread)
        document = document_of(
            reading,
            uri=uri,
            digest=hashlib.sha256(data).digest(),
            modified_at=datetime(2002, 9, 1, tzinfo=UTC),
        )
        await store.put(source_id, replace(document, chunks=()))
        own, parent = named_ids(data)
        by_id[own].add(uri)
        if parent and parent != own:
            answered[uri] = parent
    replies = {uri: by_id[parent] for uri, parent in answered.items() if by_id.get(parent)}
    documents = await store.documents("home")
    uris = {document.id: document.uri for document in documents}
    parents = {
        one.document.uri: uris[one.parent_id]
        for thread in {document.thread or "" for document in documents}
        for one in await store.thread(thread)
        if one.parent_id is not None
    }
    right = sum(parents.get(uri) in those for uri, those in replies.items())
    assert len(replies) > amount(150, 550)
    assert right >= 0.95 * len(replies)


def said(text: str) -> str:
    return " ".join(text.split())


def replies() -> Iterator[tuple[Path, str]]:
    """Yield the replies with what is new in them."""
    for path in sorted((TALON / "html_replies").iterdir()):
        yield path, "Hi. I am fine. Thanks, Alex"
    for path in sorted((TALON / "standard_replies").glob("*.eml")):
        told = path.with_name(f"{path.stem}_reply_text")
        yield path, said(told.read_text("utf-8")) if told.exists() else "Hello"
    yield TALON / "OLK_SRC_BODY_SECTION.html", "Reply"
    yield TALON / "reply-separated-by-hr.html", "Hi there Bob"


async def test_of_each_reply_what_is_new_stands_apart_from_what_it_quotes() -> None:
    wrong = {}
    for path, new in replies():
        data = await asyncio.to_thread(path.read_bytes)
        if path.suffix == ".html":
            data = b"Content-Type: text/html; charset=utf-8\n\n" + data
        reading = await mail.read(data, path.name, "message/rfc822", unread)
        blocks = [block for block in reading.blocks if block.place.line is not None]
        found = said(" ".join(block.text for block in blocks if not block.quoted))
        if found != new or not any(block.quoted for block in blocks):
            wrong[path.name] = found
    assert wrong == {}
