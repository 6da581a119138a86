"""Sight and hearing as readers use them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.reading.base import SenseFailedError
from tools.senses.base import (
    Operation,
    Recording,
    Residency,
    Senses,
    Sighting,
    Task,
    Transcript,
)
from tools.senses.errors import SenseError


@dataclass(frozen=True, kw_only=True, slots=True)
class Perception:
    """The senses of this machine, and who lends it out to them."""

    senses: Senses
    residency: Residency

    @property
    def picture_reader(self) -> str:
        """Name and version of what reads pictures."""
        return f"picture/1 {self.senses.sight.name}"

    @property
    def recording_reader(self) -> str:
        """Name and version of what reads recordings."""
        return f"recording/1 {self.senses.hearing.name}"

    def expect(self, task: Task) -> None:
        """Say what will be done as soon as its input is decoded."""
        self.residency.hint(Operation(task=task))

    async def look(self, image: NDArray[np.uint8]) -> Sighting:
        """Return the text in an image of shape (height, width, 3), RGB.

        Raises `SenseFailedError`.
        """
        with _translated():
            return await self.senses.sight.read(image)

    async def listen(self, recording: Recording) -> Transcript:
        """Return the words of a recording with their times. Raises `SenseFailedError`."""
        with _translated():
            return await self.senses.hearing.transcribe(recording)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SenseError as error:
        raise SenseFailedError(str(error)) from error
