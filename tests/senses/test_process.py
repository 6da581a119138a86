"""All senses of the full tier in their process: real libraries, small weights, a supposed card."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from agent.residency import envelopes
from agent.residency.testing import until
from agent.senses.client import SensesClient
from agent.senses.config import WorkerConfig
from agent.senses.opening import FullSenses, of_card, of_host
from agent.senses.port import ProcessWorker
from agent.settings import Settings
from tools.senses.base import SAMPLE_RATE_HZ, Lease, Prompt, Speech
from tools.senses.media import encode_wav
from tools.senses.testing import folder, kokoro, parakeet, sam2, spoken, wav2vec2, whisper

pytestmark = pytest.mark.filterwarnings("ignore")  # of libraries; ours are told in other tests

CYCLES = 50
EAR, MOUTH, EYE = "whisper-large-v3-int8", "kokoro-82m", "sam2.1-t"
OTHER_EAR = "parakeet-0.6b-fp32"


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small weights under the names of large ones: what leases reckon with is theirs."""
    made = tmp_path_factory.mktemp("data") / "weights"
    whisper.make(made / EAR)
    folder.described(made / EAR, "whisperx", EAR)
    wav2vec2.make(made / "wav2vec2-en")
    folder.described(made / "wav2vec2-en", "wav2vec2", "wav2vec2-en")
    parakeet.make(made / OTHER_EAR)
    folder.described(made / OTHER_EAR, "parakeet", OTHER_EAR, languages=["en"])
    kokoro.make(made / MOUTH)
    folder.described(made / MOUTH, "kokoro", MOUTH)
    sam2.make(made / EYE)
    folder.described(made / EYE, "sam2", EYE)
    return made


@pytest.fixture
def settings(weights: Path) -> Iterator[Settings]:
    """A data directory of its own, near the root: sockets have short names."""
    home = Path(tempfile.mkdtemp(prefix="senses-", dir="/tmp"))
    (home / "weights").symlink_to(weights)
    yield Settings(data_dir=home)
    shutil.rmtree(home)


class Owner:
    """Runs commands with a supposed card."""

    def __init__(self, home: Path, card: str) -> None:
        self.pids: list[int] = []
        """What is killed at the end."""
        self._settings = {
            "CORTICAL_DATA_DIR": str(home),
            "CORTICAL_RESIDENCY__CARD": card,
            "CORTICAL_RESIDENCY__IDLE_S": "120",
        }

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-c", "from agent.cli import main; main()", *map(str, words)],
            env={**os.environ, **self._settings},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done

    def json(self, *words: object) -> Any:
        return json.loads(self.run(*words, "--json").stdout)


@pytest.fixture
def owner(settings: Settings) -> Iterator[Owner]:
    made = Owner(settings.data_dir, "simulated:24GiB")
    yield made
    for pid in made.pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def drawn(path: Path) -> Path:
    """Draw a window with a button."""
    image = Image.new("RGB", (400, 240), (230, 230, 230))
    pen = ImageDraw.Draw(image)
    pen.rectangle((60, 40, 340, 200), fill=(255, 255, 255), outline=(80, 80, 80))
    pen.rectangle((220, 150, 320, 185), fill=(40, 90, 200))
    image.save(path)
    return path


