"""What listens and what speaks: devices of this machine, or recordings in their place."""

from collections.abc import AsyncGenerator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

PLAYED_HZ = 24_000
"""Rate of what a loudspeaker plays, mono."""


class Microphone(Protocol):
    """What is heard, as it comes."""

    @property
    def name(self) -> str:
        """What it is, for a person."""
        ...

    def frames(self) -> AsyncGenerator[NDArray[np.float32], None]:
        """Yield frames of `tools.senses.voice.FRAME` samples at `SAMPLE_RATE_HZ`.

        It ends where a recording ends. Raises `SoundDeviceError` where a device has gone.
        """
        ...


class Loudspeaker(Protocol):
    """What is said, one sound behind the other."""

    @property
    def name(self) -> str:
        """What it is, for a person."""
        ...

    @property
    def live(self) -> bool:
        """Whether it plays at the pace of the world."""
        ...

    @property
    def played(self) -> int:
        """Samples at `PLAYED_HZ` that it has played so far, pauses aside."""
        ...

    @property
    def waiting(self) -> int:
        """Samples that it has still to play."""
        ...

    def play(self, samples: NDArray[np.int16]) -> None:
        """Play these behind what waits, mono at `PLAYED_HZ`. Does not wait."""
        ...

    def stop(self) -> None:
        """Forget what waits; what the device holds already, some hundredths of a second, sounds."""
        ...

    def pass_time(self, seconds: float) -> None:
        """Take notice that the microphone has heard so much: a recording of what is said goes on.

        A device has a clock of its own and does nothing.
        """
        ...
