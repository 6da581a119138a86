"""What the worker of the senses asks of a model, wherever its weights lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tools.senses.background import Patience
from tools.senses.base import Prompt, Region, Segment, Speech


class Model(Protocol):
    """A model whose weights lie on the disk, in host memory, or on a device as well.

        disk  -stage->  host  -bring->  device
        disk  <-drop-   host  <-leave-  device

    All of it blocks. The worker calls one method at a time, never an operation on a model that has
    not been brought. What fails leaves the model where it was before.
    """

    @property
    def host_bytes(self) -> int:
        """What its copy in host memory takes; 0 before it is staged."""
        ...

    def stage(self) -> None:
        """Read the weights into host memory. Raises WeightsError or EngineError."""
        ...

    def bring(self, device: str) -> None:
        """Copy the weights to `cpu`, `cuda` or `cuda:N`, staging them first where need be.

        On the CPU this is a copy too, unless a library cannot have two: tests go the way that a
        card goes. Raises DeviceError where there is no room.
        """
        ...

    def leave(self) -> None:
        """Give all bytes of the device back; the copy in host memory stays."""
        ...

    def drop(self) -> None:
        """Give the host memory back as well."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Voice:
    """What a speaker sounds like, to find the same person in another piece."""

    speaker: str
    features: tuple[float, ...]
    """A direction: the same voice has nearly the same one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """What a model of hearing made of a piece of sound."""

    segments: tuple[Segment, ...]
    """Times in seconds from the beginning of the piece."""
    language: str
    """ISO 639-1 code; `und` where nothing was said that it could be told from."""
    flaws: tuple[str, ...] = ()
    """What could not be done, in words: no word times for this language, say."""
    voices: tuple[Voice, ...] = ()
    """Of the speakers, where they were told apart."""


class HearingModel(Model, Protocol):
    """Writes down speech."""

    def transcribe(
        self, samples: NDArray[np.float32], patience: Patience, *, language: str | None = None
    ) -> Heard:
        """Return the words of a piece of shape (n,), mono at `SAMPLE_RATE_HZ`, from -1 to 1.

        Without a language it is detected, where the model can. Silence gives no segments. Raises
        EngineError.
        """
        ...


class SpeakingModel(Model, Protocol):
    """Speaks."""

    def languages(self) -> frozenset[str]:
        """Return ISO 639-1 codes of what it can say here."""
        ...

    def say(
        self, text: str, patience: Patience, *, language: str, voice: str | None = None
    ) -> Speech:
        """Return the sound of a text. Raises NothingToSayError or EngineError."""
        ...


class SegmentingModel(Model, Protocol):
    """Finds what belongs together in a picture."""

    def regions(self, image: NDArray[np.uint8], patience: Patience) -> tuple[Region, ...]:
        """Return all regions in an image of shape (height, width, 3), RGB, the largest first."""
        ...

    def region(
        self, image: NDArray[np.uint8], prompts: Sequence[Prompt], patience: Patience
    ) -> tuple[Region, ...]:
        """Return the best region for each prompt, in their order."""
        ...


Kind = Literal["whisperx", "parakeet", "sam2", "kokoro", "wav2vec2"]
"""Which library loads the weights."""
