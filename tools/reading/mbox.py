"""Mailbox files: the messages in one, each under a name that it keeps."""

import errno
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tools.content import Content, Kind
from tools.reading import headers
from tools.reading.base import UnreadableError
from tools.reading.correspondence import message_id
from tools.reading.disk import opened
from tools.reading.envelopes import messages
from tools.reading.members import BrokenMember, Member
from tools.reading.message import LARGEST_BYTES

MESSAGE = Content(kind=Kind.MAIL, media_type="message/rfc822")

NAME_LETTERS = 120
_TAIL_BYTES = 1 << 12
_DIGEST_LETTERS = 16

_HEAD_END = re.compile(rb"\r?\n\r?\n|\Z")
_STATE = re.compile(
    rb"^(?:x-)?(?:status|keywords|uid|imap|imapbase|evolution|mozilla-[\w-]*|kmail-[\w-]*|"
    rb"gmail-labels|content-length|lines):[^\n]*(?:\n[ \t][^\n]*)*\n?",
    re.IGNORECASE | re.MULTILINE,
)
"""Headers in which mail programs note what was done with a message."""
_FIELD = r"^%s:([^\n]*(?:\n[ \t][^\n]*)*)"
_ID = re.compile((_FIELD % "message-id").encode(), re.IGNORECASE | re.MULTILINE)
_SUBJECT = re.compile((_FIELD % "subject").encode(), re.IGNORECASE | re.MULTILINE)


class Mailbox:
    """A mailbox file in any of the forms of mbox.

    A message is named by its Message-ID, and by a digest where it has none; of several different
    ones with the same id the first has it alone, the others with their digest behind it. Copies are
    left out, and so is what mail programs note in headers: that it was read or moved changes
    neither name nor bytes. Memory is taken for one message, cut at what `mail` reads of it, and
    some 200 bytes for each.

    No lock is taken, since a program that brings mail would have to wait for it for hours.
    """

    def members(self, path: Path) -> Iterator[Member | BrokenMember]:
        """Yield the messages that are there at the moment, one after the other. Blocks.

        What is added meanwhile is left for another time. Raises OSError where the file was
        rewritten: messages may have been missed.
        """
        with opened(path) as descriptor:
            before = os.fstat(descriptor)
            tail = _tail(descriptor, before.st_size)
            if not os.pread(descriptor, _TAIL_BYTES, 0).lstrip(b"\0\r\n\t ").startswith(b"From "):
                raise UnreadableError(f"{path.name} does not begin as a mailbox does.")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                yield from _members(file, before.st_size, path.name)
            after = os.fstat(descriptor)
            touched = (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns)
            if touched and tail != _tail(descriptor, before.st_size):
                raise OSError(
                    errno.ESTALE, "it was rewritten while it was read; ingest it once more"
                )


def _members(file: BinaryIO, size: int, name: str) -> Iterator[Member | BrokenMember]:
    names = _Names()
    for data in messages(file, size, limit=LARGEST_BYTES):
        if data is None:
            yield _unfinished(name)
        elif (member := names.member(data)) is not None:
            yield member


def _tail(descriptor: int, size: int) -> bytes:
    """Return the last bytes before an offset: they stay where nothing was changed before them."""
    start = max(0, size - _TAIL_BYTES)
    return os.pread(descriptor, size - start, start)


def _unfinished(name: str) -> BrokenMember:
    return BrokenMember(
        key="unfinished",
        name="the last message",
        reason=f"the last message of {name} has not been written yet; ingest it once more",
    )


class _Names:
    """Names of messages, each given once."""

    def __init__(self) -> None:
        self._given: set[int] = set()

    def member(self, data: bytes) -> Member | None:
        """Return a message under its name; None for a copy of an earlier one."""
        end = next(_HEAD_END.finditer(data)).start()
        head = _STATE.sub(b"", data[:end] + b"\n")
        data = head + data[end:].removeprefix(b"\r").removeprefix(b"\n")
        digest = hashlib.sha256(data).hexdigest()[:_DIGEST_LETTERS]
        key = self._key(message_id(_value(_ID, head)), digest)
        if key is None:
            return None
        subject = headers.decoded(_value(_SUBJECT, head))[:NAME_LETTERS]
        return Member(key=key, name=subject or key, data=data, content=MESSAGE)

    def _key(self, own_id: str, digest: str) -> str | None:
        if hash((own_id, digest)) in self._given:
            return None
        self._given.add(hash((own_id, digest)))
        if not own_id:
            return digest
        taken = hash(own_id) in self._given
        self._given.add(hash(own_id))
        return f"{own_id}.{digest}" if taken else own_id


def _value(field: re.Pattern[bytes], head: bytes) -> str:
    """Return a header as the parser of the standard library keeps it; "" where there is none."""
    match = field.search(head)
    return match[1].decode("ascii", "surrogateescape") if match else ""
