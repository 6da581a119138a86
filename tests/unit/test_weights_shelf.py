"""Weights on this machine: added from a path, told of, removed."""

import asyncio
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.errors import AgentError, UsageError
from agent.models.weights import adding, catalogue, shelf
from agent.residency import envelopes
from tools.senses.errors import WeightsError
from tools.senses.models import weights

ROOT = Path(__file__).parents[2]
WHISPER = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json")


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    """A folder with all that Whisper needs, and more."""
    folder = tmp_path / "brought"
    folder.mkdir()
    for name in (*WHISPER, "vocabulary.txt", "README.md", ".gitattributes"):
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def add(data_dir: Path, path: Path, **more: Any) -> dict[str, Any]:
    wish = {"variant": None, "kind": None, "link": False, "watch": lambda _: None, **more}
    return asyncio.run(adding.add(data_dir, path, **wish))


def names(data_dir: Path) -> list[str]:
    return [one.variant for one in shelf.available(data_dir)]


def test_a_folder_is_copied_without_what_is_not_of_the_model(data_dir: Path, brought: Path) -> None:
    done = add(data_dir, brought, variant="whisper-turbo-fp16")
    folder = data_dir / "weights" / "whisper-turbo-fp16"
    manifest = weights.verified(folder)
    assert set(manifest.files) == {*WHISPER, "vocabulary.txt"}
    assert (manifest.kind, manifest.source) == ("whisperx", str(brought))
    assert (done["bytes"], done["files"]) == (manifest.bytes, 5)
    (brought / "model.bin").write_text("changed later")
    assert weights.verified(folder)
    assert names(data_dir) == ["whisper-turbo-fp16"]
    assert [entry.name for entry in (data_dir / "weights").iterdir()] == ["whisper-turbo-fp16"]


def test_a_linked_folder_takes_no_room_and_nothing_is_written_there(
    data_dir: Path, brought: Path
) -> None:
    before = sorted(entry.name for entry in brought.iterdir())
    add(data_dir, brought, variant="whisper-turbo-fp16", link=True)
    folder = data_dir / "weights" / "whisper-turbo-fp16"
    assert (folder / "model.bin").readlink() == brought / "model.bin"
    assert weights.verified(folder)
    assert sorted(entry.name for entry in brought.iterdir()) == before
    assert names(data_dir) == ["whisper-turbo-fp16"]

    (brought / "model.bin").write_text("MODEL.BIN")
    with pytest.raises(WeightsError, match="is not what was brought"):
        weights.verified(folder)
    shelf.remove(data_dir, "whisper-turbo-fp16")
    assert (brought / "model.bin").read_text() == "MODEL.BIN"


def test_a_snapshot_of_links_is_copied_as_files(data_dir: Path, brought: Path) -> None:
    snapshot = brought.parent / "snapshot"
    snapshot.mkdir()
    for name in (*WHISPER, "vocabulary.txt"):
        (snapshot / name).symlink_to(brought / name)
    add(data_dir, snapshot, variant="whisper-large-v3-fp16")
    place = data_dir / "weights" / "whisper-large-v3-fp16" / "model.bin"
    assert not place.is_symlink()
    assert place.read_text() == "model.bin"


