"""Threads of mails: which hang together by the Message-IDs that they have and name.

A thread is a set of mails that references connect; its name is the least of its nodes. Both follow
from what is stored and not from the order in which it came. A mail that arrives joins what it
touches; where one goes or changes, its thread is dissolved and what remains is joined anew.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from psycopg.types.json import Jsonb

from memory.characters import storable, storable_json
from memory.database import Connection
from memory.messages import Message, node
from memory.queries import query
from memory.rows import Row, fetch


@dataclass(kw_only=True, slots=True)
class Group:
    """Documents that hang together, with all nodes that they touch."""

    nodes: set[str] = field(default_factory=set)
    document_ids: list[int] = field(default_factory=list)


async def settle(connection: Connection, messages: Mapping[int, Message | None]) -> None:
    """Bring documents that were stored, by id, into their threads; None: it is no mail.

    The caller holds the lock of the lexicon to the end of its transaction.
    """
    rows = await fetch(connection, "linked_messages", document_ids=list(messages))
    stored = {row["document_id"]: row for row in rows}
    changed = {
        document_id: message
        for document_id, message in messages.items()
        if _links(message) != _stored_links(stored[document_id])
    }
    if not changed:
        return
    await connection.execute(query("link_messages"), _columns(changed))
    orphaned = await fetch(connection, "orphaned_threads", document_ids=list(changed))
    left = {row["thread"] for row in orphaned}
    left |= {stored[document_id]["thread"] for document_id in changed} - {None}
    await regroup(connection, left, changed)


async def regroup(
    connection: Connection, threads: Collection[str], document_ids: Collection[int] = ()
) -> None:
    """Dissolve threads, and join their mails and some others by what each has and names."""
    if not threads and not document_ids:
        return
    values = {"threads": list(threads), "document_ids": list(document_ids)}
    rows = await fetch(connection, "messages_of_threads", **values)
    await connection.execute(query("dissolve_threads"), values)
    for group in grouped((row["document_id"], _nodes(row)) for row in rows):
        nodes = {"nodes": sorted(group.nodes), "document_ids": group.document_ids}
        await connection.execute(query("join_thread"), nodes)


def grouped(touched: Iterable[tuple[int, list[str]]]) -> list[Group]:
    """Put together documents that share a node, directly or by way of others."""
    group_of: dict[str, Group] = {}
    for document_id, nodes in touched:
        met = {id(group_of[one]): group_of[one] for one in nodes if one in group_of}
        largest = max(met.values(), key=lambda group: len(group.nodes), default=Group())
        for group in met.values():
            if group is not largest:
                largest.nodes |= group.nodes
                largest.document_ids += group.document_ids
                group_of.update(dict.fromkeys(group.nodes, largest))
        largest.nodes.update(nodes)
        largest.document_ids.append(document_id)
        group_of.update(dict.fromkeys(nodes, largest))
    return list({id(group): group for group in group_of.values()}.values())


def _nodes(row: Row) -> list[str]:
    ids = (row["message_id"], *row["ancestors"], row["elder"])
    return [node(message_id) for message_id in ids if message_id is not None]


def _links(message: Message | None) -> tuple[str | None, list[str], str | None, bool]:
    """Return what decides about a mail's thread, as its columns hold it."""
    if message is None:
        return None, [], None, False
    ancestors = [storable(message_id) for message_id in message.ancestors]
    return (
        storable(message.message_id),
        ancestors,
        storable(message.topic) or None,
        message.orphan,
    )


def _stored_links(row: Row) -> tuple[str | None, list[str], str | None, bool]:
    return row["message_id"], row["ancestors"], row["topic"], row["orphan"]


def _columns(messages: Mapping[int, Message | None]) -> dict[str, list[object]]:
    links = [_links(message) for message in messages.values()]
    return {
        "document_ids": list(messages),
        "message_ids": [one[0] for one in links],
        "ancestors": [Jsonb(storable_json(one[1])) for one in links],
        "topics": [one[2] for one in links],
        "orphans": [one[3] for one in links],
    }
