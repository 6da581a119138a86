"""Threads of mails in memory: the same whatever order the mails came in."""

import asyncio
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from memory.database import Pool
from memory.documents import NewDocument
from memory.mail_threads import grouped
from memory.messages import Message
from memory.store import DocumentStore
from memory.testing import text_document

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)


def mail(
    name: str,
    *ancestors: str,
    day: float = 0,
    topic: str = "",
    answers: bool = False,
    sender: str = "ann@x.example",
    own: str = "",
) -> NewDocument:
    """Return a mail whose Message-ID is its name unless told otherwise."""
    return replace(
        text_document(f"file:///{name}", name),
        kind="mail",
        content_hash=f"{name} {ancestors} {day}".encode(),
        modified_at=MONDAY + timedelta(days=day),
        message=Message(
            message_id=own or name,
            sender=sender,
            recipients=("list@x.example",) if sender.endswith("x.example") else (),
            ancestors=ancestors,
            topic=topic,
            answers=answers,
        ),
    )


class Box:
    """Mails in memory."""

    def __init__(self, store: DocumentStore, pool: Pool) -> None:
        self.store = store
        self.pool = pool

    async def put(self, *mails: NewDocument) -> None:
        source_id = await self.store.source("home", "file:///")
        for one in mails:
            await self.store.put(source_id, one)

    async def keep(self, *names: str) -> None:
        source_id = await self.store.source("home", "file:///")
        kept = {f"file:///{name}" for name in names}
        held = [one.uri for one in await self.store.documents("home") if one.uri not in kept]
        await self.store.files.drop(source_id, held)

    async def labels(self) -> dict[str, str | None]:
        documents = await self.store.documents("home")
        return {one.uri.removeprefix("file:///"): one.thread for one in documents}

    async def threads(self) -> set[str]:
        """Return the threads, each as the names of its mails."""
        held: dict[str | None, list[str]] = {}
        for name, thread in (await self.labels()).items():
            held.setdefault(thread, []).append(name)
        assert None not in held
        return {" ".join(sorted(names)) for names in held.values()}

    async def parents(self) -> dict[str, str]:
        """Return whom each mail answers, where that is stored."""
        found: dict[str, str] = {}
        for thread in set((await self.labels()).values()):
            members = await self.store.thread(thread or "")
            names = {one.document.id: one.document.uri.removeprefix("file:///") for one in members}
            found |= {
                names[one.document.id]: names[one.parent_id]
                for one in members
                if one.parent_id is not None
            }
        return found

    async def versions(self) -> dict[str, str]:
        """Return by node the transaction that wrote its row."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT node, xmin::text AS version FROM mail_threads"
            )
            return {row["node"]: row["version"] for row in await cursor.fetchall()}

    async def nodes(self) -> int:
        async with self.pool.connection() as connection:
            cursor = await connection.execute("SELECT count(*) AS nodes FROM mail_threads")
            row = await cursor.fetchone()
        assert row is not None
        return int(row["nodes"])


@pytest.fixture
def box(pool: Pool) -> Box:
    return Box(DocumentStore(pool), pool)


async def test_a_reply_that_comes_before_its_parent_finds_it(box: Box) -> None:
    await box.put(mail("c", "a", "b"), mail("b", "a"), mail("a"))
    assert await box.threads() == {"a b c"}
    assert await box.parents() == {"b": "a", "c": "b"}


async def test_answers_to_a_mail_that_is_nowhere_hang_together(box: Box) -> None:
    await box.put(mail("b", "a"), mail("c", "a"), mail("d", "c", "nowhere"))
    assert await box.threads() == {"b c d"}
    assert await box.parents() == {"d": "c"}


async def test_equal_topics_alone_join_nothing(box: Box) -> None:
    await box.put(mail("a", topic="pump"), mail("b", topic="pump", day=1))
    await box.put(mail("c", "a", topic="pump", answers=True, day=2))
    assert await box.threads() == {"a c", "b"}


async def test_of_mails_with_one_id_the_first_is_the_parent(box: Box) -> None:
    await box.put(mail("late", own="a", day=1), mail("b", "a", day=2), mail("first", own="a"))
    assert await box.threads() == {"b first late"}
    assert await box.parents() == {"b": "first"}


async def test_mails_that_answer_each_other_in_a_circle_are_a_thread(box: Box) -> None:
    await box.put(mail("a", "c"), mail("b", "a"), mail("c", "b"))
    assert await box.threads() == {"a b c"}
    assert await box.parents() == {"a": "c", "b": "a", "c": "b"}


async def test_a_reply_without_references_belongs_to_the_latest_mail_on_its_topic(box: Box) -> None:
    orphan = mail("reply", topic="pump", answers=True, day=9)
    await box.put(orphan, mail("old", topic="pump", day=1))
    assert await box.threads() == {"old reply"}
    await box.put(mail("new", topic="pump", day=5), mail("later", topic="pump", day=10))
    assert await box.threads() == {"old", "new reply", "later"}
    await box.keep("old", "reply", "later")
    assert await box.threads() == {"old reply", "later"}


async def test_such_a_reply_belongs_to_nobody_else_and_to_nothing_long_ago(box: Box) -> None:
    await box.put(mail("a", topic="pump"), mail("other", topic="filter"))
    await box.put(
        mail("stranger", topic="pump", answers=True, day=1, sender="spam@y.example"),
        mail("late", topic="pump", answers=True, day=100),
        mail("nameless", answers=True, day=1),
    )
    assert await box.threads() == {"a", "other", "stranger", "late", "nameless"}


async def test_a_mail_on_the_topic_of_many_strangers_leaves_theirs_alone(box: Box) -> None:
    strangers = [
        mail(f"m{n}", topic="alarm", answers=True, day=n, sender=f"{n}@y.example") for n in range(9)
    ]
    await box.put(*strangers[:-1])
    before = await box.versions()
    await box.put(strangers[-1])
    after = await box.versions()
    assert len(after) == 9
    assert before.items() <= after.items()


MAILS = (
    mail("a", topic="pump"),
    mail("b", "a", topic="pump", answers=True, day=1),
    mail("c", "a", "b", day=2),
    mail("d", "lost", day=2),
    mail("e", "lost", "d", day=3),
    mail("f", topic="pump", answers=True, day=4),
    mail("g", "f", topic="pump", answers=True, day=5),
    mail("h", topic="pump", day=6),
    mail("i", topic="pump", answers=True, day=7),
    mail("j", topic="pump", answers=True, day=8),
    mail("k", "m", day=8),
    mail("l", "k", day=9),
    mail("m", "l", day=9),
)
THREADS = {"a b c f g", "d e", "h i j", "k l m"}


@pytest.mark.parametrize("seed", range(6))
async def test_threads_are_the_same_in_any_order_and_with_detours(box: Box, seed: int) -> None:
    chance = random.Random(seed)
    order = list(MAILS)
    chance.shuffle(order)
    detours = [mail("x", "a", "d", "h", day=3), mail("y", topic="pump", day=7.5)]
    await box.put(*order[:5], *detours, *order[5:])
    # One that is replaced by another mail, and back.
    await box.put(replace(mail("c", "k", "h"), uri=order[0].uri, content_hash=b"other"), order[0])
    assert len(await box.threads()) < 4
    await box.keep(*"abcdefghijklm")
    assert await box.threads() == THREADS
    labels = await box.labels()
    await box.keep()
    assert await box.nodes() == 0
    await box.put(*MAILS)
    assert await box.labels() == labels


async def test_a_mail_that_joined_two_threads_leaves_them_apart_when_it_goes(box: Box) -> None:
    await box.put(mail("a"), mail("b", "a"), mail("c"), mail("bridge", "a", "c"))
    assert await box.threads() == {"a b bridge c"}
    await box.keep("a", "b", "c")
    assert await box.threads() == {"a b", "c"}


async def test_mail_that_is_put_at_the_same_time_becomes_one_thread(box: Box) -> None:
    mails = [mail(f"m{n}", f"m{n + 1}") for n in range(12)]
    await box.store.source("home", "file:///")
    await asyncio.gather(*(box.put(one) for one in mails))
    assert len(await box.threads()) == 1


async def test_what_is_no_mail_has_no_thread(box: Box) -> None:
    await box.put(mail("a"), replace(mail("a"), message=None, content_hash=b"2"))
    assert await box.labels() == {"a": None}
    assert await box.nodes() == 0


async def test_a_mail_is_stored_with_whom_it_is_between(box: Box) -> None:
    await box.put(replace(mail("a"), author="Ann <ann@x.example>"))
    async with box.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT author, sender, recipients, message_id FROM documents"
        )
        row = await cursor.fetchone()
    assert row == {
        "author": "Ann <ann@x.example>",
        "sender": "ann@x.example",
        "recipients": ["list@x.example"],
        "message_id": "a",
    }
    assert (await box.store.documents("home"))[0].author == "Ann <ann@x.example>"


def partition(groups: Iterable[Sequence[int]]) -> set[frozenset[int]]:
    return {frozenset(group) for group in groups}


def test_documents_that_share_nodes_by_way_of_others_are_one_group() -> None:
    touched = [(1, ["a"]), (2, ["b"]), (3, ["c", "d"]), (4, ["b", "a"]), (5, ["e", "d"])]
    for order in (touched, touched[::-1]):
        groups = grouped(order)
        assert partition(group.document_ids for group in groups) == {
            frozenset({1, 2, 4}),
            frozenset({3, 5}),
        }
        assert sorted(sorted(group.nodes) for group in groups) == [["a", "b"], ["c", "d", "e"]]
