"""Messages of a mailbox file, told apart by the lines `From …` between them."""

import re
from collections.abc import Iterator
from typing import BinaryIO

LINE_BYTES = 1 << 16
"""What is longer is looked at in pieces."""

_ENVELOPE = re.compile(rb"\0*From \s*\S[^\n]*\d{1,2}:\d\d[^\n]*\b\d{4}\b[^\n]*\r?\n?")
_FIELD = re.compile(rb"[!-9;-~]+:|>From ")
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)
_HEAD = re.compile(rb"\r?\n\r?\n")


def messages(file: BinaryIO, size: int, *, limit: int) -> Iterator[bytes | None]:
    """Yield the messages in the first bytes of a file, each without its `From` line.

    Such a line counts only behind a blank one, with a time and a year in it and a header field
    below: prose begins like that too. Of a longer message one byte more than the limit is kept, so
    that its reader sees that it was cut. None stands for a line without a message. Blocks.
    """
    split = _Split(limit)
    left = size
    while left > 0 and (line := file.readline(min(left, LINE_BYTES))):
        left -= len(line)
        if split.begins(line):
            yield from split.closed()
        split.take(line)
    yield from split.ended()


class _Split:
    """Where in a mailbox the reading stands."""

    def __init__(self, limit: int) -> None:
        self._room = limit + 1
        self._held = bytearray()
        self._envelope = b""
        """A line that may begin a message; the next one tells."""
        self._fresh = True
        """Whether a line begins here, not the rest of a long one."""
        self._behind_blank = True

    def begins(self, line: bytes) -> bool:
        """Return whether a line is the first of a new message."""
        return bool(self._envelope) and _FIELD.match(line) is not None

    def take(self, line: bytes) -> None:
        """Go on behind a line."""
        if self._envelope:
            self._keep(self._envelope)
            self._envelope = b""
        if self._fresh and self._behind_blank and _ENVELOPE.fullmatch(line):
            self._envelope = line
        else:
            self._keep(line)
        self._behind_blank = self._fresh and not line.strip(b"\r\n\0")
        self._fresh = line.endswith(b"\n")

    def closed(self) -> Iterator[bytes]:
        """Yield the message that ended before the line that may begin the next one."""
        data = bytes(self._held).strip(b"\0\r\n")
        self._held.clear()
        self._envelope = b""
        if data:
            yield _unescaped(data) + b"\n"

    def ended(self) -> Iterator[bytes | None]:
        """Yield what stands before the end of the file."""
        lonely = bool(self._envelope)
        yield from self.closed()
        if lonely:
            yield None

    def _keep(self, line: bytes) -> None:
        self._held += line[: max(0, self._room - len(self._held))]


def _unescaped(data: bytes) -> bytes:
    """Take from lines that begin like an envelope the mark that was put before them."""
    head = _HEAD.search(data)
    if head is None:
        return data
    return data[: head.end()] + _ESCAPED.sub(rb"\1", data[head.end() :])
