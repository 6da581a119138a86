"""Readers and senses for tests: they say what they were told to, and remember what they saw."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from memory.documents import NewDocument, located
from memory.places import Box, Place
from tools.content import Content, Kind
from tools.papers import document_of
from tools.reading import text
from tools.reading.base import Reading, SenseFailedError, UnreadableError
from tools.reading.members import BrokenMember, Container, Member
from tools.reading.perception import Perception
from tools.senses.base import (
    Lease,
    Operation,
    Recording,
    Segment,
    Senses,
    Sighting,
    Speech,
    TextLine,
    Transcript,
    Word,
)
from tools.senses.leased import leased


class PlainReader:
    """Reads all as text, save what begins with FAIL; NO fails a sense, BUG is a fault of ours."""

    version = "plain 1"

    def __init__(self) -> None:
        self.reader = text.READER
        """What it calls itself: with another, what was read has to be read again."""
        self.read_names: list[str] = []

    async def read(self, data: bytes, name: str, content: Content | None = None) -> Reading:  # noqa: ARG002 - it is text, whatever it is
        """Return the lines, or fail as the first word says."""
        self.read_names.append(name)
        if data.startswith(b"FAIL"):
            raise UnreadableError(f"{name} cannot be read: it says so.")
        if data.startswith(b"NO"):
            raise SenseFailedError(f"{name} was not heard.")
        if data.startswith(b"BUG"):
            raise KeyError(name)
        return replace(text.read(data, name, "text/plain"), reader=self.reader)

    def current(self, reader: str) -> bool:
        """Return whether that is what it calls itself."""
        return reader == self.reader


class Postbox:
    """Takes mail apart at its `From ` lines; what stands in `Message-ID:` is the key."""

    def __init__(self) -> None:
        self.taken_apart = 0

    def members(self, path: Path) -> Iterator[Member | BrokenMember]:
        """Yield each message; one without a key is broken."""
        self.taken_apart += 1
        held: list[bytes] = []
        with path.open("rb") as file:
            for line in file:
                if line.startswith(b"From ") and held:
                    yield self._member(b"".join(held))
                    held = []
                held.append(line)
        if held:
            yield self._member(b"".join(held))

    def _member(self, message: bytes) -> Member | BrokenMember:
        body = message.partition(b"\n\n")[2]
        for line in message.splitlines():
            if line.startswith(b"Message-ID: "):
                key = line.removeprefix(b"Message-ID: ").decode()
                return Member(key=key, name=f"mail {key}", data=body)
        return BrokenMember(key=body.decode()[:10], name="a mail", reason="it has no key")


def postboxes(box: Postbox) -> Callable[[Content], Container | None]:
    """Return what says that mail is taken apart by this box."""
    return lambda content: box if content.kind is Kind.MAIL else None


class ScriptedSight:
    """Sees the same rows in every picture: each (text, left, top, right, bottom)."""

    name = "scripted sight"

    def __init__(self, *rows: tuple[str, float, float, float, float]) -> None:
        self.rows = rows
        self.shown: list[tuple[int, int]] = []
        """Height and width of each image."""

    async def read(self, image: NDArray[np.uint8]) -> Sighting:
        """Return the rows."""
        height, width = image.shape[:2]
        self.shown.append((height, width))
        lines = tuple(
            TextLine(text=text, box=Box(left=left, top=top, right=right, bottom=bottom), score=0.99)
            for text, left, top, right, bottom in self.rows
        )
        return Sighting(lines=lines, width=width, height=height)


class ScriptedHearing:
    """Hears the same segments in every recording: each (text, start, end)."""

    name = "scripted hearing"

    def __init__(self, *segments: tuple[str, float, float]) -> None:
        self.segments = segments
        self.words: tuple[Word, ...] = ()
        """Of every segment."""

    async def transcribe(self, recording: Recording) -> Transcript:
        """Return the segments."""
        return Transcript(
            segments=tuple(
                Segment(text=text, start_s=start, end_s=end, words=self.words)
                for text, start, end in self.segments
            ),
            language="en",
            duration_s=recording.duration_s,
        )


class Mute:
    """Speech that must not be asked for."""

    name = "mute"

    async def say(self, text: str, *, language: str) -> Speech:
        """Refuse."""
        raise AssertionError(f"nothing should be said here: {text!r} in {language}")


class OpenResidency:
    """Lends at once, and remembers for what."""

    def __init__(self) -> None:
        self.lent: list[Operation] = []
        self.hinted: list[Operation] = []

    def hint(self, operation: Operation) -> None:
        """Remember it."""
        self.hinted.append(operation)

    @asynccontextmanager
    async def lease(self, operation: Operation) -> AsyncIterator[Lease]:
        """Hold nothing back."""
        self.lent.append(operation)
        yield Lease(token=len(self.lent), variant="embedded", place="cpu", granted_bytes=0)


def said(reading: Reading) -> list[tuple[str, str]]:
    """Return the text and the place of each block."""
    return [(block.text, str(block.place)) for block in reading.blocks]


def document_read(reading: Reading) -> NewDocument:
    """Return what is stored of a reading."""
    return document_of(reading, uri="x", digest=b"", modified_at=datetime(2026, 3, 2, tzinfo=UTC))


def quoted(reading: Reading, words: str) -> Place:
    """Return the place of a quotation in what is stored of a reading."""
    for chunk in document_read(reading).chunks:
        if (at := chunk.text.find(words)) >= 0:
            return located(chunk, at, at + len(words))
    raise AssertionError(f"{words!r} is in no passage")


def perception(
    sight: ScriptedSight | None = None,
    hearing: ScriptedHearing | None = None,
    residency: OpenResidency | None = None,
) -> Perception:
    """Return senses that notice only what they were told."""
    scripted = Senses(
        sight=sight or ScriptedSight(), hearing=hearing or ScriptedHearing(), speech=Mute()
    )
    lent = residency or OpenResidency()
    return Perception(senses=leased(scripted, lent), residency=lent)
