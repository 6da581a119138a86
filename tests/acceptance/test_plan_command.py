"""A card is planned: with and without a server, a file or a card; and nonsense is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., str]

GIB = 1 << 30
SCRIPT = {
    "models": [
        {"name": "qwen3:14b"},
        {"name": "novel:7b", "architecture": "novel", "layers": 8},
    ]
}


@pytest.fixture
def blind(user: Any) -> Any:
    """A user of a machine on which no program of a driver is found."""
    user.settings["PATH"] = ""
    return user


def card_in(user: Any, stub: Path, *, total_mib: int, free_mib: int) -> Any:
    """Give a user a driver that tells of a card."""
    told = user.home / "driver"
    sizes = f"{total_mib << 20} {(total_mib - free_mib) << 20}"
    told.write_text(f"card GPU-11111111-aaaa {sizes} NVIDIA GeForce RTX 3090\n")
    user.settings.update(LD_LIBRARY_PATH=str(stub.parent), NVML_STUB=str(told))
    return user


def test_the_command_of_the_documents_plans_without_server_and_file(blind: Any) -> None:
    words = ["--vram", "24GiB", "--executive", "qwen3:14b", "--context", "16384"]
    found = blind.json("plan", *words, "--kv-cache", "q8_0")

    assert found["executive"]["certainty"] == "computed"
    assert found["executive"]["error"] == 0.01
    (card,) = found["cards"]
    assert card["exposed_bytes"] >> 20 == 24_122
    assert card["need"]["cache"] == 1_360 << 20
    assert card["need"]["total"] == sum(
        card["need"][part] for part in ("weights", "cache", "buffer", "process")
    )
    assert card["headroom_bytes"] == card["capacity_bytes"] - card["need"]["total"]
    assert all(one["fits"] for one in card["beside"])
    assert card["ladder"] == []
    assert (card["context_alone"], card["context_beside"]) == (40_960, 40_960)


def test_without_a_card_the_usual_ones_are_planned_side_by_side(blind: Any) -> None:
    done = blind.run("plan", "--executive", "qwen3:14b")

    assert done.code == 0, done.err
    assert "24GiB      16GiB" in done.out
    assert "no card was found" in done.out
    assert "the executive does not fit on a card of 12GiB" in done.out
    assert "1. a cache of q8_0" in done.out
    assert max(len(line) for line in done.out.splitlines()) <= 120


def test_a_card_that_is_there_is_measured_and_what_others_use_is_said(
    user: Any, stub: Path
) -> None:
    card_in(user, stub, total_mib=24_122, free_mib=20_000)
    (card,) = user.json("plan", "--executive", "phi4")["cards"]
    done = user.run("plan", "--executive", "phi4")

    assert card["name"] == "NVIDIA GeForce RTX 3090"
    assert card["exposed_bytes"] >> 20 == 24_122
    assert card["measured"]
    assert "4.03 GiB of the card are used now" in done.out


def test_a_server_tells_of_the_model_that_it_has(user: Any, served: Start) -> None:
    user.settings["CORTICAL_OLLAMA__URL"] = served(SCRIPT)
    found = user.json("plan", "--vram", "16GiB", "--executive", "qwen3:14b")

    assert found["executive"]["source"] == "what its Ollama server tells"
    assert found["executive"]["certainty"] == "exact"
    assert found["load"]["builds"] == ["b10900", "b11500"]
    strange = user.json("plan", "--vram", "16GiB", "--executive", "novel:7b")
    assert strange["executive"]["certainty"] == "estimated"
    done = user.run("plan", "--vram", "16GiB", "--executive", "novel:7b")
    assert "estimated from what its Ollama server tells" in done.out


def test_the_model_in_a_file_is_planned_exactly(user: Any) -> None:
    found = user.json("plan", "--vram", "8GiB", "--executive", "embedded", "--context", "8192")

    assert found["executive"]["certainty"] == "exact"
    assert found["cards"][0]["need"]["cache"] == 180 << 20


def test_windowed_layers_keep_their_window_only(blind: Any) -> None:
    words = ["--vram", "24GiB", "--executive", "gpt-oss:20b", "--context", "131072"]
    windowed = blind.json("plan", *words)
    whole = blind.json("plan", *words, "--swa-full")

    cache = windowed["cards"][0]["need"]["cache"]
    assert cache == (12 * 131_072 + 12 * 768) * 8 * 128 * 2
    assert whole["cards"][0]["need"]["cache"] == 24 * 131_072 * 8 * 128 * 2
    done = blind.run("plan", *words)
    assert "12 of 24 layers look back over 128 tokens only" in done.out


def test_ollamas_own_batch_takes_more(blind: Any) -> None:
    words = ["--vram", "24GiB", "--executive", "qwen3:14b", "--context", "16384"]
    ours = blind.json("plan", *words)
    own = blind.json("plan", *words, "--micro-batch", "ollama")

    assert own["load"]["micro_batch"] == 1_024
    more = own["cards"][0]["need"]["buffer"] - ours["cards"][0]["need"]["buffer"]
    assert more >> 20 in range(300, 320)


def test_an_operation_takes_the_shape_of_its_input(blind: Any) -> None:
    words = ["--vram", "24GiB", "--executive", "qwen3:14b", "--sense", "whisper-large-v3-fp16"]
    one = blind.json("plan", *words)["cards"][0]
    eight = blind.json("plan", *words, "--audio", "600", "--audio-batch", "8")["cards"][0]
    large = blind.json("plan", *words, "--pixels", "3840x2160")["cards"][0]

    def taken(card: Any, name: str) -> int:
        return next(int(sense["bytes"]) for sense in card["beside"] if sense["name"] == name)

    assert taken(eight, "whisper-large-v3-fp16") - taken(one, "whisper-large-v3-fp16") == (
        pytest.approx(7 * 223.6e6, rel=0.001)
    )
    assert taken(large, "sam2.1-l") > taken(one, "sam2.1-l")


def test_unified_memory_is_a_budget_of_its_own(blind: Any) -> None:
    words = ["--unified", "32GiB", "--executive", "qwen3:8b"]
    (card,) = blind.json("plan", *words)["cards"]
    done = blind.run("plan", *words)

    assert card["kind"] == "unified"
    assert card["exposed_bytes"] == 32 * GIB * 2 // 3
    assert card["host_bytes"]["shares_the_memory"]
    assert "Metal lets the GPU use 67% of this memory" in done.out
    assert "copies on the host come out of the same memory" in done.out


def test_a_terminal_of_letters_gets_letters(blind: Any) -> None:
    blind.settings["TERM"] = "dumb"
    blind.settings["COLUMNS"] = "60"
    done = blind.run("plan", "--vram", "24GiB", "--executive", "qwen3:14b")
    bar = next(line for line in done.out.splitlines() if line.startswith("xx"))

    assert bar.isascii()
    assert len(bar) == 59


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--vram", "banana"], 2, "--vram 'banana' is no size"),
        (["--executive", "nosuch:1b"], 2, "There is no model 'nosuch:1b' on an Ollama server"),
        (["--executive", "missing.gguf"], 1, "missing.gguf cannot be read"),
        (["--context", "50000"], 2, "was trained for 40,960 tokens"),
        (["--context", "0"], 2, "--context"),
        (["--kv-cache", "q3"], 2, "'q3' is not one of"),
        (["--micro-batch", "many"], 2, "--micro-batch 'many' is no number of tokens"),
        (["--pixels", "big"], 2, "--pixels 'big' is no size of a picture"),
    ],
)
def test_nonsense_is_named_with_what_to_write_instead(
    blind: Any, words: list[str], code: int, said: str
) -> None:
    named = words if "--executive" in words else [*words, "--executive", "qwen3:14b"]
    done = blind.run("plan", *named)

    assert done.code == code, done.err
    assert said in done.err
    assert done.out == ""


def test_a_broken_file_is_named(user: Any) -> None:
    broken = user.home / "broken.gguf"
    broken.write_bytes(b"GGUF\x03\x00\x00\x00 and then nothing of use")
    done = user.run("plan", "--executive", str(broken))

    assert done.code == 1
    assert "broken.gguf is not a GGUF model" in done.err


def test_the_plain_number_of_bytes_is_a_size(blind: Any) -> None:
    found = blind.json("plan", "--vram", str(12 * GIB), "--executive", "qwen3:4b")

    assert found["cards"][0]["nominal_bytes"] == 12 * GIB
