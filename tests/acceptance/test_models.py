"""Models listed, pulled, probed and timed, with a server in a process of its own."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

Start = Callable[..., str]

SCRIPT = {
    "models": [
        {"name": "qwen3:14b"},
        {
            "name": "gemma3:12b",
            "architecture": "gemma3",
            "capabilities": ["completion"],
            "layers": 6,
            "kv_heads": [8, 8, 8, 8, 8, 4],
        },
        {"name": "bge-m3:latest", "capabilities": ["embedding"]},
    ],
    "pulls": {
        "full:latest": {"error": "write blobs/sha256-1: no space left on device", "fails_after": 2},
        "nowhere:latest": {"error": "pull model manifest: file does not exist"},
        "slow:latest": {"steps": 4, "hangs_after": 2},
    },
}


def with_server(user: Any, url: str, **settings: str) -> Any:
    user.settings.update({"CORTICAL_OLLAMA__URL": url, **settings})
    return user


def test_models_are_listed_with_what_they_need_and_what_fits(user: Any, served: Start) -> None:
    found = with_server(user, served(SCRIPT)).json("models", "list", "--vram", "12GiB")
    models = {one["name"]: one for one in found["models"]}

    assert found["card"]["total_bytes"] == 12 << 30
    qwen = models["qwen3:14b"]
    assert (qwen["choice"], qwen["quantisation"]) == ("ollama:qwen3:14b", "Q4_K_M")
    assert qwen["digest"]
    assert qwen["probed"] is None
    f16, q8 = qwen["needs"]
    assert (f16["kv_type"], f16["context_tokens"], f16["cache"]) == ("f16", 16_384, 2_684_354_560)
    assert q8["cache"] * 64 == f16["cache"] * 34
    assert f16["total"] == sum(f16[part] for part in ("weights", "cache", "buffer", "process"))
    assert f16["fits"]
    assert 16_384 < f16["largest_context"] < q8["largest_context"]
    assert models["gemma3:12b"]["needs"][0]["cache"] == 44 * 256 * 16_384 * 2
    small = models["SmolLM2-135M-Instruct.Q4_1"]
    assert (small["choice"], small["home"]) == ("embedded", "in process")
    assert small["needs"][0]["context_tokens"] == 4_096


def test_without_a_card_the_needs_stand_alone_and_it_is_said(user: Any, served: Start) -> None:
    with_server(user, served(SCRIPT), PATH="")
    done = user.run("models", "list")

    assert done.code == 0, done.err
    assert "16384 tokens of f16: 11.4" in done.out
    assert "fits" not in done.out.replace("what would fit", "")
    assert "note: no card was found; --vram 24GiB" in done.out
    assert "bge-m3:latest" in done.out


def test_without_a_server_the_embedded_model_is_listed_and_the_server_named(user: Any) -> None:
    done = user.run("models", "list", "--vram", "8GiB")

    assert done.code == 0
    assert "SmolLM2-135M" in done.out
    assert "no Ollama server answers at http://127.0.0.1:9" in done.out


def test_a_file_that_is_not_there_is_named_and_the_others_are_listed(user: Any) -> None:
    user.settings["CORTICAL_EXECUTIVE__CHOICE"] = f"gguf:{user.home}/missing.gguf"
    done = user.run("models", "list")

    assert done.code == 0
    assert "SmolLM2-135M" in done.out
    assert "missing.gguf cannot be read" in done.out


def test_a_size_that_is_none_is_wrong_use(user: Any) -> None:
    done = user.run("models", "list", "--vram", "24")

    assert done.code == 2
    assert "--vram '24' is no size" in done.err


def test_a_model_is_pulled_and_is_there(user: Any, served: Start) -> None:
    with_server(user, served(SCRIPT))
    done = user.run("models", "pull", "phi4")

    assert done.code == 0, done.err
    assert "9.28 of 9.28 GB" in done.err or "0.00 of 9.28 GB" in done.err
    assert "phi4 is there: 9.28 GB" in done.out
    assert "phi4:latest" in [one["name"] for one in user.json("models", "list")["models"]]


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("full", 1, "is full: write blobs/sha256-1: no space left on device"),
        ("nowhere", 1, "knows of no model 'nowhere'"),
        ("not a name", 2, "'not a name' is no name of a model"),
    ],
)
def test_a_pull_that_fails_says_why_and_what_to_do(
    user: Any, served: Start, name: str, code: int, words: str
) -> None:
    done = with_server(user, served(SCRIPT)).run("models", "pull", name)

    assert done.code == code
    assert words in done.err
    assert done.out == ""


def test_a_pull_without_a_server_names_it(user: Any) -> None:
    done = user.run("models", "pull", "phi4")

    assert done.code == 1
    assert "No Ollama server answers at http://127.0.0.1:9" in done.err


def test_a_pull_that_was_stopped_goes_on_where_it_stopped(user: Any, served: Start) -> None:
    with_server(user, served(SCRIPT))
    with user.start("models", "pull", "slow") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "GB" in line:
                break
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 130

    script = {**SCRIPT, "pulls": {}}
    done = with_server(user, served(script)).run("models", "pull", "slow")
    assert done.code == 0


def test_what_a_probe_finds_is_kept_and_listed(user: Any, served: Start) -> None:
    with_server(user, served(SCRIPT))
    found = user.json("models", "probe", "qwen3:14b")

    assert found["native"]["of"] == 6
    assert found["native"]["valid"] <= 6
    assert found["by_schema"]["valid"] == 6
    assert found["thoughts_on"] is True
    assert found["thoughts_off"] is False
    assert found["held"]["found"]
    assert found["held"]["agrees"]
    listed = user.json("models", "list")["models"]
    assert {one["name"]: one["probed"] and one["probed"]["digest"] for one in listed} == {
        "qwen3:14b": found["digest"],
        "gemma3:12b": None,
        "bge-m3:latest": None,
        "SmolLM2-135M-Instruct.Q4_1": None,
    }


def test_a_model_of_the_full_tier_is_probed_at_its_first_use_and_not_again(
    user: Any, served: Start
) -> None:
    url = served({"models": [{"name": "never-seen:14b"}]})
    with_server(user, url, CORTICAL_EXECUTIVE__PROBE="auto")
    first = user.run("ask", "What is the time?")
    second = user.run("ask", "What is the time?")

    assert "probing never-seen:14b" in first.err
    assert "probed in" in first.err
    assert "probing" not in second.err


def test_speed_is_told_for_each_length(user: Any, served: Start) -> None:
    story = "The keeper of the lighthouse rose before dawn and climbed the stairs to the lamp. " * 4
    script = {**SCRIPT, "replies": [story], "loop": True}
    report = with_server(user, served(script)).json("models", "bench", "qwen3:14b", "--rounds", "2")

    assert [one["rounds"] for one in report["lengths"]] == [2] * len(report["lengths"])
    assert len(report["lengths"]) >= 3
    for one in report["lengths"]:
        assert one["answer_per_s"] > 0
        assert one["cached_tokens"] > 0
        assert one["first_token_s"] > 0


def test_a_model_that_writes_nothing_to_time_voids_the_measurement(
    user: Any, served: Start
) -> None:
    script = {**SCRIPT, "replies": ["No."], "loop": True}
    done = with_server(user, served(script)).run("models", "bench", "--rounds", "1")

    assert done.code == 1
    assert "its speed cannot be told" in done.err


def test_a_model_that_is_not_there_is_named(user: Any, served: Start) -> None:
    done = with_server(user, served(SCRIPT)).run("models", "probe", "phi4")

    assert done.code == 1
    assert "does not have phi4" in done.err
