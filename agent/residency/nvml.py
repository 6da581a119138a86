"""The graphics cards of this machine, as NVIDIA's driver tells through NVML: no memory is taken.

Where a driver tells nothing of single processes (Windows, WSL, containers), their bytes are None.
"""

import importlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from agent.residency.errors import ResidencyError


class NoDriverError(ResidencyError):
    """There is no NVIDIA driver, or no card that it knows."""


class CardLostError(ResidencyError):
    """A card that was there cannot be read any more."""


class CardChoiceError(ResidencyError):
    """The card that a setting names is not there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CardFacts:
    """A card."""

    index: int
    """As the driver counts, which is not always as CUDA does."""
    uuid: str
    name: str
    total_bytes: int
    used_bytes: int
    """By all programs, what the driver keeps for itself included."""

    @property
    def free_bytes(self) -> int:
        """What nobody uses."""
        return self.total_bytes - self.used_bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """A card, and why this one."""

    card: CardFacts
    reason: str


def cards() -> tuple[CardFacts, ...]:
    """Return all cards that can be read. Raises NoDriverError."""
    with _opened() as nvml:
        found = []
        for index in range(nvml.nvmlDeviceGetCount()):
            try:
                found.append(_facts(nvml, nvml.nvmlDeviceGetHandleByIndex(index), index))
            except nvml.NVMLError:
                continue
        return tuple(found)


def chosen(wanted: str | None = None, *, visible: str | None = None) -> Chosen:
    """Return the card to use: as wanted, else as CUDA_VISIBLE_DEVICES says, else the largest.

    `wanted` is an index of the driver or (the beginning of) a UUID. Raises NoDriverError and
    CardChoiceError.
    """
    there = cards()
    if not there:
        raise NoDriverError("NVIDIA's driver is here, but knows no card that can be read.")
    if wanted is not None:
        return Chosen(card=_named(there, wanted, "the setting residency.card"), reason="as set")
    first = visible.split(",")[0].strip() if visible is not None else None
    if first is not None:
        if first in ("", "-1", "NoDevFiles"):
            raise NoDriverError(f"CUDA_VISIBLE_DEVICES={visible!r} hides every card.")
        card = _named(there, first, "CUDA_VISIBLE_DEVICES")
        return Chosen(card=card, reason=f"the first of CUDA_VISIBLE_DEVICES={visible}")
    largest = max(there, key=lambda one: (one.total_bytes, -one.index))
    if len(there) == 1:
        return Chosen(card=largest, reason="the only card")
    return Chosen(card=largest, reason=f"the one of {len(there)} with most memory")


def visible_devices() -> str | None:
    """Return CUDA_VISIBLE_DEVICES; None where it is not set."""
    return os.environ.get("CUDA_VISIBLE_DEVICES")


class NvmlCard:
    """One card, kept open."""

    def __init__(self, uuid: str) -> None:
        """Open it. Raises NoDriverError and CardChoiceError."""
        self._opening = _opened()
        self._nvml = self._opening.__enter__()
        try:
            self._handle, self.facts = self._found(uuid)
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """What the driver calls it."""
        return self.facts.name

    @property
    def total_bytes(self) -> int:
        """Its memory."""
        return self.facts.total_bytes

    def used_bytes(self) -> int:
        """Return what all programs use now. Raises CardLostError."""
        try:
            return int(self._nvml.nvmlDeviceGetMemoryInfo(self._handle).used)
        except self._nvml.NVMLError as error:
            raise CardLostError(
                f"The card {self.name} ({self.facts.uuid}) cannot be read any more: {error}. "
                "`nvidia-smi` and the kernel's log tell why; the driver may need a restart."
            ) from error

    def processes(self) -> Mapping[int, int | None]:
        """Return the bytes of each process on the card; None where the driver does not tell.

        Raises CardLostError. A driver that tells of no process at all gives an empty mapping.
        """
        nvml = self._nvml
        found: dict[int, int | None] = {}
        for ask in (
            nvml.nvmlDeviceGetComputeRunningProcesses,
            nvml.nvmlDeviceGetGraphicsRunningProcesses,
        ):
            try:
                listed = ask(self._handle)
            except (nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound):
                continue
            except nvml.NVMLError as error:
                raise CardLostError(
                    f"The processes on {self.name} cannot be read: {error}."
                ) from error
            for one in listed:
                found[int(one.pid)] = None if one.usedGpuMemory is None else int(one.usedGpuMemory)
        return found

    def close(self) -> None:
        """Let the driver go."""
        self._opening.__exit__(None, None, None)

    def _found(self, uuid: str) -> tuple[Any, CardFacts]:
        nvml = self._nvml
        for index in range(nvml.nvmlDeviceGetCount()):
            try:
                handle = nvml.nvmlDeviceGetHandleByIndex(index)
                facts = _facts(nvml, handle, index)
            except nvml.NVMLError:
                continue
            if facts.uuid == uuid:
                return handle, facts
        raise CardChoiceError(f"There is no card {uuid} that can be read.")


@contextmanager
def _opened() -> Iterator[Any]:
    """Open NVML for the block. Raises NoDriverError."""
    nvml: Any = importlib.import_module("pynvml")
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        raise NoDriverError(f"NVIDIA's driver cannot be asked: {error}.") from error
    try:
        yield nvml
    finally:
        nvml.nvmlShutdown()


def _facts(nvml: Any, handle: Any, index: int) -> CardFacts:
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    return CardFacts(
        index=index,
        uuid=str(nvml.nvmlDeviceGetUUID(handle)),
        name=str(nvml.nvmlDeviceGetName(handle)),
        total_bytes=int(memory.total),
        used_bytes=int(memory.used),
    )


def _named(there: tuple[CardFacts, ...], wanted: str, who: str) -> CardFacts:
    fitting = [
        one
        for one in there
        if (wanted.isdigit() and one.index == int(wanted))
        or (len(wanted) >= 8 and one.uuid.startswith(wanted))
    ]
    if len(fitting) == 1:
        return fitting[0]
    told = ", ".join(f"{one.index} = {one.name} ({one.uuid})" for one in there)
    problem = "no card" if not fitting else "more than one card"
    raise CardChoiceError(f"{who} names {wanted!r}, which is {problem}. There are: {told}.")
