"""The senses as everybody uses them: each operation under a lease, by the model that it names.

Which model runs is decided when the lease is granted, not before: the full tier's where it can be
had, else the embedded one. So only these ask for leases, and nothing reaches a model without one.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from memory.language import UNKNOWN
from tools.senses import cutting, joining
from tools.senses.base import (
    SAMPLE_RATE_HZ,
    USUAL_LANGUAGE,
    WINDOWS_AT_ONCE,
    Lease,
    Operation,
    Prompt,
    Reader,
    Recording,
    Region,
    Residency,
    Segmenter,
    Senses,
    Sighting,
    Speech,
    Synthesizer,
    Task,
    Transcriber,
    Transcript,
)
from tools.senses.models.base import Heard

PIECE_S = 300.0
"""Longest piece of a recording that is heard under one lease."""


Tell = Callable[[str], None]
"""Hears what a person who waits wants to know."""


def silent(_: str) -> None:
    """Tell nobody."""


class FullTier(Protocol):
    """Models of the full tier, wherever they run."""

    def best(self, task: Task) -> str | None:
        """Return the first choice for a task; None where there is no model for it."""
        ...

    def serves(self, variant: str) -> bool:
        """Whether a lease of that variant is one of its own."""
        ...

    async def hear(
        self, lease: Lease, samples: NDArray[np.float32], *, language: str | None = None
    ) -> Heard:
        """Return the words of a recording. Raises SenseError."""
        ...

    async def say(self, lease: Lease, text: str, *, language: str) -> Speech:
        """Return the sound of a text. Raises SenseError."""
        ...

    async def regions(self, lease: Lease, image: NDArray[np.uint8]) -> tuple[Region, ...]:
        """Return what belongs together in an image. Raises SenseError."""
        ...

    async def region(
        self, lease: Lease, image: NDArray[np.uint8], prompts: Sequence[Prompt]
    ) -> tuple[Region, ...]:
        """Return the region that each prompt points at. Raises SenseError."""
        ...


def leased(
    embedded: Senses, residency: Residency, full: FullTier | None = None, *, tell: Tell = silent
) -> Senses:
    """Return senses that ask before each operation; `tell` hears how far a long one has come."""
    return Senses(
        hearing=LeasedTranscriber(embedded.hearing, residency, full, tell),
        sight=LeasedReader(embedded.sight, residency),
        speech=LeasedSynthesizer(embedded.speech, residency, full),
        segments=_segmenter(residency, full),
    )


def _segmenter(residency: Residency, full: FullTier | None) -> Segmenter | None:
    name = None if full is None else full.best(Task.SEGMENTS)
    return None if full is None or name is None else LeasedSegmenter(name, residency, full)


class LeasedTranscriber:
    """Hearing."""

    def __init__(
        self,
        embedded: Transcriber,
        residency: Residency,
        full: FullTier | None,
        tell: Tell = silent,
    ) -> None:
        self._embedded = embedded
        self._residency = residency
        self._full = full
        self._tell = tell

    @property
    def name(self) -> str:
        """What hears if it can be had."""
        best = None if self._full is None else self._full.best(Task.HEARING)
        return best or self._embedded.name

    async def transcribe(self, recording: Recording) -> Transcript:
        """Return timed words. Raises SenseError.

        A long recording is heard in pieces, each under a lease of its own, so that what one needs
        is bounded and others come between.
        """
        parts: list[tuple[float, Heard]] = []
        servers: dict[str, None] = {}
        for piece in await asyncio.to_thread(cutting.pieces, recording.samples, PIECE_S):
            heard, server = await self._hear(recording.samples[piece.start : piece.end])
            parts.append((piece.start_s, heard))
            servers[server] = None
            if piece.end < len(recording.samples):
                until_s = piece.end / SAMPLE_RATE_HZ
                self._tell(f"heard {until_s:.0f} of {recording.duration_s:.0f} s")
        heard = joining.joined(parts)
        return Transcript(
            segments=heard.segments,
            language=heard.language,
            duration_s=recording.duration_s,
            flaws=heard.flaws,
            served_by=", ".join(servers) or self.name,
        )

    async def _hear(self, samples: NDArray[np.float32]) -> tuple[Heard, str]:
        """Return what was heard in a piece, and by what."""
        piece = Recording(samples=samples, declared_s=None)
        operation = Operation(task=Task.HEARING, audio_s=piece.duration_s, batch=WINDOWS_AT_ONCE)
        async with self._residency.lease(operation) as lease:
            if self._full is not None and self._full.serves(lease.variant):
                return await self._full.hear(lease, samples), lease.variant
            found = await self._embedded.transcribe(piece)
        heard = Heard(segments=found.segments, language=found.language, flaws=found.flaws)
        return heard, self._embedded.name


class LeasedReader:
    """Reading what stands in pictures, which only the embedded model does."""

    def __init__(self, embedded: Reader, residency: Residency) -> None:
        self._embedded = embedded
        self._residency = residency

    @property
    def name(self) -> str:
        """What reads."""
        return self._embedded.name

    async def read(self, image: NDArray[np.uint8]) -> Sighting:
        """Return the lines in an image of shape (height, width, 3), RGB. Raises SenseError."""
        operation = Operation(task=Task.TEXT, pixels=image.shape[0] * image.shape[1])
        async with self._residency.lease(operation):
            return await self._embedded.read(image)


class LeasedSynthesizer:
    """Speech."""

    def __init__(self, embedded: Synthesizer, residency: Residency, full: FullTier | None) -> None:
        self._embedded = embedded
        self._residency = residency
        self._full = full

    @property
    def name(self) -> str:
        """What speaks if it can be had."""
        best = None if self._full is None else self._full.best(Task.SPEECH)
        return best or self._embedded.name

    async def say(self, text: str, *, language: str) -> Speech:
        """Return the sound of a text in a language given as ISO 639-1 code. Raises SenseError.

        One word is spoken by the same voice as the sentence before it.
        """
        language = USUAL_LANGUAGE if language == UNKNOWN else language
        operation = Operation(task=Task.SPEECH, characters=len(text), language=language)
        async with self._residency.lease(operation) as lease:
            if self._full is not None and self._full.serves(lease.variant):
                speech = await self._full.say(lease, text, language=language)
                return replace(speech, served_by=lease.variant)
            speech = await self._embedded.say(text, language=language)
            return replace(speech, served_by=self._embedded.name)


class LeasedSegmenter:
    """Finding what belongs together in pictures, which only the full tier does."""

    def __init__(self, name: str, residency: Residency, full: FullTier) -> None:
        self._name = name
        self._residency = residency
        self._full = full

    @property
    def name(self) -> str:
        """What does it if it can be had."""
        return self._name

    async def regions(self, image: NDArray[np.uint8]) -> tuple[Region, ...]:
        """Return all regions of an image of shape (height, width, 3), RGB; none on a CPU.

        It asks at a thousand points, which takes minutes there. Raises SenseError.
        """
        operation = Operation(task=Task.SEGMENTS, pixels=image.shape[0] * image.shape[1])
        async with self._residency.lease(operation) as lease:
            return await self._full.regions(lease, image) if lease.place == "cuda" else ()

    async def region(
        self, image: NDArray[np.uint8], prompts: Sequence[Prompt]
    ) -> tuple[Region, ...]:
        """Return the region that each prompt points at. Raises SenseError."""
        operation = Operation(task=Task.SEGMENTS, pixels=image.shape[0] * image.shape[1])
        async with self._residency.lease(operation) as lease:
            return await self._full.region(lease, image, prompts)
