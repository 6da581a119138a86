"""Senses of the full tier under an arbiter: real processes, a supposed card, plain models."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from agent.residency import arbitrated, envelopes
from agent.residency.arbiter.events import WhilePaused
from agent.residency.arbitrated import ArbitratedResidency
from agent.residency.client import ArbiterClient
from agent.residency.errors import LeaseLostError
from agent.residency.host import HostResidency
from agent.residency.ladders import Rungs, ladder
from agent.residency.testing import OwnArbiter, own_arbiter, until
from agent.senses.client import SensesClient
from agent.senses.config import WorkerConfig
from memory.language import detect
from tools.reading.testing import Mute, ScriptedHearing, ScriptedSight
from tools.senses import leased as leased_senses
from tools.senses.base import SAMPLE_RATE_HZ, Lease, Operation, Recording, Senses, Task, Transcript
from tools.senses.errors import EngineError
from tools.senses.leased import LeasedSynthesizer, leased
from tools.senses.speech import EspeakSynthesizer

EAR = envelopes.WHISPER_INT8
RUNGS = Rungs(card=[EAR], cpu=[EAR])
EMBEDDED = Senses(
    hearing=ScriptedHearing(("embedded", 0.0, 1.0)), sight=ScriptedSight(), speech=Mute()
)


def sound(seconds: int) -> Recording:
    return Recording(samples=np.zeros(seconds * SAMPLE_RATE_HZ, dtype=np.float32), declared_s=None)


@pytest.fixture
def arbiter() -> Iterator[OwnArbiter]:
    with own_arbiter(regroup_s=0.3) as made:
        weights = made.folder / "weights"
        weights.mkdir()
        for name in (EAR.name, "ear-dying"):
            (weights / name).write_bytes(bytes(1 << 16))
        made.configure(
            senses=WorkerConfig(
                key="senses",
                run_dir=made.config.run_dir,
                data_dir=str(made.folder / "senses"),
                weights_dir=str(weights),
                module="agent.senses.testing",
                idle_s=1.0,
            )
        )
        yield made


def config(arbiter: OwnArbiter) -> WorkerConfig:
    assert arbiter.config.senses is not None
    return arbiter.config.senses


@asynccontextmanager
async def lent(arbiter: OwnArbiter) -> AsyncIterator[tuple[Senses, ArbiterClient]]:
    async with arbiter.client() as client:
        residency = ArbitratedResidency(client, rungs=RUNGS)
        yield leased(EMBEDDED, residency, SensesClient(config(arbiter), RUNGS)), client


def heard(transcript: Transcript) -> tuple[int, str]:
    return len(transcript.segments), transcript.served_by


async def status(client: ArbiterClient, true: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the status once it is as it should be."""
    told: dict[str, Any] = {}

    async def holds() -> bool:
        nonlocal told
        told = await client.status()
        return true(told)

    await until(holds, within_s=20)
    return told


class Asked:
    """Residency that notes what is asked for, and grants the embedded sense."""

    def __init__(self) -> None:
        self.languages: list[str | None] = []

    @asynccontextmanager
    async def lease(self, operation: Operation) -> AsyncIterator[Lease]:
        self.languages.append(operation.language)
        yield Lease(token=1, variant="embedded", place="cpu", granted_bytes=0)

    def hint(self, operation: Operation) -> None:
        raise AssertionError("nothing is hinted at")


async def test_a_word_is_spoken_by_the_voice_of_the_sentence_before_it() -> None:
    asked = Asked()
    speech = LeasedSynthesizer(EspeakSynthesizer(), asked, None)
    for text in ("The filter is cleaned every six weeks.", "Yes.", "42"):
        await speech.say(text, language=detect(text))
    assert asked.languages == ["en", "en", "en"]


async def test_a_recording_is_heard_on_the_card(arbiter: OwnArbiter) -> None:
    async with lent(arbiter) as (senses, client):
        assert senses.hearing.name == EAR.name
        assert heard(await senses.hearing.transcribe(sound(2))) == (2, EAR.name)
        told = await status(client, lambda told: not told["leases"])
        assert [(one["variant"], one["place"]) for one in told["residents"]] == [
            (EAR.name, "resident")
        ]


async def test_while_the_owner_has_the_card_it_is_heard_on_the_cpu(arbiter: OwnArbiter) -> None:
    async with lent(arbiter) as (senses, client):
        await client.pause(WhilePaused.CPU)
        assert heard(await senses.hearing.transcribe(sound(1))) == (1, f"{EAR.name}@cpu")