def test_one_file_tells_by_its_name_what_it_is(data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "sam2.1_hiera_base_plus.pt"
    file.write_bytes(b"weights")
    done = add(data_dir, file)
    assert (done["model"], done["kind"]) == ("sam2.1-b+", "sam2")


def test_a_folder_named_as_a_variant_is_that(data_dir: Path, brought: Path) -> None:
    done = add(data_dir, brought.rename(brought.with_name("whisper-large-v3-int8")))
    assert done["model"] == "whisper-large-v3-int8"


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({}, r"could be whisper-large-v3-fp16, whisper-large-v3-int8, whisper-turbo.* --as NAME"),
        ({"variant": "kokoro-82m"}, r"holds no kokoro-v1_0\.pth, no voices/af_heart\.pt, which"),
        ({"variant": "mine"}, r"'mine' are not known here, so --kind has to say .* whisperx"),
        ({"variant": "mine", "kind": "gguf"}, "so --kind has to say"),
        ({"variant": "../mine", "kind": "sam2"}, r"'\.\./mine' is no name for weights"),
        ({"variant": "whisper-turbo-fp16", "kind": "sam2"}, "is of the kind whisperx"),
    ],
)
def test_what_is_not_clear_is_asked_for(
    data_dir: Path, brought: Path, wish: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        add(data_dir, brought, **wish)
    assert not data_dir.exists()


def test_a_model_of_ones_own_is_taken_whole(data_dir: Path, brought: Path) -> None:
    add(data_dir, brought, variant="wav2vec2-sv", kind="wav2vec2")
    (one,) = shelf.available(data_dir)
    assert (one.variant, one.kind) == ("wav2vec2-sv", "wav2vec2")
    assert set(weights.read(one.folder).files) == {*WHISPER, "vocabulary.txt"}


def test_a_path_without_weights_is_named(data_dir: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UsageError, match="There is no folder or file"):
        add(data_dir, tmp_path / "nowhere")
    with pytest.raises(UsageError, match="No model's files are all there"):
        add(data_dir, empty)
    with pytest.raises(UsageError, match=r"holds no weights: no \.bin"):
        add(data_dir, empty, variant="mine", kind="sam2")


def test_a_folder_of_very_many_files_is_not_walked_to_its_end(
    data_dir: Path, brought: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "_MOST_FILES", 3)
    with pytest.raises(UsageError, match="has more than 3 files"):
        add(data_dir, brought)


def test_what_is_there_is_not_replaced(data_dir: Path, brought: Path) -> None:
    add(data_dir, brought, variant="whisper-turbo-fp16")
    with pytest.raises(UsageError, match=r"already\. `cortical models remove whisper-turbo-fp16`"):
        add(data_dir, brought, variant="whisper-turbo-fp16")


def test_an_addition_that_fails_leaves_nothing(data_dir: Path, brought: Path) -> None:
    (brought / "tokenizer.json").unlink()
    os.mkfifo(brought / "tokenizer.json")
    with pytest.raises(UsageError, match=r"holds no tokenizer\.json"):
        add(data_dir, brought, variant="whisper-turbo-fp16")
    (brought / "tokenizer.json").unlink()
    (brought / "tokenizer.json").write_text("t")

    def watch(event: dict[str, Any]) -> None:
        if event["text"].endswith("tokenizer.json"):
            (brought / "tokenizer.json").unlink()

    with pytest.raises(FileNotFoundError):
        add(data_dir, brought, variant="whisper-turbo-fp16", watch=watch)
    assert list((data_dir / "weights").iterdir()) == []


def test_what_a_killed_addition_left_goes_with_the_next(data_dir: Path, brought: Path) -> None:
    left = shelf.adding(data_dir, "sam2.1-t")
    left.mkdir(parents=True)
    (left / "x").write_text("x")
    assert shelf.surveyed(data_dir) == ()
    add(data_dir, brought, variant="whisper-turbo-fp16")
    assert not left.exists()


def test_only_one_process_changes_the_shelf(data_dir: Path, brought: Path) -> None:
    with shelf.alone(data_dir):
        with pytest.raises(AgentError, match="Another process brings or removes weights"):
            add(data_dir, brought, variant="whisper-turbo-fp16")
        with pytest.raises(AgentError, match="Another process"):
            shelf.remove(data_dir, "whisper-turbo-fp16")


def unreadable(folder: Path) -> None:
    (folder / "manifest.json").write_text("{")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (unreadable, "is no manifest of weights"),
        (lambda folder: (folder / "model.bin").unlink(), "model.bin is not there"),
        (lambda folder: (folder / "model.bin").write_text("x"), "model.bin has 1 bytes, not 9"),
        (lambda folder: (folder / "manifest.json").unlink(), "holds no weights"),
        (lambda folder: folder.rename(folder.with_name("other")), "Rename it to that"),
    ],
)
def test_what_is_not_whole_is_not_available_and_the_reason_is_told(
    data_dir: Path, brought: Path, damage: Callable[[Path], object], said: str
) -> None:
    add(data_dir, brought, variant="whisper-turbo-fp16")
    damage(data_dir / "weights" / "whisper-turbo-fp16")
    assert shelf.available(data_dir) == ()
    (one,) = shelf.surveyed(data_dir)
    assert isinstance(one, shelf.Broken)
    assert said in one.why
    shelf.remove(data_dir, one.variant)
    assert shelf.surveyed(data_dir) == ()


