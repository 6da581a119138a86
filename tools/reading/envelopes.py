"""Messages of a mailbox file, told apart by the lines `From …` between them."""

import re
from collections.abc import Iterator
from typing import BinaryIO

LINE_BYTES = 1 << 16
"""What is longer is looked at in pieces."""
ENVELOPE_BYTES = 500

_ENVELOPE = re.compile(rb"From \s*\S[^\n]*\d{1,2}:\d\d[^\n]*\b\d{4}\b[^\n]*\n?")
_FIELD = re.compile(rb"[!-9;-~]+:|>From ")
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)
_HEAD = re.compile(rb"\r?\n\r?\n")


def messages(file: BinaryIO, size: int, *, limit: int) -> Iterator[bytes | None]:
    """Yield the messages in the first bytes of a file, each without its `From` line.

    Such a line counts only behind a blank one, with a time and a year in it and a header field
    below: prose begins like that too. Of a longer message one byte more than the limit is kept, so
    that its reader sees that it was cut. None stands for a line without a message. Blocks.
    """
    held = bytearray()
    envelope = b""
    may_begin = whole = True
    for line in _lines(file, size):
        if envelope:
            if _FIELD.match(line):
                yield from _closed(held, limit)
                held = bytearray()
            else:
                held += envelope
            envelope = b""
        if may_begin and len(line) <= ENVELOPE_BYTES and _ENVELOPE.fullmatch(line):
            envelope = line
        elif len(held) <= limit:
            held += line
        may_begin = whole and not line.strip(b"\r\n")
        whole = line.endswith(b"\n")
    yield from _closed(held, limit)
    if envelope:
        yield None


def _lines(file: BinaryIO, size: int) -> Iterator[bytes]:
    left = size
    while left > 0 and (line := file.readline(min(left, LINE_BYTES))):
        left -= len(line)
        # A file that was being written when its system crashed has holes.
        if line := line.lstrip(b"\0"):
            yield line


def _closed(held: bytearray, limit: int) -> Iterator[bytes]:
    """Yield the message whose lines were held, if there are any."""
    if not (data := bytes(held[: limit + 1]).strip(b"\r\n")):
        return
    if head := _HEAD.search(data):
        # Lines that begin like an envelope were marked.
        data = data[: head.end()] + _ESCAPED.sub(rb"\1", data[head.end() :])
    yield data + b"\n"