async def test_whoever_waits_for_the_card_is_told(
    arbiter: OwnArbiter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arbitrated, "TELL_S", 0.05)
    told: asyncio.Queue[str] = asyncio.Queue()
    async with arbiter.client() as client:
        await client.pause(WhilePaused.WAIT)
        residency = ArbitratedResidency(client, rungs=RUNGS, tell=told.put_nowait)
        senses = leased(EMBEDDED, residency, SensesClient(config(arbiter), RUNGS))
        hearing = asyncio.create_task(senses.hearing.transcribe(sound(1)))
        async with asyncio.timeout(20):
            assert f"Waiting for {EAR.name} on the card" in await told.get()
        await client.resume()
        assert heard(await hearing) == (1, EAR.name)


async def test_how_far_a_long_recording_is_heard_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leased_senses, "PIECE_S", 2.0)
    told: list[str] = []
    senses = leased(EMBEDDED, HostResidency(), tell=told.append)
    await senses.hearing.transcribe(sound(5))
    assert len(told) >= 2
    assert all(one.startswith("heard ") and one.endswith(" of 5 s") for one in told)


async def test_a_lease_that_is_over_stops_its_operation_before_it_is_free(
    arbiter: OwnArbiter,
) -> None:
    full = SensesClient(config(arbiter), RUNGS)
    choices = ladder(Operation(task=Task.HEARING, audio_s=300), RUNGS, program="this")
    async with lent(arbiter) as (senses, client):

        async def hear() -> None:
            async with client.lease(choices, limit_s=0.5) as grant:
                lease = Lease(
                    token=grant.token, variant=grant.variant, place=grant.place, granted_bytes=1
                )
                await full.hear(lease, sound(300).samples)

        with pytest.raises(LeaseLostError):
            await hear()
        await status(client, lambda told: not told["leases"])
        assert heard(await senses.hearing.transcribe(sound(1))) == (1, EAR.name)


async def test_an_operation_goes_on_over_a_killed_arbiter(arbiter: OwnArbiter) -> None:
    async with lent(arbiter) as (senses, client):
        hearing = asyncio.create_task(senses.hearing.transcribe(sound(100)))
        await status(client, lambda told: bool(told["leases"]))
        await arbiter.end(signal.SIGKILL)
        assert heard(await hearing) == (100, EAR.name)
        told = await status(client, lambda told: not told["leases"])
        assert [one["variant"] for one in told["residents"]] == [EAR.name]


async def test_a_process_that_is_killed_is_started_again(arbiter: OwnArbiter) -> None:
    async with lent(arbiter) as (senses, client):
        hearing = asyncio.create_task(senses.hearing.transcribe(sound(100)))
        told = await status(client, lambda told: bool(told["leases"]))
        os.kill(told["senses"]["pid"], signal.SIGKILL)
        with pytest.raises((EngineError, LeaseLostError)):
            await hearing
        assert heard(await senses.hearing.transcribe(sound(1))) == (1, EAR.name)


async def test_what_a_killed_program_ran_stops(arbiter: OwnArbiter) -> None:
    async with lent(arbiter) as (senses, client):
        await senses.hearing.transcribe(sound(1))
        program = (
            "import asyncio, sys\n"
            "import numpy as np\n"
            "from agent.residency import envelopes\n"
            "from agent.residency.arbitrated import ArbitratedResidency\n"
            "from agent.residency.client import ArbiterClient\n"
            "from agent.residency.ladders import Rungs, ladder\n"
            "from agent.residency.process.config import ArbiterConfig\n"
            "from agent.senses.client import SensesClient\n"
            "from tools.senses.base import Operation, Task\n"
            "async def main():\n"
            "    config = ArbiterConfig.read(sys.argv[1])\n"
            "    rungs = Rungs(card=[envelopes.WHISPER_INT8])\n"
            "    full = SensesClient(config.senses, rungs)\n"
            "    async with ArbiterClient(config.files, config) as client:\n"
            "        lent = ArbitratedResidency(client, rungs=rungs)\n"
            "        async with lent.lease(Operation(task=Task.HEARING)) as lease:\n"
            "            await full.hear(lease, np.zeros(16_000 * 300, dtype=np.float32))\n"
            "asyncio.run(main())\n"
        )
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, arbiter.config.text()
        )
        await status(client, lambda told: bool(told["leases"]))
        running.kill()
        await running.wait()
        assert heard(await senses.hearing.transcribe(sound(1))) == (1, EAR.name)


async def test_it_ends_some_time_after_the_arbiter(arbiter: OwnArbiter) -> None:
    async with lent(arbiter) as (senses, _):
        await senses.hearing.transcribe(sound(1))
    await arbiter.end(signal.SIGTERM)
    await until(lambda: not config(arbiter).files.alive())