def test_commands_hear_see_and_speak_by_the_models_on_the_card(
    owner: Owner, tmp_path: Path
) -> None:
    said = owner.json("say", "Hello there.", "--language", "en", "-o", tmp_path / "hello.wav")
    assert said["served_by"] == MOUTH
    with wave.open(str(tmp_path / "hello.wav")) as file:
        assert file.getframerate() == 24_000
        assert file.getnframes() > 0

    recorded = (spoken.recording(0.3, "en", 0.3) * 32767).astype(np.int16)
    sound = Speech(samples=recorded, sample_rate_hz=SAMPLE_RATE_HZ)
    (tmp_path / "speech.wav").write_bytes(encode_wav(sound))
    heard = owner.json("hear", tmp_path / "speech.wav")
    assert heard["served_by"] in (EAR, OTHER_EAR)
    assert heard["segments"]

    picture = drawn(tmp_path / "window.png")
    outlined = owner.json("see", picture, "--at", "270,165", "--box", "220,150,320,185")
    assert (len(outlined["regions"]), outlined["served_by"]) == (2, EYE)

    told = owner.json("residency", "status")
    assert {one["variant"] for one in told["residents"]} >= {MOUTH, EYE}
    assert told["senses"]["state"] == "up"
    owner.pids = [told["arbiter"]["pid"], told["senses"]["pid"]]
    owner.run("residency", "pause", "--work", "cpu")
    away = owner.json("residency", "status")
    assert away["residents"] == []
    assert owner.json("say", "Again.", "--language", "en", "-o", tmp_path / "b.wav")[
        "served_by"
    ] == (f"{MOUTH}@cpu")
    owner.run("residency", "resume")

    os.kill(told["arbiter"]["pid"], signal.SIGTERM)
    proved = owner.run("residency", "check", told["arbiter"]["trace"])
    assert proved.stdout.startswith("proved:")


@pytest.fixture
def full(settings: Settings) -> FullSenses:
    found = of_card(settings, f"card-{settings.data_dir.name}", None)
    assert found is not None
    return found


@asynccontextmanager
async def arbiter(config: WorkerConfig) -> AsyncIterator[ProcessWorker]:
    worker = ProcessWorker(config)
    survey = await worker.survey(1, [])
    if not survey.up:
        await worker.start()
    try:
        yield worker
    finally:
        worker.kill()
        await worker.aclose()


def resident_bytes(pid: int | None) -> int:
    told = Path(f"/proc/{pid}/statm").read_text()
    return int(told.split()[1]) * os.sysconf("SC_PAGE_SIZE")


def lease(token: int, variant: str) -> Lease:
    return Lease(token=token, variant=variant, place="cuda", granted_bytes=1)


Use = Callable[[SensesClient, Lease], Any]

SOUND = spoken.recording(0.3, "en", 0.3)
SCENE = np.zeros((96, 128, 3), dtype=np.uint8)
USES: dict[str, Use] = {
    EAR: lambda client, one: client.hear(one, SOUND, language="en"),
    OTHER_EAR: lambda client, one: client.hear(one, SOUND),
    MOUTH: lambda client, one: client.say(one, "Hi.", language="en"),
    EYE: lambda client, one: client.region(one, SCENE, [Prompt(points=[(60, 40)], inside=[True])]),
}


@pytest.mark.parametrize("variant", USES)
async def test_memory_is_back_after_fifty_times_on_the_card_and_off(
    full: FullSenses, variant: str
) -> None:
    size = 1
    known = envelopes.variant(variant)
    assert known is not None
    async with arbiter(full.config) as worker:
        client = full.client()

        async def cycle(token: int) -> int:
            await worker.load(variant, size)
            if token % 10 == 1:
                worker.begin(token, variant, size)
                await USES[variant](client, lease(token, variant))
                worker.end(token)
            await worker.unload(variant)
            return resident_bytes(worker.pid)

        settled = [await cycle(token) for token in range(1, 12)][-1]
        after = [await cycle(token) for token in range(12, 12 + CYCLES)][-1]
    assert after < settled * 1.02


async def test_a_process_killed_in_a_load_is_started_again(full: FullSenses) -> None:
    async with arbiter(full.config) as worker:
        loading = asyncio.create_task(worker.load(MOUTH, 1))
        await asyncio.sleep(0.3)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(Exception, match="has ended"):
            await loading
        await worker.start()
        await worker.load(MOUTH, 1)
        worker.begin(5, MOUTH, 1)
        assert len((await full.client().say(lease(5, MOUTH), "Hi.", language="en")).samples)


async def test_without_a_card_they_run_on_the_cpu_and_end_by_themselves(
    settings: Settings,
) -> None:
    found = of_host(settings)
    assert found is not None
    brief = FullSenses(config=replace(found.config, idle_s=1.0), rungs=found.rungs)
    said = await brief.client().say(
        Lease(token=1, variant=f"{MOUTH}@cpu", place="cpu", granted_bytes=0), "Hi.", language="en"
    )
    assert len(said.samples)
    await until(lambda: not brief.config.files.alive(), within_s=30)
