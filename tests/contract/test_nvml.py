"""The real nvidia-ml-py, over a stub of NVIDIA's library whose figures the test writes."""

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.models import card
from agent.residency import nvml
from agent.residency.nvml import CardChoiceError, CardLostError, NoDriverError, NvmlCard
from agent.residency.process.bare import NoKeeper, NoWorker
from agent.residency.process.driver import DriverCard

GIB = 1 << 30
BIG = f"card GPU-11111111-aaaa {24 * GIB} {GIB} NVIDIA GeForce RTX 4090"
SMALL = f"card GPU-22222222-bbbb {8 * GIB} {GIB // 2} NVIDIA RTX A2000"

Write = Callable[..., None]


@pytest.fixture
def driver(stub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Load the stub as the driver's library, and return what writes its figures."""
    ctypes.CDLL(str(stub), ctypes.RTLD_GLOBAL)
    told = tmp_path / "told"
    monkeypatch.setenv("NVML_STUB", str(told))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def write(*lines: str) -> None:
        new = tmp_path / "new"
        new.write_text("".join(f"{line}\n" for line in lines))
        new.replace(told)

    write(BIG, SMALL)
    return write


def test_every_card_is_told_with_its_memory(driver: Write) -> None:
    first, second = nvml.cards()
    assert (first.index, first.name, first.uuid) == (
        0,
        "NVIDIA GeForce RTX 4090",
        "GPU-11111111-aaaa",
    )
    assert (first.total_bytes, first.used_bytes, first.free_bytes) == (24 * GIB, GIB, 23 * GIB)
    assert second.name == "NVIDIA RTX A2000"


def test_of_several_cards_the_largest_is_taken_and_that_is_said(driver: Write) -> None:
    driver(SMALL, BIG)
    chosen = nvml.chosen()
    assert (chosen.card.index, chosen.reason) == (1, "the one of 2 with most memory")
    driver(SMALL)
    assert nvml.chosen().reason == "the only card"


@pytest.mark.parametrize(
    ("wanted", "visible", "uuid"),
    [
        ("1", None, "GPU-22222222-bbbb"),
        ("GPU-22222222", None, "GPU-22222222-bbbb"),
        ("0", "1", "GPU-11111111-aaaa"),
        (None, "1,0", "GPU-22222222-bbbb"),
        (None, "GPU-22222222-bbbb", "GPU-22222222-bbbb"),
    ],
)
def test_a_setting_or_the_environment_chooses(
    driver: Write, wanted: str | None, visible: str | None, uuid: str
) -> None:
    assert nvml.chosen(wanted, visible=visible).card.uuid == uuid


@pytest.mark.parametrize("wanted", ["2", "GPU-3", "GPU-99999999", "RTX"])
def test_a_card_that_is_not_there_is_named_beside_those_that_are(
    driver: Write, wanted: str
) -> None:
    with pytest.raises(CardChoiceError, match=r"no card.*0 = NVIDIA GeForce RTX 4090"):
        nvml.chosen(wanted)


@pytest.mark.parametrize("visible", ["", "-1"])
def test_an_environment_that_hides_all_cards_leaves_none(driver: Write, visible: str) -> None:
    with pytest.raises(NoDriverError, match="hides every card"):
        nvml.chosen(visible=visible)


def test_a_driver_that_does_not_start_is_no_card(driver: Write) -> None:
    driver("init 9")
    with pytest.raises(NoDriverError, match="cannot be asked"):
        nvml.cards()
    assert card.found() is None
    driver()
    with pytest.raises(NoDriverError, match="knows no card"):
        nvml.chosen()


def test_a_card_that_cannot_be_read_does_not_hide_another(driver: Write) -> None:
    driver(BIG, SMALL, "lost 0 15")
    assert nvml.chosen().card.uuid == "GPU-22222222-bbbb"


def test_figures_follow_the_card_until_it_is_lost_and_after(driver: Write) -> None:
    one = NvmlCard("GPU-22222222-bbbb")
    assert one.used_bytes() == GIB // 2
    driver(BIG, SMALL.replace(str(GIB // 2), str(3 * GIB)))
    assert one.used_bytes() == 3 * GIB
    driver(BIG, SMALL, "lost 1 15")
    with pytest.raises(CardLostError, match=r"A2000.*GPU is lost"):
        one.used_bytes()
    read = DriverCard(one, NoKeeper(), NoWorker())
    assert read.read().used_bytes is None
    driver(BIG, SMALL)
    assert read.read().used_bytes == GIB // 2
    one.close()


def test_processes_are_told_where_the_driver_does(driver: Write) -> None:
    one = NvmlCard("GPU-11111111-aaaa")
    driver(BIG, SMALL, f"process 0 41 {GIB}", "process 0 42 -1", f"process 1 43 {GIB}")
    assert one.processes() == {41: GIB, 42: None}
    driver(BIG, "silent 0")
    assert one.processes() == {}
    one.close()


def test_models_are_told_of_the_same_card(driver: Write) -> None:
    found = card.found()
    assert found is not None
    assert (found.name, found.free_bytes) == ("NVIDIA GeForce RTX 4090", 23 * GIB)


def test_without_the_library_there_is_no_driver(tmp_path: Path) -> None:
    program = (
        "from agent.residency import nvml\n"
        "try:\n    nvml.cards()\nexcept nvml.NoDriverError as error:\n    print(error)\n"
    )
    (tmp_path / "libnvidia-ml.so.1").write_text("no library")
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "LD_LIBRARY_PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "NVML Shared Library Not Found" in done.stdout