def test_removing_tells_the_bytes_and_takes_an_unfinished_pull_too(
    data_dir: Path, brought: Path
) -> None:
    add(data_dir, brought, variant="whisper-turbo-fp16")
    part = shelf.coming(data_dir, "whisper-turbo-fp16") / "parts" / "x"
    part.parent.mkdir(parents=True)
    part.write_bytes(bytes(10_000))
    assert shelf.unfinished(data_dir) == ("whisper-turbo-fp16",)
    assert shelf.remove(data_dir, "whisper-turbo-fp16") > 10_000
    assert list((data_dir / "weights").iterdir()) == []
    with pytest.raises(UsageError, match="There are none at all"):
        shelf.remove(data_dir, "whisper-turbo-fp16")


def test_verifying_hashes_anew_and_names_what_is_wrong(data_dir: Path, brought: Path) -> None:
    add(data_dir, brought, variant="whisper-turbo-fp16")
    add(data_dir, brought, variant="whisper-large-v3-fp16")
    (data_dir / "weights" / "whisper-turbo-fp16" / "model.bin").write_text("MODEL.BIN")
    told: list[str] = []
    good, bad = shelf.verify(data_dir, None, tell=told.append)
    assert isinstance(good, shelf.Installed)
    assert isinstance(bad, shelf.Broken)
    assert hashlib.sha256(b"MODEL.BIN").hexdigest() in bad.why
    assert len(told) == 2
    with pytest.raises(UsageError, match=r"no weights 'x' here\. There are: whisper-large"):
        shelf.verify(data_dir, "x", tell=told.append)


def test_no_folder_at_all_has_no_weights(data_dir: Path) -> None:
    assert shelf.available(data_dir) == ()
    assert shelf.unfinished(data_dir) == ()
    assert not data_dir.exists(), "to look changes nothing"


AVAILABLE_S = 0.005


def test_to_look_takes_five_milliseconds_at_most(data_dir: Path, tmp_path: Path) -> None:
    """With all that the catalogue knows, Kokoro's forty voices included."""
    for variant in catalogue.variants():
        source = catalogue.source(variant)
        assert source is not None
        folder = tmp_path / "all" / variant
        for part in source.parts:
            path = folder / part.names[0]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(variant)
        add(data_dir, folder, variant=variant)
    took: list[float] = []
    while len(took) < 3 or (min(took) >= AVAILABLE_S and len(took) < 50):  # it may be busy
        began = time.perf_counter()
        found = shelf.available(data_dir)
        took.append(time.perf_counter() - began)
        assert len(found) == len(catalogue.variants())
    assert min(took) < AVAILABLE_S, min(took)


def test_to_look_imports_no_library_of_the_senses() -> None:
    code = (
        "import sys; from pathlib import Path; from agent.models.weights import shelf;"
        "shelf.available(Path('/nowhere')); shelf.has_libraries('whisperx'); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    imported = {name.partition(".")[0] for name in done.stdout.split()}
    heavy = {"torch", "ctranslate2", "transformers", "httpx", "pydantic", "whisperx", "sam2"}
    assert not imported & heavy


def test_the_catalogue_has_every_variant_that_the_worker_runs() -> None:
    own = {one.name for one in envelopes.VARIANTS if not one.own_process}
    assert own <= set(catalogue.variants())
    assert all(weights.is_variant(name) for name in catalogue.variants())
    for variant in catalogue.variants():
        source = catalogue.source(variant)
        assert source is not None
        files = [name for part in source.parts for name in part.names]
        assert all(weights.is_file_name(name) for name in files)
        assert len(set(files)) == len(files)
