"""Which arbiter a machine has, what an operation asks it for, and what is done without one."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import SettingsError
from agent.models.weights import shelf
from agent.residency import envelopes, ladders
from agent.residency.arbiter.events import Priority, WhilePaused
from agent.residency.arbitrated import ArbitratedResidency
from agent.residency.client import ArbiterClient
from agent.residency.daemon import launch
from agent.residency.daemon.files import DaemonFiles
from agent.residency.host import HostResidency
from agent.residency.opening import is_here, opened, place_of, served_executive
from agent.residency.process.config import ArbiterConfig
from agent.settings import (
    ExecutiveSettings,
    OllamaSettings,
    OpenAiSettings,
    ResidencySettings,
    SensesSettings,
)
from agent.settings import Settings as AllSettings
from tools.senses.base import Operation, Task


def settings(tmp_path: Path, card: str = "auto", **more: object) -> AllSettings:
    return AllSettings(data_dir=tmp_path, residency=ResidencySettings(card=card), **more)  # type: ignore[arg-type]


async def test_a_machine_that_uses_no_card_starts_no_process(tmp_path: Path) -> None:
    assert place_of(settings(tmp_path, "none")) is None
    async with opened(settings(tmp_path, "none"), None, priority=Priority.PERSON) as found:
        lent = found.residency
        assert isinstance(lent, HostResidency)


def test_a_simulated_card_belongs_to_its_data(tmp_path: Path) -> None:
    one = place_of(settings(tmp_path / "a", "simulated:24GiB"))
    other = place_of(settings(tmp_path / "b", "simulated:24GiB"))
    assert one is not None
    assert other is not None
    assert one.config.card == f"simulated:{24 << 30}"
    assert one.files.socket != other.files.socket


@pytest.mark.parametrize("card", ["simulated:", "simulated:big", "7", "GPU-12345678"])
def test_a_card_that_cannot_be_is_a_wrong_setting(tmp_path: Path, card: str) -> None:
    with pytest.raises(SettingsError, match=r"residency\.card"):
        place_of(settings(tmp_path, card))


def test_the_name_of_a_socket_is_never_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("long" * 30)))
    files = DaemonFiles.of(
        "GPU-8f6c1a52-1f0e-4b7e-9d53-5d1f3a2b4c5d", what="arbiter", data_dir=tmp_path
    )
    assert len(str(files.socket)) <= 107
    again = DaemonFiles.of(
        "GPU-8f6c1a52-1f0e-4b7e-9d53-5d1f3a2b4c5d", what="arbiter", data_dir=tmp_path
    )
    assert again == files, "all programs of the user find the same"


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:11434", True),
        ("http://localhost:11434", True),
        ("http://[::1]:11434", True),
        ("http://192.168.1.7:11434", False),
        ("https://ollama.example.org", False),
    ],
)
def test_a_server_elsewhere_has_a_card_that_is_not_ours(
    tmp_path: Path, url: str, here: bool
) -> None:
    assert is_here(url) is here
    found = served_executive(settings(tmp_path, ollama=OllamaSettings(url=url)))
    assert (found is not None) is here


def test_only_an_executive_of_ollama_is_kept(tmp_path: Path) -> None:
    embedded = settings(tmp_path, executive=ExecutiveSettings(choice="embedded"))
    other = settings(tmp_path, openai=OpenAiSettings(url="http://127.0.0.1:8080"))
    named = settings(tmp_path, executive=ExecutiveSettings(choice="ollama:phi4"))
    assert served_executive(embedded) is None
    assert served_executive(other) is None
    found = served_executive(named)
    assert found is not None
    assert found.model == "phi4"


def test_a_ladder_leads_from_the_most_to_the_embedded_sense() -> None:
    rungs = ladders.ladder(
        Operation(task=Task.HEARING, audio_s=60, batch=2), ladders.SIMULATED, program="7"
    )
    assert [one.variant for one in rungs] == [
        "whisper-large-v3-fp16",
        "whisper-large-v3-int8",
        "hearing-embedded@7",
    ]
    assert [one.place for one in rungs] == ["cuda", "cuda", "cpu"]
    needs = [one.weights_bytes + one.working_bytes for one in rungs]
    assert needs == sorted(needs, reverse=True)
    assert rungs[-1].working_bytes == 0


def test_the_first_rung_is_what_is_said_to_serve_whatever_the_length() -> None:
    here = (envelopes.PARAKEET_FP32, envelopes.WHISPER_FP16, envelopes.WHISPER_INT8)
    for rungs in (ladders.Rungs(card=here, cpu=here), ladders.Rungs(cpu=here)):
        told = ladders.first(rungs, Task.HEARING)
        assert told is not None
        for seconds in (2.0, 60.0, 3_600.0):
            operation = Operation(task=Task.HEARING, audio_s=seconds, batch=4)
            asked = ladders.ladder(operation, rungs, program="7")[0].variant
            assert asked.removesuffix(ladders.ON_CPU) == told.name


def test_what_is_not_known_to_speak_a_language_is_not_asked_for_it() -> None:
    speaks = replace(envelopes.KOKORO, languages=frozenset(("en",)))

    def asked(language: str) -> list[str]:
        operation = Operation(task=Task.SPEECH, characters=9, language=language)
        rungs = ladders.Rungs(card=[speaks], cpu=[speaks])
        return [one.variant for one in ladders.ladder(operation, rungs, program="7")]

    assert asked("fr") == ["speech-embedded@7"]
    assert asked("en-GB")[0] == speaks.name


def test_weights_that_are_brought_later_find_their_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "has_libraries", lambda _: True)
    place = place_of(settings(tmp_path, card="simulated:24GiB"))
    assert place is not None
    assert place.senses is not None
    assert place.senses.rungs == ladders.NONE
    assert place.config.senses == place.senses.config


def test_a_model_on_a_server_of_its_own_asks_for_all_that_its_server_will_hold() -> None:
    seen = Operation(task=Task.PICTURES, pixels=1920 * 1080)
    (only,) = ladders.ladder(seen, ladders.Rungs(card=[envelopes.VISION]), program="7")
    assert (only.variant, only.place, only.working_bytes) == ("qwen3-vl:4b", "cuda", 0)
    assert only.weights_bytes == envelopes.process_bytes(envelopes.VISION, seen)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:11435/v1", "http://127.0.0.1:11435"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://192.168.1.7:11434", None),
        (OllamaSettings().url, None),
        ("http://[::1", None),
        (None, None),
    ],
)
def test_the_arbiter_is_told_of_a_server_for_pictures_on_this_machine_and_of_no_other(
    tmp_path: Path, url: str | None, told: str | None
) -> None:
    place = place_of(settings(tmp_path, "simulated:24GiB", senses=SensesSettings(vision_url=url)))
    assert place is not None
    found = ArbiterConfig.read(place.config.text())
    assert found == place.config
    assert (found.vision.url if found.vision else None) == told


def test_embedders_stay_off_the_card() -> None:
    (only,) = ladders.ladder(Operation(task=Task.EMBEDDING), ladders.SIMULATED, program="7")
    assert only.place == "cpu"


async def test_without_an_arbiter_the_cpu_serves_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = DaemonFiles(what="arbiter", key="card", run_dir=tmp_path / "none", data_dir=tmp_path)
    async with ArbiterClient(files, None) as client:
        lent = ArbitratedResidency(client, rungs=ladders.SIMULATED)
        async with lent.lease(Operation(task=Task.SPEECH, characters=3)) as lease:
            assert (lease.place, lease.granted_bytes) == ("cpu", 0)
        async with lent.turn() as admitted:
            assert admitted is None
    assert [record.message for record in caplog.records] == ["arbiter_missing"] * 2


async def test_a_pause_of_nobody_brings_nothing_onto_the_card(
    tmp_path: Path, run_dir: Path
) -> None:
    place = place_of(settings(tmp_path, "simulated:24GiB"))
    assert place is not None
    assert await place.status() is None
    told = await place.pause(WhilePaused.WAIT)
    assert (told["paused"], told["executive"]["place"]) == ("wait", None)
    trace = Path(told["arbiter"]["trace"])
    assert "LoadExecutive" not in await asyncio.to_thread(trace.read_text)
    told = await place.resume()
    assert told["paused"] is None
    assert await asyncio.to_thread(launch.end, place.files, told["arbiter"]["pid"])
