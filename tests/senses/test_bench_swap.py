"""The benchmark of coming and going, on the CPU with weights of a thousandth."""

import os
from pathlib import Path
from typing import Any

import pytest

from agent.bench.swap import disk, measure, plain
from agent.bench.swap.made import module_file, whisper_folder
from agent.bench.swap.swapped import FlatSwapped, ReplicaSwapped
from agent.errors import AgentError, UsageError
from agent.residency import envelopes


def run(cache_dir: Path, **more: Any) -> dict[str, Any]:
    wish = {"device": "cpu", "scale": 0.001, "rounds": 1, "cycles": 2, "names": (), **more}
    return measure.measure(cache_dir, **wish)


def test_each_way_is_timed_and_all_bytes_are_back(tmp_path: Path) -> None:
    report = run(tmp_path, names=["kokoro-82m", "whisper-large-v3-fp16"])
    assert report["good"]
    flat, whisper = report["subjects"]
    assert [tier["tier"] for tier in flat["tiers"]][-2:] == ["page cache", "pageable"]
    assert whisper["tiers"][-1]["tier"] == "page cache"
    assert (flat["loaded_by"], whisper["loaded_by"]) == ("torch, one buffer", "CTranslate2")
    assert whisper["left_out"][:2] == ["locked: no card", "host: no card"]
    for one in report["subjects"]:
        assert one["bytes"] > 100_000
        for tier in one["tiers"]:
            assert tier["in_s"] > 0
            assert tier["ratio"] == pytest.approx(tier["in_s"] / tier["plain_s"])
            assert tier["gb_s"] == pytest.approx(one["bytes"] / tier["in_s"] / 1e9)
    assert "all is back" in "\n".join(measure.lines(report))
    assert list(tmp_path.glob("swap-*")) == [], "nothing is left on the disk"


def test_weights_are_as_large_as_they_should_be(tmp_path: Path) -> None:
    flat = module_file(tmp_path, envelopes.PARAKEET_FP32, 0.02)
    assert flat.bytes == pytest.approx(0.02 * envelopes.PARAKEET_FP32.weight_bytes, rel=0.02)
    whisper = whisper_folder(tmp_path, envelopes.WHISPER_FP16, 0.05)
    assert whisper.bytes == pytest.approx(0.05 * envelopes.WHISPER_FP16.weight_bytes, rel=0.2)


def test_bytes_that_do_not_come_back_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[bytes] = []
    original = FlatSwapped.off_s

    def off_s(self: FlatSwapped) -> float:
        kept.append(b"x" * int(plain.held_bytes("cpu") * 0.9 * measure.GROWTH))
        return original(self)

    monkeypatch.setattr(FlatSwapped, "off_s", off_s)
    report = run(tmp_path, names=["kokoro-82m"])
    assert not report["good"]
    assert report["subjects"][0]["back"]["lost_bytes"] > 1.5 * len(kept[-1])
    assert "not all is back" in "\n".join(measure.lines(report))


def test_a_library_that_does_not_let_go_voids_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = whisper_folder(tmp_path, envelopes.WHISPER_FP16, 0.001)
    swapped = ReplicaSwapped(made, "cpu")
    swapped.from_file_s()

    class Deaf:
        model_is_loaded = True

        def unload_model(self, *, to_cpu: bool) -> None:
            pass

    monkeypatch.setattr(swapped, "_model", Deaf())
    with pytest.raises(AgentError, match="did not let go of whisper-large-v3-fp16"):
        swapped.off_s()


def test_a_file_that_was_let_go_of_is_not_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(1 << 20))
    if not disk.forget(path):
        pytest.skip("this file system keeps files in memory")
    disk.warm(path)
    held = os.open(path, os.O_RDONLY)
    try:
        assert disk._held(held, 0)
    finally:
        os.close(held)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"device": None}, "torch sees no card here. `--device cpu --scale 0.05`"),
        ({"device": "nowhere"}, "--device 'nowhere' is none that torch has"),
        ({"names": ["gpt"]}, "--variant 'gpt' is none of whisper-large-v3-fp16"),
    ],
)
def test_what_cannot_be_measured_is_said(tmp_path: Path, wish: dict[str, Any], said: str) -> None:
    import torch

    if torch.cuda.is_available() and wish.get("device", "cpu") is None:
        pytest.skip("there is a card")
    with pytest.raises(UsageError) as caught:
        run(tmp_path, **wish)
    assert said in str(caught.value)


def test_a_disk_without_room_is_said(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match=r"are free in .*--scale"):
        run(tmp_path, names=["kokoro-82m"], scale=1e6)
