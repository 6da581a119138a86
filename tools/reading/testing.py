"""Senses for tests: they say what they were told to say, and remember what they were shown."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
from numpy.typing import NDArray

from memory.places import Box
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

    @asynccontextmanager
    async def lease(self, operation: Operation) -> AsyncIterator[Lease]:
        """Hold nothing back."""
        self.lent.append(operation)
        yield Lease(token=len(self.lent), place="cpu", granted_bytes=0)


def perception(
    sight: ScriptedSight | None = None,
    hearing: ScriptedHearing | None = None,
    residency: OpenResidency | None = None,
) -> Perception:
    """Return senses that notice only what they were told."""
    return Perception(
        senses=Senses(
            sight=sight or ScriptedSight(),
            hearing=hearing or ScriptedHearing(),
            speech=Mute(),
        ),
        residency=residency or OpenResidency(),
    )
