"""A program's side of the process of the senses: each operation in a connection of its own."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.residency import ladders
from agent.residency.daemon import launch
from agent.residency.daemon.files import DaemonFiles
from agent.residency.errors import MessageError, ResidencyError
from agent.residency.ladders import ON_CPU, Rungs
from agent.senses import operations, wire
from agent.senses.config import WorkerConfig
from tools.senses import errors
from tools.senses.base import Lease, Prompt, Region, Speech, Task
from tools.senses.errors import EngineError, SenseError
from tools.senses.models.base import Heard

_ERRORS: Mapping[str, type[SenseError]] = {
    one.__name__: one
    for one in (
        errors.MediaError,
        errors.NothingToSayError,
        errors.WeightsError,
        errors.DeviceError,
        errors.EngineError,
    )
}


class SensesClient:
    """Runs operations of the full tier in the process that holds its models."""

    def __init__(self, config: WorkerConfig, rungs: Rungs) -> None:
        """Ask for `rungs`; the process is started by the first operation on a CPU.

        What runs on the card the card's arbiter starts.
        """
        self._config = config
        self._rungs = rungs
        self._names = {one.name for one in (*rungs.card, *rungs.cpu)}

    @property
    def files(self) -> DaemonFiles:
        """Where the process is found."""
        return self._config.files

    def best(self, task: Task) -> str | None:
        """Return what is asked for first for a task; None where there is no model for it."""
        found = ladders.first(self._rungs, task)
        return None if found is None else found.name

    def serves(self, variant: str) -> bool:
        """Whether a lease of that variant is run in the process."""
        return variant.removesuffix(ON_CPU) in self._names

    async def hear(
        self, lease: Lease, samples: NDArray[np.float32], *, language: str | None = None
    ) -> Heard:
        """Return the words of a recording. Raises SenseError."""
        message = {"task": Task.HEARING, "language": language}
        return operations.heard((await self._run(lease, message, [samples]))[0])

    async def say(self, lease: Lease, text: str, *, language: str) -> Speech:
        """Return the sound of a text. Raises SenseError."""
        message = {"task": Task.SPEECH, "text": text, "language": language}
        return operations.said(*await self._run(lease, message, []))

    async def regions(self, lease: Lease, image: NDArray[np.uint8]) -> tuple[Region, ...]:
        """Return what belongs together in an image. Raises SenseError."""
        return operations.regions(*await self._run(lease, {"task": Task.SEGMENTS}, [image]))

    async def region(
        self, lease: Lease, image: NDArray[np.uint8], prompts: Sequence[Prompt]
    ) -> tuple[Region, ...]:
        """Return the region that each prompt points at. Raises SenseError."""
        message = {"task": Task.SEGMENTS, "prompts": [asdict(one) for one in prompts]}
        return operations.regions(*await self._run(lease, message, [image]))

    async def _run(
        self, lease: Lease, message: wire.Message, arrays: Sequence[NDArray[Any]]
    ) -> tuple[wire.Message, wire.Arrays]:
        """Run an operation; a cancelled caller stops it."""
        head = {
            "do": "run",
            "token": lease.token,
            "variant": lease.variant.removesuffix(ON_CPU),
            "place": lease.place,
            **message,
        }
        starting = self._config if lease.place == "cpu" else None
        try:
            reader, writer = await launch.reach(self.files, starting, line_bytes=wire.LINE_BYTES)
        except ResidencyError as error:
            raise EngineError(str(error)) from error
        try:
            for part in wire.encode(head, arrays):
                writer.write(part)
                await writer.drain()
            answer = await wire.read(reader)
        except (ConnectionError, MessageError) as error:
            raise EngineError(self._gone(lease)) from error
        finally:
            writer.close()
            with suppress(ConnectionError):
                await asyncio.shield(writer.wait_closed())
        if answer is None:
            raise EngineError(self._gone(lease))
        told, found = answer
        if told.pop("is", None) != "done":
            kind = _ERRORS.get(str(told.get("kind")), EngineError)
            raise kind(f"{lease.variant}: {told.get('reason')}")
        return told, found

    def _gone(self, lease: Lease) -> str:
        return (
            f"The process of the senses ended while {lease.variant} ran in it. Try again; if it "
            f"stays so, {self.files.log} tells why."
        )
