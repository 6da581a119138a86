"""A folder of weights is what its manifest says, or it is refused and what is wrong is named."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.senses.errors import WeightsError
from tools.senses.models import weights
from tools.senses.models.weights import FileFacts, Manifest
from tools.stamps import GRAIN_NS

CONTENTS = {"model.bin": b"m" * 5_000, "config.json": b"{}", "voices/af_heart.pt": b"v" * 70}


def later() -> int:
    """A moment at which what was just written is old enough to be known by its times."""
    return time.time_ns() + 2 * GRAIN_NS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "kokoro-82m"
    facts = {}
    for name, content in CONTENTS.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        facts[name] = FileFacts(bytes=len(content), sha256=weights.digest(path))
    weights.write(
        place,
        Manifest(
            variant="kokoro-82m", kind="kokoro", source="hexgrad/X", revision="abc", files=facts
        ),
    )
    return place


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were hashed."""
    names: list[str] = []
    original = weights.digest

    def digest(path: Path, **more: Any) -> str:
        names.append(path.name)
        return original(path, **more)

    monkeypatch.setattr(weights, "digest", digest)
    return names


def rewritten(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / weights.MANIFEST
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told))


def test_a_manifest_is_read_as_it_was_written(folder: Path) -> None:
    manifest = weights.read(folder)
    assert (manifest.variant, manifest.kind, manifest.revision) == ("kokoro-82m", "kokoro", "abc")
    assert manifest.bytes == sum(map(len, CONTENTS.values()))
    assert weights.verified(folder) == manifest


def test_what_has_not_changed_is_hashed_once(folder: Path, hashed: list[str]) -> None:
    weights.verified(folder, now_ns=later)
    assert sorted(hashed) == ["af_heart.pt", "config.json", "model.bin"]
    weights.verified(folder, now_ns=later)
    assert len(hashed) == 3
    os.utime(folder / "config.json")
    weights.verified(folder, now_ns=later)
    assert hashed[3:] == ["config.json"]
    weights.verified(folder, trusting=False, now_ns=later)
    assert len(hashed) == 7


def test_what_was_only_just_written_is_hashed_again_since_its_times_may_hide_a_change(
    folder: Path, hashed: list[str]
) -> None:
    weights.verified(folder)
    weights.verified(folder)
    assert len(hashed) == 6


def test_the_same_file_under_another_hash_is_hashed(folder: Path) -> None:
    weights.verified(folder, now_ns=later)
    rewritten(folder, lambda told: told["files"]["config.json"].update(sha256="0" * 64))
    with pytest.raises(WeightsError, match=r"config\.json is not what was brought: SHA-256 44"):
        weights.verified(folder, now_ns=later)


def test_a_changed_byte_is_found_and_the_file_named(folder: Path) -> None:
    weights.verified(folder, now_ns=later)
    path = folder / "model.bin"
    times = path.stat()
    path.write_bytes(b"m" * 4_999 + b"x")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # whoever did it set the time back
    with pytest.raises(WeightsError, match=r"model\.bin is not .* `cortical models pull kokoro"):
        weights.verified(folder, now_ns=later)


def test_a_file_that_is_written_while_it_is_hashed_is_not_taken(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = weights.digest

    def digest(path: Path, **more: Any) -> str:
        found = original(path, **more)
        path.write_bytes(b"x" * path.stat().st_size)
        return found

    monkeypatch.setattr(weights, "digest", digest)
    with pytest.raises(WeightsError, match="changed while it was hashed"):
        weights.verified(folder)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'"' + b"x" * 100 + b'"', b"{}"])
def test_broken_stamps_are_as_good_as_none(folder: Path, hashed: list[str], content: bytes) -> None:
    (folder / ".verified.json").write_bytes(content)
    weights.verified(folder, now_ns=later)
    assert len(hashed) == 3


def test_stamps_that_cannot_be_kept_cost_time_and_no_more(folder: Path, hashed: list[str]) -> None:
    (folder / ".verified.new").mkdir()
    weights.verified(folder, now_ns=later)
    weights.verified(folder, now_ns=later)
    assert len(hashed) == 6


def cut(folder: Path) -> None:
    with (folder / "model.bin").open("r+b") as file:
        file.truncate(100)


def led_out(folder: Path) -> None:
    elsewhere = folder.parent / "elsewhere"
    (folder / "model.bin").rename(elsewhere)
    (folder / "model.bin").symlink_to(elsewhere)


def folder_led_out(folder: Path) -> None:
    (folder / "voices").rename(folder.parent / "voices")
    (folder / "voices").symlink_to(folder.parent / "voices")


def circle(folder: Path) -> None:
    (folder / "model.bin").unlink()
    (folder / "model.bin").symlink_to("model.bin")


