"""Whose bytes are whose, where two Ollamas share a card: the real nvidia-ml-py over a stub.

Processes are real and have the names of Ollama's; what they hold is what the stub tells of them.
"""

import ctypes
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.models import DoubleModel
from agent.ollama_double.script import Asked, Say, computed
from agent.residency.keeper import LINGERS_S, OllamaKeeper
from agent.residency.process.config import ArbiterConfig, ServedExecutive
from agent.residency.process.machine import Machine
from agent.residency.vram import PROCESS_BYTES
from agent.vision.served import ServedVision

Serve = Callable[[Any], AbstractAsyncContextManager[str]]

GIB, MIB = 1 << 30, 1 << 20
UUID = "GPU-11111111-aaaa"
REASONING, SEEING = DoubleModel(), DoubleModel(name="qwen3-vl:4b", size_bytes=3_300_000_000)
DESKTOP = 700 * MIB


def words(_: Asked) -> Say:
    return Say(text="five, six, seven, eight")


@pytest.fixture
def runners(tmp_path: Path) -> Iterator[list[int]]:
    """Three processes that are called as Ollama's are; the third is a stranger's."""
    program = tmp_path / "llama-server"
    shutil.copy(shutil.which("sleep") or "", program)
    started = [subprocess.Popen([program, "600"]) for _ in range(3)]
    yield [one.pid for one in started]
    for one in started:
        one.kill()
        one.wait()


class Card:
    """A card of the stub's, whose figures follow two doubles and a stranger."""

    def __init__(self, told: Path, runners: list[int]) -> None:
        self.doubles = [
            OllamaDouble(computed(words), models=[model]) for model in (REASONING, SEEING)
        ]
        self.context_bytes = PROCESS_BYTES
        self.stranger_bytes = 0
        self._told = told
        self._runners = runners
        for double in self.doubles:
            self._follow(double.shelf)
        self.write()

    def _follow(self, shelf: Any) -> None:
        load, unload = shelf.load, shelf.unload

        def loaded(*given: Any) -> Any:
            found = load(*given)
            self.write()
            return found

        def unloaded(*given: Any) -> None:
            unload(*given)
            self.write()

        shelf.load, shelf.unload = loaded, unloaded

    @property
    def held(self) -> list[int]:
        """What each of the doubles really holds, with the context of its process."""
        sizes = [double.shelf.card_bytes() for double in self.doubles]
        return [size + self.context_bytes if size else 0 for size in sizes]

    def write(self) -> None:
        sizes = [*self.held, self.stranger_bytes]
        used = DESKTOP + sum(sizes)
        lines = [f"card {UUID} {24 * GIB} {used} NVIDIA GeForce RTX 4090"]
        pairs = zip(self._runners, sizes, strict=True)
        lines += [f"process 0 {pid} {size}" for pid, size in pairs if size]
        new = self._told.with_suffix(".new")
        new.write_text("".join(f"{line}\n" for line in lines))
        new.replace(self._told)


@asynccontextmanager
async def shared(
    serve: Serve, stub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runners: list[int]
) -> AsyncIterator[tuple[Card, Machine]]:
    """Open a card with the executive's Ollama and another for pictures, both loaded."""
    monkeypatch.setenv("NVML_STUB", str(tmp_path / "told"))
    ctypes.CDLL(str(stub), ctypes.RTLD_GLOBAL)
    card = Card(tmp_path / "told", runners)
    async with serve(card.doubles[0]) as first, serve(card.doubles[1]) as second:
        machine = Machine.of(
            ArbiterConfig(
                card=UUID,
                key="card",
                run_dir=str(tmp_path / "run"),
                data_dir=str(tmp_path / "data"),
                executive=ServedExecutive(url=first, model=REASONING.name, context_tokens=16_384),
                vision=ServedVision(url=second, model=SEEING.name),
            )
        )
        await machine.keeper.found()
        await machine.worker.survey(1, ())
        await machine.keeper.load(machine.keeper.profiles[0].name)
        await machine.worker.load(SEEING.name, 6 * GIB)
        try:
            yield card, machine
        finally:
            await machine.aclose()


async def test_each_counts_what_its_own_server_holds_and_together_what_both_do(
    serve: Serve,
    stub: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    runners: list[int],
) -> None:
    async with shared(serve, stub, tmp_path, monkeypatch, runners) as (card, machine):
        processes = dict(zip(runners, card.held, strict=False))
        assert machine.keeper.held_bytes(processes) == card.held[0]
        assert machine.worker.held_bytes(processes) == card.held[1]
        usage = machine.card.read()
        assert (usage.used_bytes, usage.own_bytes) == (DESKTOP + sum(card.held), sum(card.held))

        await machine.worker.unload(SEEING.name)
        assert machine.card.read().own_bytes == card.held[0]
        await machine.keeper.unload()
        assert machine.card.read().own_bytes == 0


async def test_a_strangers_server_of_the_same_name_is_foreign(
    serve: Serve,
    stub: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    runners: list[int],
) -> None:
    async with shared(serve, stub, tmp_path, monkeypatch, runners) as (card, machine):
        card.stranger_bytes = 4 * GIB
        card.write()
        usage = machine.card.read()
        assert usage.used_bytes is not None
        assert usage.used_bytes - usage.own_bytes == DESKTOP + 4 * GIB


async def test_contexts_that_are_smaller_than_was_reckoned_are_not_taken_from_others(
    serve: Serve,
    stub: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    runners: list[int],
) -> None:
    async with shared(serve, stub, tmp_path, monkeypatch, runners) as (card, machine):
        card.context_bytes = 300 * MIB
        card.write()
        usage = machine.card.read()
        assert usage.own_bytes == sum(card.held), "together no more than there is of both"


async def test_a_load_that_is_not_there_yet_does_not_hide_a_stranger(
    serve: Serve,
    stub: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    runners: list[int],
) -> None:
    async with shared(serve, stub, tmp_path, monkeypatch, runners) as (card, machine):
        card.stranger_bytes = 4 * GIB
        card.write()
        machine.card.read()
        await machine.worker.unload(SEEING.name)
        assert machine.card.read().own_bytes == card.held[0], "nor does one that was let go"
        seen: list[int] = []
        load = card.doubles[1].shelf.load

        def measured(*given: Any) -> Any:
            seen.append(machine.card.read().own_bytes)
            return load(*given)

        card.doubles[1].shelf.load = measured  # type: ignore[method-assign, assignment]
        await machine.worker.load(SEEING.name, 6 * GIB)
        assert seen[0] == card.held[0], "before the first byte of it is there"
        assert machine.card.read().own_bytes == sum(card.held)


async def test_what_was_let_go_counts_as_ours_as_long_as_a_driver_may_still_show_it(
    serve: Serve, tmp_path: Path, runners: list[int]
) -> None:
    now = 0.0
    card = Card(tmp_path / "told", runners)
    async with serve(card.doubles[0]) as url:
        keeper = OllamaKeeper(
            ServedExecutive(url=url, model=REASONING.name, context_tokens=16_384),
            used_bytes=lambda: None,
            clock=lambda: now,
        )
        await keeper.found()
        await keeper.load(keeper.profiles[0].name)
        size = card.held[0]
        await keeper.unload()
        processes = {runners[0]: size}
        assert keeper.held_bytes(processes) == size
        assert keeper.held_bytes({runners[0]: size // 2}) == size // 2
        now += LINGERS_S
        assert keeper.held_bytes(processes) == 0, "by now it is somebody else's"
        await keeper.aclose()
