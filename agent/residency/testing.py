"""An arbiter of a test's own, in a process of its own."""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.residency import check
from agent.residency.client import ArbiterClient
from agent.residency.daemon import launch
from agent.residency.daemon.files import DaemonFiles
from agent.residency.errors import UnreachableError
from agent.residency.process.config import ArbiterConfig

GIB = 1 << 30


class OwnArbiter:
    """A card with its files; the process is started by the first client."""

    def __init__(self, folder: Path, **config: Any) -> None:
        self.folder = folder
        self.config = ArbiterConfig(
            **{
                "card": f"simulated:{24 * GIB}",
                "key": "card",
                "run_dir": str(folder / "run"),
                "data_dir": str(folder / "data"),
                "regroup_s": 0.5,
                **config,
            }
        )

    @property
    def files(self) -> DaemonFiles:
        """Where it is found."""
        return self.config.files

    def configure(self, **config: Any) -> None:
        """Change what the next process is told."""
        self.config = replace(self.config, **config)

    def client(self, *, start: bool = True) -> ArbiterClient:
        """Return a connection."""
        return ArbiterClient(self.files, self.config if start else None)

    async def pid(self) -> int:
        """Return the process. Raises UnreachableError."""
        async with self.client(start=False) as client:
            pid: int = (await client.status())["arbiter"]["pid"]
            return pid

    async def end(self, wish: signal.Signals) -> None:
        """Send a signal, and wait until the process has ended."""
        os.kill(await self.pid(), wish)
        await until(lambda: not self.files.alive())

    def traces(self) -> list[check.Report]:
        """Judge all traces in which somebody asked for something."""
        traces = sorted(self.files.data_dir.glob("*.jsonl"))
        return [check.check_file(path) for path in traces if "Asked" in path.read_text("utf-8")]

    def log(self) -> str:
        """Return what the process had to say."""
        return self.files.log.read_text("utf-8")


@contextmanager
def own_arbiter(**config: Any) -> Iterator[OwnArbiter]:
    """Make a place for an arbiter; one that still runs at the end is ended."""
    folder = Path(tempfile.mkdtemp(prefix="arbiter-", dir="/tmp"))
    made = OwnArbiter(folder, **config)
    try:
        yield made
        if made.files.alive():
            with suppress(UnreachableError):
                assert launch.end(made.files, asyncio.run(made.pid())), "it ends when told"
    finally:
        shutil.rmtree(folder)


async def until(holds: Callable[[], Any], *, within_s: float = 10.0) -> None:
    """Wait until something holds; an awaitable is awaited."""
    deadline = time.monotonic() + within_s
    while True:
        value = holds()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return
        assert time.monotonic() < deadline, "it did not come about"
        await asyncio.sleep(0.01)
