"""What the engine asks of hearing, sight and speech, and what they return.

Every operation runs under a lease from `Residency`, shaped by its input, also where nothing is
held back yet: on a machine without a card the lease is granted at once and only traced.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from memory.places import Box

SAMPLE_RATE_HZ = 16_000
"""What hearing listens to: mono at 16 kHz."""

WINDOWS_AT_ONCE = 4
"""Windows of thirty seconds that Whisper hears at once: what leases are asked for."""

ATTENTION_S = 120.0
"""Of sound that Parakeet hears at once: what its attention needs grows with the square."""


class Sense(StrEnum):
    """A capability that is brought in for an operation and leaves again."""

    HEARING = "hearing"
    SIGHT = "sight"
    SPEECH = "speech"
    EMBEDDING = "embedding"


class Task(StrEnum):
    """What a sense is to do: what two models of it can do in each other's place."""

    HEARING = "hearing"
    TEXT = "text"
    """To read what stands in a picture."""
    SEGMENTS = "segments"
    """To find what belongs together in a picture."""
    PICTURES = "pictures"
    """To say what a picture shows."""
    SPEECH = "speech"
    EMBEDDING = "embedding"

    @property
    def sense(self) -> Sense:
        """Whose task it is."""
        return _SENSES.get(self, Sense.SIGHT)


_SENSES = {
    Task.HEARING: Sense.HEARING,
    Task.SPEECH: Sense.SPEECH,
    Task.EMBEDDING: Sense.EMBEDDING,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One use of a sense, with what its need of memory depends on."""

    task: Task
    audio_s: float = 0.0
    pixels: int = 0
    characters: int = 0
    batch: int = 1
    """Windows of thirty seconds that are heard at once, or pictures that are seen."""
    language: str | None = None
    """ISO 639-1 code of what is to be said; None where it does not matter."""

    @property
    def sense(self) -> Sense:
        """What is used."""
        return self.task.sense


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """Permission to run one operation somewhere."""

    token: int
    """Rises with every lease; a later one outranks an earlier one."""
    variant: str
    """Which model may run it: one of the full tier, or the embedded one."""
    place: Literal["cpu", "cuda"]
    granted_bytes: int
    """Bytes of the card that the operation may take; 0 on a CPU."""


class Residency(Protocol):
    """Lends out the machine. The only way to run a sense."""

    def lease(self, operation: Operation) -> AbstractAsyncContextManager[Lease]:
        """Wait for room, hold it for the block, give it back however the block ends."""
        ...

    def hint(self, operation: Operation) -> None:
        """Say that such an operation will probably be asked for soon. Costs nothing, binds nobody.

        Where room is free, what it needs is brought in meanwhile.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Recording:
    """Decoded sound."""

    samples: NDArray[np.float32]
    """Shape (n,), mono at `SAMPLE_RATE_HZ`, from -1 to 1."""
    declared_s: float | None
    """Length that the container promised, in seconds, where it did."""
    flaws: tuple[str, ...] = ()
    """What was wrong with the input, in words: cut short, unreadable packets."""

    @property
    def duration_s(self) -> float:
        """Seconds of sound that there really are."""
        return len(self.samples) / SAMPLE_RATE_HZ


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """A recognised word with its time."""

    text: str
    start_s: float
    end_s: float
    probability: float | None = None
    speaker: str | None = None
    """Who said it, where voices were told apart: the same name for the same voice."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """Words between two pauses."""

    text: str
    start_s: float
    end_s: float
    words: tuple[Word, ...] = ()
    speaker: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Transcript:
    """What was heard."""

    segments: tuple[Segment, ...]
    language: str
    """ISO 639-1 code of the language that was listened for."""
    duration_s: float
    flaws: tuple[str, ...] = ()
    served_by: str = ""
    """What heard it."""

    @property
    def text(self) -> str:
        """All segments in one line."""
        return " ".join(segment.text for segment in self.segments)


@dataclass(frozen=True, kw_only=True, slots=True)
class TextLine:
    """A line of recognised text."""

    text: str
    box: Box
    score: float
    """Confidence from 0 to 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sighting:
    """What was seen in an image."""

    lines: tuple[TextLine, ...]
    """In reading order: rows from the top, each from the left."""
    width: int
    height: int
    flaws: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All lines, one below the other."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True, kw_only=True, slots=True)
class Region:
    """A part of a picture that belongs together."""

    box: Box
    pixels: int
    """How many of the box belong to it; 0 where nothing was found."""
    score: float
    """How sure the model is of its outline, from 0 to 1."""
    mask: NDArray[np.bool_]
    """Shape (rows, columns): cells that cover the box evenly, as fine as the model looked.

    In a large picture a cell is more than a pixel, so that hundreds of masks stay small.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """Points at what should be outlined, in pixels of the picture."""

    points: Sequence[tuple[float, float]] = ()
    """Of (x, y), in the thing or beside it."""
    inside: Sequence[bool] = ()
    """For each point whether it lies in the thing."""
    box: Box | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Speech:
    """Sound of a spoken text."""

    samples: NDArray[np.int16]
    """Shape (n,), mono."""
    sample_rate_hz: int
    served_by: str = ""
    """What spoke it."""


class Transcriber(Protocol):
    """Hearing."""

    @property
    def name(self) -> str:
        """Name and tier for `doctor` and traces."""
        ...

    async def transcribe(self, recording: Recording) -> Transcript:
        """Return timed words. Silence is an empty transcript, not an error."""
        ...


class Reader(Protocol):
    """Sight: text with boxes."""

    @property
    def name(self) -> str:
        """Name and tier for `doctor` and traces."""
        ...

    async def read(self, image: NDArray[np.uint8]) -> Sighting:
        """Return the lines in an image of shape (height, width, 3), RGB. None is no error."""
        ...


class Segmenter(Protocol):
    """Sight: what belongs together."""

    @property
    def name(self) -> str:
        """Name and tier for `doctor` and traces."""
        ...

    async def regions(self, image: NDArray[np.uint8]) -> tuple[Region, ...]:
        """Return all regions in an image of shape (height, width, 3), RGB, the largest first."""
        ...

    async def region(
        self, image: NDArray[np.uint8], prompts: Sequence[Prompt]
    ) -> tuple[Region, ...]:
        """Return the best region for each prompt, in their order."""
        ...


USUAL_LANGUAGE = "en"
"""What a text is spoken in whose language nobody can tell: it has a word or two."""


class Synthesizer(Protocol):
    """Speech."""

    @property
    def name(self) -> str:
        """Name and tier for `doctor` and traces."""
        ...

    async def say(self, text: str, *, language: str) -> Speech:
        """Return the sound of a text in a language given as ISO 639-1 code."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Senses:
    """The senses of this machine, each at the best tier that is there."""

    hearing: Transcriber
    sight: Reader
    speech: Synthesizer
    segments: Segmenter | None = None
    """There is none in the embedded tier."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileRef:
    """A file that the user handed over."""

    path: Path
    name: str
