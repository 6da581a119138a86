"""How fast a recording is heard that stands in for a microphone."""

import asyncio
from collections.abc import Callable

from tools.senses.voice import FRAME_S


class RealPace:
    """Frame by frame as long as they last."""

    def __init__(self) -> None:
        self._due: float | None = None

    async def __call__(self) -> None:
        """Wait until the next frame is over."""
        now = asyncio.get_running_loop().time()
        self._due = now + FRAME_S if self._due is None else self._due + FRAME_S
        await asyncio.sleep(max(0.0, self._due - now))


class IdlePace:
    """As fast as anything can be done: a recording stands still while it is waited for others.

    So where in the answer somebody breaks in does not depend on how fast the machine is.
    """

    def __init__(self) -> None:
        self.busy: Callable[[], bool] = lambda: False
        """Whether something is being worked on that has to be over before time goes on."""
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Look again whether it is."""
        self._changed.set()

    async def __call__(self) -> None:
        """Wait until time may go on."""
        await asyncio.sleep(0)
        while self.busy():
            self._changed.clear()
            await self._changed.wait()
