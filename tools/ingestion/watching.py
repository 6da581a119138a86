"""When to look at folders again: after a change below them, and every so often in any case.

What the system tells of changes is only taken as a hint that a full pass is due, which costs a look
at each file. So nothing is missed for good: a queue that overflowed, a folder that was replaced, a
network file system that tells nothing are made up for by the next pass.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

log = logging.getLogger(__name__)

EVERY_S = 600.0
"""Between two passes where nothing is heard."""
_SETTLE_MS = 1_500
"""For which changes are gathered: an editor's save is several of them."""
_REARM_S = 5.0
"""After which a folder that cannot be watched is tried again."""


class Watcher:
    """Says when a pass over paths is due."""

    def __init__(self, paths: Sequence[Path], *, every_s: float = EVERY_S) -> None:
        self._paths = paths
        self._every_s = every_s
        self._changed = asyncio.Event()

    async def passes(self) -> AsyncGenerator[list[Path], None]:
        """Yield the paths that are there: at once, and then whenever a pass is due.

        As much time goes by between two passes as the last one took.
        """
        listening = [
            asyncio.create_task(self._listen(folders=True)),
            asyncio.create_task(self._listen(folders=False)),
        ]
        try:
            while True:
                began = time.monotonic()
                yield [path for path in self._paths if path.exists()]
                await asyncio.sleep(time.monotonic() - began)
                await self._due()
        finally:
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)

    async def _due(self) -> None:
        try:
            async with asyncio.timeout(self._every_s):
                await self._changed.wait()
        except TimeoutError:
            log.debug("watch_pass_by_time", extra={"every_s": self._every_s})
        self._changed.clear()

    async def _listen(self, *, folders: bool) -> None:
        """Note changes below folders, or of files by way of the folders that they lie in."""
        while True:
            paths = [path for path in self._paths if path.exists() and path.is_dir() == folders]
            if not paths:
                await asyncio.sleep(_REARM_S)
                continue
            try:
                await self._heard(paths, folders=folders)
            except Exception as error:  # noqa: BLE001 - watchfiles' own: no more watches, no folder
                log.warning("watch_refused", extra={"reason": str(error)})
                await asyncio.sleep(_REARM_S)

    async def _heard(self, paths: Sequence[Path], *, folders: bool) -> None:
        """Wait for changes; return when the watch has to be set anew."""
        from watchfiles import awatch

        real = await asyncio.to_thread(lambda: [path.resolve() for path in paths])
        watched = real if folders else sorted({path.parent for path in real})
        async for changes in awatch(
            *watched,
            debounce=_SETTLE_MS,
            recursive=folders,
            ignore_permission_denied=True,
            rust_timeout=round(self._every_s * 1000),
            yield_on_timeout=True,
        ):
            names = {Path(name) for _, name in changes}
            if folders or names & set(real):
                self._changed.set()
            if not changes or names & set(real):
                return  # the folder itself may have been replaced
