"""What a server tells of a pull becomes bytes, a rate and the time that is left."""

from collections.abc import Iterator

import pytest

from agent.errors import UsageError
from agent.models.pulling import Progress, refuse_wrong
from agent.terminal import _line


@pytest.fixture
def timer() -> Iterator[float]:
    return iter(range(100))


def layer(digest: str, total: int, completed: int | None = None) -> dict[str, object]:
    event: dict[str, object] = {"status": "pulling", "digest": digest, "total": total}
    return event if completed is None else {**event, "completed": completed}


def test_the_rate_counts_only_what_came_now(timer: Iterator[float]) -> None:
    progress = Progress("phi4", timer=lambda: next(timer))
    progress.take(layer("a", 1_000, 600))
    told = progress.take(layer("a", 1_000, 800))

    assert told is not None
    assert told["done_bytes"] == 800
    assert told["bytes_s"] == 200
    assert told["left_s"] == 1.0
    assert progress.fetched_bytes == 200


def test_layers_are_added_up(timer: Iterator[float]) -> None:
    progress = Progress("phi4", timer=lambda: next(timer))
    progress.take(layer("a", 1_000))
    progress.take(layer("a", 1_000, 1_000))
    told = progress.take(layer("b", 500, 500))

    assert told is not None
    assert (told["done_bytes"], told["total_bytes"]) == (1_500, 1_500)


def test_a_step_is_told_once(timer: Iterator[float]) -> None:
    progress = Progress("phi4", timer=lambda: next(timer))
    first = progress.take({"status": "verifying sha256 digest"})

    assert first == {
        "event": "pulling_step",
        "model": "phi4",
        "text": "verifying sha256 digest",
    }
    assert progress.take({"status": "verifying sha256 digest"}) is None


def test_a_line_tells_size_rate_and_time_left() -> None:
    event = {
        "event": "pulling",
        "model": "phi4",
        "done_bytes": 2_000_000_000,
        "total_bytes": 9_000_000_000,
        "bytes_s": 50_000_000.0,
        "left_s": 140.0,
    }
    assert _line(event) == "2.00 of 9.00 GB, 50 MB/s, 2 min left: phi4"


@pytest.mark.parametrize(
    "name",
    [
        "qwen3",
        "qwen3:14b",
        "library/qwen3:14b-q4_K_M",
        "hf.co/Qwen/Qwen3-14B-GGUF:Q5_K_M",
        "a:5000/b/c",
    ],
)
def test_names_as_ollama_takes_them_are_taken(name: str) -> None:
    refuse_wrong(name)


@pytest.mark.parametrize(
    "name",
    ["", "qwen 3", "../etc/passwd", "a/b/c/d", "qwen3:", ":14b", "qwen3:14b:x", "x" * 90, "ф"],
)
def test_what_looks_wrong_is_refused_before_the_server_is_asked(name: str) -> None:
    with pytest.raises(UsageError, match="no name of a model"):
        refuse_wrong(name)
