"""Weights of senses pulled, added, listed, verified and removed, with a hub in this process."""

import signal
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from agent.hub_double import HubDouble

TURBO = "whisper-turbo-fp16"
FILES = {
    "config.json": b"{}",
    "preprocessor_config.json": b"{}",
    "model.bin": b"m" * 200_000,
    "tokenizer.json": b"t" * 3_000,
    "vocabulary.json": b"[]",
}


@pytest.fixture
def hub() -> HubDouble:
    return HubDouble(repositories={"mobiuslabsgmbh/faster-whisper-large-v3-turbo": dict(FILES)})


@pytest.fixture
def puller(user: Any, hub: HubDouble, serving: Callable[[Any], Any]) -> Iterator[Any]:
    with serving(hub) as served:
        user.settings["CORTICAL_SENSES__HUB_URL"] = served.url
        yield user


def test_weights_are_pulled_listed_verified_and_removed(puller: Any) -> None:
    done = puller.run("models", "pull", TURBO)
    assert done.code == 0, done.err
    assert "whose licence is MIT" in done.err
    assert f"{TURBO} is there: 0.00 GB" in done.out

    listed = puller.json("models", "list")
    (one,) = listed["weights"]
    assert (one["variant"], one["kind"], one["bytes"]) == (TURBO, "whisperx", 203_006)
    assert (listed["broken"], listed["unfinished"]) == ([], [])
    lines = puller.run("models", "list").out
    assert f"{TURBO}  (weights, whisperx, 0.00 GB)  from mobiuslabsgmbh/" in lines

    assert "are what was brought" in puller.run("models", "verify").out
    (Path(one["folder"]) / "model.bin").write_bytes(b"n" * 200_000)
    bad = puller.run("models", "verify", TURBO)
    assert bad.code == 1
    assert "model.bin is not what was brought: SHA-256" in bad.out
    found = puller.run("models", "verify", "--json")
    assert (found.code, found.value["good"]) == (1, False)

    assert puller.run("models", "pull", TURBO).code == 0
    assert puller.json("models", "verify")["good"]

    assert puller.json("models", "remove", TURBO)["bytes"] > 203_006
    assert puller.json("models", "list")["weights"] == []
    assert puller.run("models", "remove", TURBO).code == 2


def test_a_pull_of_weights_that_was_stopped_goes_on_where_it_stopped(
    puller: Any, hub: HubDouble
) -> None:
    hub.hangs["model.bin"] = 150_000
    with puller.start("models", "pull", TURBO) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if " of 0.00 GB" in line:
                break
        second = puller.run("models", "pull", TURBO)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 130
    assert second.code == 1
    assert "Another process brings or removes weights" in second.err
    assert puller.json("models", "list")["unfinished"] == [TURBO]
    assert f"`cortical models pull {TURBO}` goes on" in puller.run("models", "list").out

    hub.hangs.clear()
    done = puller.json("models", "pull", TURBO)
    assert 0 < done["fetched_bytes"] < done["bytes"]
    assert done["licence"] == "MIT"


def test_weights_are_added_from_a_path_and_may_stay_there(user: Any) -> None:
    folder = user.home / "from-elsewhere"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    unclear = user.run("models", "add", folder)
    assert unclear.code == 2
    assert "Say it by --as NAME" in unclear.err

    done = user.run("models", "add", folder, "--as", TURBO)
    assert done.code == 0, done.err
    assert f"{TURBO} is here: 0.00 GB in 5 files, copied from {folder}" in done.out
    linked = user.json("models", "add", folder, "--as", "whisper-large-v3-int8", "--link")
    assert linked["linked"]
    assert [one["variant"] for one in user.json("models", "verify")["weights"]] == [
        "whisper-large-v3-int8",
        TURBO,
    ]
    (folder / "model.bin").unlink()
    listed = user.json("models", "list")
    assert [one["variant"] for one in listed["weights"]] == [TURBO]
    assert "No such file or directory" in listed["broken"][0]["why"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("pull", "wav2vec2-xx"), 2, "is not known. Pull one of whisper-large-v3-fp16"),
        (("pull", "phi4", "--newest"), 2, "--newest is for the weights of senses"),
        (("pull", "sam2.1-t"), 1, "has no repository facebook/sam2.1-hiera-tiny"),
        (("add", "nowhere"), 2, "There is no folder or file"),
        (("verify", "sam2.1-t"), 2, "There are none at all"),
        (("verify",), 2, "There are no weights here. `cortical models pull NAME` brings some"),
    ],
)
def test_what_cannot_be_done_is_said(
    puller: Any, words: tuple[str, ...], code: int, said: str
) -> None:
    done = puller.run("models", *words)
    assert done.code == code
    assert said in done.err


def test_a_hub_without_encryption_is_refused(user: Any) -> None:
    user.settings["CORTICAL_SENSES__HUB_URL"] = "http://hub.example"
    done = user.run("models", "pull", "kokoro-82m")
    assert done.code == 2
    assert "senses.hub_url = 'http://hub.example'" in done.err


def test_swapping_is_measured_where_the_extra_is_or_it_is_said(user: Any) -> None:
    small = ("--device", "cpu", "--scale", "0.001", "--rounds", "1", "--cycles", "1")
    done = user.run("bench", "swap", *small, "--variant", "kokoro-82m")
    if find_spec("torch") is None:
        assert done.code == 1
        assert "`make senses` makes an environment" in done.err
    else:
        assert "kokoro-82m" in done.out
