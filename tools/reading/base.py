"""What a reader returns."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from memory.documents import Span
from memory.labels import Label
from memory.messages import Message
from memory.places import Place
from tools.content import Content

FILE_BYTES_LIMIT = 200 * 2**20
"""Of a file that is read, unless settings say otherwise."""


class UnreadableError(Exception):
    """Nothing could be read; the text says of which file, why, and what to do."""


class SenseFailedError(UnreadableError):
    """A sense failed, not the file: another time it may be read. The text says what to do."""


UNREAD = "unread/0"
"""Stands among the readers of what a sense failed on, and is never current: it is read again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A paragraph, a table row, a recognised line, a segment of speech: never split over places."""

    text: str
    place: Place
    label: Label
    spans: tuple[Span, ...] = ()
    """Finer places within it, as in `memory.documents.NewChunk`: of words, of a row's parts."""
    quoted: bool = False
    """Whether it only repeats an earlier mail."""
    section: tuple[str, ...] | None = None
    """Headings that it shares a passage under with its neighbours; None: those of its place."""

    @property
    def headings(self) -> tuple[str, ...]:
        """Return what a passage with it stands under."""
        return self.place.heading if self.section is None else self.section

    def moved(self, move: Callable[[Place], Place], label: Label) -> "Block":
        """Return the same text with its places moved and another label."""
        spans = tuple(replace(span, place=move(span.place)) for span in self.spans)
        return replace(self, place=move(self.place), label=label, spans=spans)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """All that was read in one file."""

    title: str
    kind: str
    """As in `memory.documents.NewDocument`."""
    media_type: str
    blocks: tuple[Block, ...]
    label: Label
    reader: str
    """Names and versions of what read it, such as `mail/1 + picture/1 rapidocr 3.10.0`."""
    author: str = ""
    """Who wrote it, where the content says so: the sender of a mail."""
    message: Message | None = None
    """Of a mail: whom it is between, and what it answers."""
    made_at: datetime | None = None
    """The moment that the content itself gives, such as the date of a mail."""
    flaws: tuple[str, ...] = ()
    """What could not be read, in words."""
    own_words: str | None = None
    """What tells its language, where words of ours stand in the blocks; None: all of them do."""


class FileReader(Protocol):
    """Reads any file by its content, by way of hearing and sight where that is needed."""

    async def read(self, data: bytes, name: str, content: Content | None = None) -> Reading:
        """Return what stands in the bytes. Raises `UnreadableError` where nothing can be read.

        The name is used for messages and titles only; the type comes from the bytes, unless
        whoever took them out of something larger knows what they are.
        """
        ...

    @property
    def version(self) -> str:
        """What it reads with, in short: with another, what could not be read may be readable."""
        ...

    def current(self, reader: str) -> bool:
        """Return whether what `Reading.reader` says is still how it would be read."""
        ...
