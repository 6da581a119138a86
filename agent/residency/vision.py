"""The model that describes pictures, brought onto the card and taken off by its own Ollama.

It is loaded, verified and watched as the executive is, by another keeper on another server: one
profile, whole on the card, with the context that was asked for.
"""

import time
from collections.abc import Callable, Mapping

from agent.residency.arbiter.events import ExecutiveDrifted, ExecutiveLost
from agent.residency.errors import ResidencyError
from agent.residency.keeper import TOLERANCE, Held, OllamaKeeper
from agent.residency.process.config import ServedExecutive
from agent.vision.describing import CONTEXT_TOKENS
from agent.vision.served import ServedVision


class VisionUnfitError(ResidencyError):
    """The model that describes pictures could not be loaded as it has to be."""


class VisionKeeper:
    """Loads one model on one server, unloads it, and says what it holds."""

    def __init__(
        self,
        served: ServedVision,
        *,
        used_bytes: Callable[[], int | None],
        beside_bytes: Held = lambda _: 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`used_bytes` tells what all programs use of the card; None where that is not known.

        `beside_bytes` tells what the executive's server holds of it.
        """
        self._served = served
        self._kept = OllamaKeeper(
            ServedExecutive(
                url=served.url,
                model=served.model,
                context_tokens=CONTEXT_TOKENS,
                compact_tokens=CONTEXT_TOKENS,
            ),
            used_bytes=used_bytes,
            beside_bytes=beside_bytes,
            clock=clock,
        )

    @property
    def model(self) -> str:
        """What it is called, to its server and to the arbiter."""
        return self._served.model

    @property
    def flaw(self) -> str | None:
        """Why it is not there, in words."""
        return self._kept.flaw

    @property
    def planned_bytes(self) -> int | None:
        """What it takes of the card, context of the driver included; None before it is known."""
        profiles = self._kept.profiles
        return profiles[0].bytes if profiles else None

    async def found(self) -> bool:
        """Whether it lies on the card now, whole and with its context."""
        return await self._kept.found() is not None

    async def load(self, lent_bytes: int) -> None:
        """Bring it onto the card, whole, and verify it, by what was lent as well.

        Raises ResidencyError.
        """
        if not self._kept.profiles:
            await self._kept.found()
        profiles = self._kept.profiles
        if not profiles:
            raise VisionUnfitError(self._kept.flaw or f"{self._served.model} cannot be loaded")
        await self._kept.load(profiles[0].name)
        held = self.said_bytes()
        if held > (1 + TOLERANCE) * lent_bytes:
            await self._kept.unload()
            raise VisionUnfitError(f"{self.model} took {held} bytes, where {lent_bytes} were lent")

    async def unload(self) -> None:
        """Take it off, and wait until its server says that it has gone. Raises ResidencyError."""
        await self._kept.unload()

    def said_bytes(self) -> int:
        """Return what its server says that it holds of the card, with the driver's context."""
        return self._kept.held_bytes({})

    def held_bytes(self, processes: Mapping[int, int | None]) -> int:
        """Return what it holds, given the bytes of each process on the card.

        That is no more than its server accounts for: other Ollamas have processes of like names.
        """
        return self._kept.held_bytes(processes)

    def suspect(self) -> None:
        """Look at it at the next chance."""
        self._kept.suspect()

    async def fault(self) -> str | None:
        """Return why it is not there as it was loaded, without our doing; once for each thing.

        One that came without leave, another program's, is taken off.
        """
        match await self._kept.inspect():
            case ExecutiveLost(reason=reason) | ExecutiveDrifted(reason=reason):
                return reason
            case _:
                return None

    async def aclose(self) -> None:
        """Hang up; the model stays as it is."""
        await self._kept.aclose()
