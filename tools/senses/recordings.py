"""Recordings in place of a microphone and a loudspeaker."""

import os
import tempfile
import wave
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.senses.base import Recording
from tools.senses.devices import PLAYED_HZ
from tools.senses.voice import FRAME

Pace = Callable[[], Awaitable[None]]
"""Waits until the next frame may be heard."""


class RecordedMicrophone:
    """A recording, heard as if it were spoken now."""

    def __init__(self, recording: Recording, name: str, pace: Pace) -> None:
        self.name = name
        self._samples = recording.samples
        self._pace = pace

    async def frames(self) -> AsyncGenerator[NDArray[np.float32], None]:
        """Yield the frames, the last one filled up with silence."""
        for start in range(0, len(self._samples), FRAME):
            await self._pace()
            frame = np.asarray(self._samples[start : start + FRAME], np.float32)
            yield np.pad(frame, (0, FRAME - len(frame)))


class RecordedLoudspeaker:
    """Keeps what is said, at the moments at which it is said by the microphone's clock."""

    live = False

    def __init__(self, name: str) -> None:
        self.name = name
        self._writer: wave.Wave_write | None = None
        self._waiting = np.zeros(0, np.int16)
        self._time_s = 0.0
        self.kept = 0
        """Samples that were written, pauses included."""
        self.played = 0

    def begin(self, writer: wave.Wave_write) -> None:
        """Write there from now on."""
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(PLAYED_HZ)
        self._writer = writer

    @property
    def waiting(self) -> int:
        """Samples that it has still to play."""
        return len(self._waiting)

    def play(self, samples: NDArray[np.int16]) -> None:
        """Play these behind what waits."""
        self._waiting = np.concatenate([self._waiting, samples])

    def stop(self) -> None:
        """Forget what waits."""
        self._waiting = self._waiting[:0]

    def pass_time(self, seconds: float) -> None:
        """Keep so much more of what waits, or silence."""
        assert self._writer is not None, "it was begun"
        self._time_s += seconds
        count = round(self._time_s * PLAYED_HZ) - self.kept
        now, self._waiting = self._waiting[:count], self._waiting[count:]
        self._writer.writeframesraw(np.pad(now, (0, count - len(now))).astype("<i2").tobytes())
        self.kept += count
        self.played += len(now)


@contextmanager
def recorded_loudspeaker(path: Path) -> Iterator[RecordedLoudspeaker]:
    """Write a WAV file of what is said; it stands there in the end, however that comes.

    What was there before stays if no time passes at all.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    loudspeaker = RecordedLoudspeaker(path.name)
    try:
        with os.fdopen(descriptor, "wb") as file, wave.open(file, "wb") as writer:
            loudspeaker.begin(writer)
            yield loudspeaker
    finally:
        if loudspeaker.kept:
            Path(name).chmod(0o644)
            Path(name).replace(path)
        else:
            Path(name).unlink()
