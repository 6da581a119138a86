"""What a probe found is kept, and never believed where it is damaged or old."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agent.executives.probe.cache import ProbeCache
from agent.executives.probe.probing import VERSION, Findings, Held, Score
from agent.models.probing import lines, summary, to_json

FOUND = Findings(
    digest="sha:1",
    model="qwen3:14b (Ollama)",
    context_tokens=16_384,
    native=Score(of=6, valid=6, right=5),
    by_schema=Score(of=6, valid=6, right=5),
    at_once=2,
    schema=Score(of=2, valid=2, right=2),
    thoughts_off=False,
    thoughts_on=True,
    held=Held(counted=16_000, exact=False, read=11_000, found=True, agrees=True),
    seconds=12.5,
)


def test_findings_come_back_as_they_were(tmp_path: Path) -> None:
    cache = ProbeCache(tmp_path)
    cache.put(FOUND)

    assert cache.get("sha:1") == FOUND
    assert cache.get("sha:2") is None


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"digest": "sha:1"}', b"\xff\xfe", b'{"native": 3}'],
)
def test_a_damaged_file_counts_as_none(tmp_path: Path, content: bytes) -> None:
    cache = ProbeCache(tmp_path)
    cache.put(FOUND)
    (path,) = (tmp_path / "probes").iterdir()
    path.write_bytes(content)

    assert cache.get("sha:1") is None
    cache.put(FOUND)
    assert cache.get("sha:1") == FOUND


def test_findings_of_another_probe_or_model_count_as_none(tmp_path: Path) -> None:
    cache = ProbeCache(tmp_path)
    cache.put(replace(FOUND, version=VERSION - 1))
    assert cache.get("sha:1") is None

    cache.put(FOUND)
    (path,) = (tmp_path / "probes").iterdir()
    path.write_text(json.dumps({**json.loads(path.read_text()), "digest": "sha:other"}))
    assert cache.get("sha:1") is None


def test_a_model_without_a_digest_is_not_kept(tmp_path: Path) -> None:
    cache = ProbeCache(tmp_path)
    cache.put(replace(FOUND, digest=""))

    assert cache.get("") is None
    assert not (tmp_path / "probes").exists()


def test_a_folder_that_cannot_be_written_to_costs_only_another_probe(tmp_path: Path) -> None:
    (tmp_path / "probes").write_text("a file stands here")
    cache = ProbeCache(tmp_path)
    cache.put(FOUND)

    assert cache.get("sha:1") is None


@pytest.mark.parametrize(
    ("native", "by_schema", "way"),
    [
        (Score(of=6, valid=6, right=6), Score(of=6, valid=6, right=6), True),
        (Score(of=6, valid=6, right=4), Score(of=6, valid=6, right=5), False),
        (Score(of=6, valid=5, right=5), Score(of=6, valid=6, right=5), False),
        (Score(of=6, valid=6, right=3), None, True),
        (Score(of=6, valid=6, right=2), None, False),
        (None, Score(of=6, valid=6, right=6), None),
    ],
)
def test_calls_go_by_the_template_if_all_are_valid_and_as_many_right(
    native: Score | None, by_schema: Score | None, way: bool | None
) -> None:
    assert replace(FOUND, native=native, by_schema=by_schema).native_tools is way


def test_findings_are_told_in_words() -> None:
    told = "\n".join(lines(to_json(FOUND)))

    assert "tool calls of its own    6 of 6 valid, 5 right" in told
    assert "can be switched on and off" in told
    assert "of a prompt of 11000 its beginning was read; the counts agree" in told
    assert summary(FOUND) == (
        "tool calls of its own, 5 of 6 right, a prompt of 11000 tokens read to its beginning"
    )