def pipe(folder: Path) -> None:
    (folder / "model.bin").unlink()
    os.mkfifo(folder / "model.bin")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "model.bin").unlink(), r"model\.bin is not there"),
        (cut, r"model\.bin has 100 bytes, not 5000"),
        (led_out, r"model\.bin leads out of the folder"),
        (folder_led_out, r"voices is no file of kokoro-82m"),
        (circle, r"model\.bin leads out of the folder"),
        (pipe, r"model\.bin is no file"),
        (lambda folder: (folder / "adapter.json").write_text("{}"), r"adapter\.json is no file of"),
        (lambda folder: (folder / "voices/x.pt").write_text("{}"), r"voices/x\.pt is no file of"),
    ],
)
def test_a_folder_that_is_not_what_it_should_be_is_refused(
    folder: Path, damage: Callable[[Path], None], said: str
) -> None:
    weights.verified(folder, now_ns=later)
    damage(folder)
    with pytest.raises(WeightsError, match=said):
        weights.verified(folder, now_ns=later)


def test_hidden_files_are_passed_over(folder: Path) -> None:
    (folder / ".DS_Store").write_text("")
    (folder / ".git").mkdir()
    (folder / ".git" / "x").write_text("")
    weights.verified(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda told: told.update(version=2), "it is of version 2, not 1"),
        (lambda told: told.update(kind="pickle"), "nothing here loads the kind 'pickle'"),
        (lambda told: told.update(kind=[]), "nothing here loads the kind"),
        (lambda told: told.update(variant="x; rm -rf ~"), "is no name of a variant"),
        (lambda told: told.update(variant="../x"), "is no name of a variant"),
        (lambda told: told.update(variant=None), "is no name of a variant"),
        (lambda told: told.update(files={}), "it names no file"),
        (lambda told: told.update(files=[]), "AttributeError"),
        (lambda told: told.pop("source"), "KeyError 'source'"),
        (lambda told: told["files"]["config.json"].update(bytes="2"), "'2' is no size"),
        (lambda told: told["files"]["config.json"].update(bytes=True), "True is no size"),
        (lambda told: told["files"]["config.json"].update(bytes=-1), "-1 is no size"),
        (lambda told: told["files"]["config.json"].update(bytes=float("inf")), "inf is no size"),
        (lambda told: told["files"]["config.json"].update(sha256="44"), "'44' is no SHA-256"),
        (lambda told: told["files"]["config.json"].update(sha256=7), "7 is no SHA-256"),
        (lambda told: told["files"]["config.json"].update(at="../x"), "is no place of"),
        (lambda told: told["files"].update({"x": None}), "TypeError"),
    ],
)
def test_a_manifest_that_is_none_is_refused(
    folder: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    rewritten(folder, change)
    with pytest.raises(WeightsError, match=said) as caught:
        weights.read(folder)
    assert "manifest.json is no manifest of weights" in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../x", "/etc/passwd", "a/../b", "a//b", "./a", "a\\b", "a\0b", "a\nb"),
        *(".x", "voices/.x", "manifest.json", "a/"),
    ],
)
def test_a_name_that_leads_elsewhere_or_hides_is_none(folder: Path, name: str) -> None:
    rewritten(folder, lambda told: told["files"].update({name: told["files"]["config.json"]}))
    with pytest.raises(WeightsError, match="is no name of a file in the folder"):
        weights.read(folder)


@pytest.mark.parametrize(
    "content", [b"", b"[" * 100_000, b"\xff", b"1", b'{"version": 1}', b" " * (2 << 20)]
)
def test_what_is_no_json_of_a_manifest_is_refused(folder: Path, content: bytes) -> None:
    (folder / weights.MANIFEST).write_bytes(content)
    with pytest.raises(WeightsError, match="is no manifest of weights"):
        weights.read(folder)


def test_a_pipe_in_place_of_the_manifest_is_not_waited_for(folder: Path) -> None:
    (folder / weights.MANIFEST).unlink()
    os.mkfifo(folder / weights.MANIFEST)
    with pytest.raises(WeightsError, match="it is no file"):
        weights.read(folder)


def test_without_a_manifest_there_are_no_weights(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="`cortical models pull` or `cortical models add`"):
        weights.read(tmp_path)


def test_a_file_that_stayed_elsewhere_is_linked_to_from_just_there(tmp_path: Path) -> None:
    real, other = tmp_path / "real.bin", tmp_path / "other.bin"
    real.write_bytes(b"weights")
    other.write_bytes(b"weights")
    place = tmp_path / "sam2.1-t"
    place.mkdir()
    (place / "model.pt").symlink_to(real)
    facts = FileFacts(bytes=7, sha256=weights.digest(real), at=str(real))
    source = str(tmp_path)
    weights.write(
        place,
        Manifest(
            variant="sam2.1-t", kind="sam2", source=source, revision="", files={"model.pt": facts}
        ),
    )
    assert weights.verified(place, now_ns=later).files["model.pt"].at == str(real)

    (place / "model.pt").unlink()
    (place / "model.pt").symlink_to(other)
    with pytest.raises(WeightsError, match=r"leads out .* `cortical models remove sam2\.1-t`"):
        weights.verified(place)

    (place / "model.pt").unlink()
    (place / "model.pt").symlink_to(real)
    real.write_bytes(b"weighty")
    with pytest.raises(WeightsError, match="is not what was brought"):
        weights.verified(place, now_ns=later)
    real.unlink()
    with pytest.raises(WeightsError, match=r"real\.bin: No such file"):
        weights.verified(place)
