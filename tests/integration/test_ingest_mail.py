"""Mailboxes and folders of mail into memory."""

from pathlib import Path

from agent.clock import SystemClock
from memory.database import Pool
from memory.search import Searcher
from memory.store import DocumentStore
from memory.testing import HashingEmbedder
from tools.ingest import Ingestion
from tools.ingest_report import IngestReport
from tools.reading.reader import ContentReader
from tools.reading.testing import perception

QUESTION = """From: Ann <ann@x.example>
To: ben@x.example
Date: Mon, 2 Mar 2026 10:00:00 +0000
Message-ID: <question@x.example>
Subject: Pump

Does the pump hum at night as well?
"""
ANSWER = """From: Ben <Ben@x.example>
To: ann@x.example
Date: Tue, 3 Mar 2026 10:00:00 +0000
Message-ID: <answer@x.example>
In-Reply-To: <question@x.example>
Subject: Re: Pump

Only when the valve is shut.

On Monday, 2 March 2026, Ann wrote:
> Does the pump hum at night as well?
"""


def mailbox(*letters: str) -> str:
    return "".join(f"From x@y Tue Mar  3 10:00:00 2026\n{letter}\n" for letter in letters)


async def run(store: DocumentStore, path: Path) -> IngestReport:
    ingestion = Ingestion(store, ContentReader(perception()), clock=SystemClock())
    return await ingestion.ingest([path], collection="home")


async def test_each_message_of_a_mailbox_becomes_a_document_in_its_thread(
    store: DocumentStore, tmp_path: Path
) -> None:
    path = tmp_path / "inbox"
    path.write_text(mailbox(ANSWER, QUESTION.replace("To:", "Status: O\nTo:")))
    assert (await run(store, path)).failed == ()
    answer, question = await store.documents("home")
    assert answer.uri == f"{path.as_uri()}#answer%40x.example"
    assert (answer.title, answer.author) == ("Re: Pump", "Ben <Ben@x.example>")
    assert answer.thread == question.thread
    thread = await store.thread(answer.thread or "")
    assert [(one.document.title, one.parent_id) for one in thread] == [
        ("Pump", None),
        ("Re: Pump", question.id),
    ]
    # Read, answered and more of them: what was there stays as it is.
    later = QUESTION.replace("question@", "later@").replace("Subject: Pump", "Subject: Filter")
    path.write_text(mailbox(QUESTION.replace("To:", "Status: RO\nTo:"), ANSWER, later))
    report = await run(store, path)
    assert (report.read, report.vanished) == (1, 0)
    assert len(await store.documents("home")) == 3
    path.write_text(mailbox(later))
    assert (await run(store, path)).vanished == 2
    assert [one.title for one in await store.documents("home")] == ["Filter"]


async def test_a_quotation_is_stored_as_one_and_says_so_when_it_is_found(
    store: DocumentStore, pool: Pool, tmp_path: Path
) -> None:
    (tmp_path / "answer.eml").write_text(ANSWER)
    await run(store, tmp_path)
    hits = await Searcher(pool, HashingEmbedder()).search("pump hum night")
    found = {hit.chunk.quoted: hit.chunk for hit in hits}
    assert "hum at night" in found[True].text
    assert "valve" in found[False].text
    assert "hum at night" not in found[False].text
    assert found[True].document.author == "Ben <Ben@x.example>"


async def test_a_mail_that_was_moved_and_flagged_in_its_maildir_is_known_again(
    store: DocumentStore, tmp_path: Path
) -> None:
    for folder in ("cur", "new", "tmp", ".Sent/cur", ".Sent/new", ".Sent/tmp"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "new" / "1.host").write_text(QUESTION)
    (tmp_path / ".Sent" / "cur" / "2.host:2,S").write_text(ANSWER)
    (tmp_path / "tmp" / "3.host").write_text(ANSWER)
    (tmp_path / "dovecot-uidlist").write_text("3 V1 N4")
    assert (await run(store, tmp_path)).read == 2
    before = {one.title: one.id for one in await store.documents("home")}
    (tmp_path / "new" / "1.host").rename(tmp_path / "cur" / "1.host:2,S")
    assert (await run(store, tmp_path)).read == 0
    assert {one.title: one.id for one in await store.documents("home")} == before
