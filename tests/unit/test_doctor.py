"""What the doctor tells is what a command would choose."""

import json
from pathlib import Path

import pytest

from agent import capabilities
from agent.doctor import MINILM, embeddings, executive, language_notes, model_notes
from agent.embedders.minilm_files import MODEL
from agent.executives.ollama.server import OllamaModel, OllamaServer
from agent.executives.openai.server import Kind, OpenAiModel, OpenAiServer
from agent.models.weights import shelf
from agent.settings import Settings, load
from memory.embedding_models import Model
from tools.senses.models import weights


def _model(name: str, *capabilities: str) -> OllamaModel:
    return OllamaModel(
        name=name,
        size_bytes=1,
        parameters="1B",
        quantisation="Q4_K_M",
        capabilities=frozenset(capabilities),
        trained_tokens=4_096,
    )


SERVER = OllamaServer(
    url="http://127.0.0.1:11434",
    version="0.33.3",
    models=(
        _model("small:latest", "completion", "tools"),
        _model("qwen3:14b", "completion", "tools"),
        _model("nomic:latest", "embedding"),
    ),
)
MUTE = OllamaServer(url="u", version="0.33.3", models=(_model("qwen3:14b", "completion"),))


@pytest.mark.parametrize(
    ("choice", "server", "tier", "served"),
    [
        ("auto", None, "embedded", "SmolLM2"),
        ("auto", SERVER, "full", "qwen3:14b"),
        ("auto", MUTE, "embedded", "SmolLM2"),
        ("embedded", SERVER, "embedded", "SmolLM2"),
        ("ollama:small", SERVER, "full", "small:latest"),
        ("ollama:gone", SERVER, "missing", "ollama:gone"),
        ("ollama:small", None, "missing", "ollama:small"),
        ("gguf:/nowhere.gguf", None, "missing", "gguf:/nowhere.gguf"),
        ("gpt", SERVER, "missing", "gpt"),
    ],
)
def test_the_executive_is_the_one_that_the_setting_leads_to(
    monkeypatch: pytest.MonkeyPatch,
    choice: str,
    server: OllamaServer | None,
    tier: str,
    served: str,
) -> None:
    monkeypatch.setenv("CORTICAL_EXECUTIVE__CHOICE", choice)
    told = executive(load(), server)
    assert told.tier == tier
    assert told.server.startswith(served)
    assert tier != "missing" or told.advice


OPENAI = OpenAiServer(
    url="http://127.0.0.1:8080",
    kind=Kind.LLAMA_CPP,
    models=(OpenAiModel(name="/models/Qwen3-14B.gguf"), OpenAiModel(name="phi4")),
)


@pytest.mark.parametrize(
    ("choice", "model", "other", "tier", "served"),
    [
        ("auto", None, OPENAI, "full", "Qwen3-14B (llama.cpp server)"),
        ("auto", "phi4", OPENAI, "full", "phi4 (llama.cpp server)"),
        ("auto", "gone", OPENAI, "full", "qwen3:14b"),
        ("auto", None, "No server answers.", "full", "qwen3:14b"),
        ("openai:phi4", None, OPENAI, "full", "phi4 (llama.cpp server)"),
        ("openai:gone", None, OPENAI, "missing", "openai:gone"),
        ("openai:phi4", None, "No server answers.", "missing", "openai:phi4"),
        ("openai:phi4", None, None, "missing", "openai:phi4"),
        ("ollama:small", None, OPENAI, "full", "small:latest"),
    ],
)
def test_a_server_that_is_set_comes_before_ollama(
    monkeypatch: pytest.MonkeyPatch,
    choice: str,
    model: str | None,
    other: OpenAiServer | str | None,
    tier: str,
    served: str,
) -> None:
    monkeypatch.setenv("CORTICAL_EXECUTIVE__CHOICE", choice)
    if model is not None:
        monkeypatch.setenv("CORTICAL_OPENAI__MODEL", model)
    told = executive(load(), SERVER, other)
    assert (told.tier, told.server) == (tier, served) or told.server.startswith(served)
    assert tier != "missing" or told.advice


def test_a_model_file_that_is_there_serves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.touch()
    monkeypatch.setenv("CORTICAL_EXECUTIVE__CHOICE", f"gguf:{file}")
    assert executive(load(), None).tier == "full"


@pytest.mark.parametrize(
    ("choice", "server", "tier", "served"),
    [
        ("auto", None, "embedded", "all-MiniLM-L6-v2"),
        ("auto", SERVER, "full", "nomic:latest"),
        ("auto", MUTE, "embedded", "all-MiniLM-L6-v2"),
        ("embedded", SERVER, "embedded", "all-MiniLM-L6-v2"),
        ("ollama:nomic", SERVER, "full", "nomic:latest"),
        ("ollama:gone", SERVER, "missing", "ollama:gone"),
        ("ollama:nomic", None, "missing", "ollama:nomic"),
        ("minilm", None, "missing", "minilm"),
    ],
)
def test_the_embedder_is_the_one_that_the_setting_leads_to(
    monkeypatch: pytest.MonkeyPatch,
    choice: str,
    server: OllamaServer | None,
    tier: str,
    served: str,
) -> None:
    monkeypatch.setenv("CORTICAL_EMBEDDER", choice)
    told = embeddings(load(), server)
    assert told.tier == tier
    assert told.server.startswith(served)
    assert tier != "missing" or told.advice


def _stored(name: str, *, serves: bool) -> Model:
    return Model(id=1, name=name, dimensions=8, serves=serves)


def test_a_second_model_of_memory_is_told_with_both_ways_out() -> None:
    stored = [_stored("ollama:new", serves=False), _stored("all-MiniLM-L6-v2", serves=True)]
    [note] = model_notes(stored, "auto")
    assert "`cortical memory reindex --embedder ollama:new` goes over to it" in note
    assert "`cortical memory reindex --embedder all-MiniLM-L6-v2` drops it" in note


def test_a_setting_that_memory_does_not_follow_is_told() -> None:
    stored = [_stored("all-MiniLM-L6-v2", serves=True)]
    for choice in ("auto", "embedded", "all-MiniLM-L6-v2"):
        assert model_notes(stored, choice) == []
    [note] = model_notes(stored, "ollama:new")
    assert "names ollama:new, but memory was filled with all-MiniLM-L6-v2" in note
    assert model_notes([], "ollama:new") == []


def test_embedded_means_the_model_that_the_embedder_names() -> None:
    assert MINILM == MODEL


def test_documents_that_minilm_does_not_read_are_counted_with_what_to_pull() -> None:
    counts = {"mine": {"en": 9, "de": 2, "ja": 5, "code": 7, "und": 1}, "code": {"code": 3}}
    [note] = language_notes(counts)
    assert "the collection mine has 7 documents" in note
    assert "(5 ja, 2 de)" in note
    assert "`ollama pull bge-m3`" in note
    assert "`cortical memory reindex --embedder ollama:bge-m3`" in note


HERE = {"whisper-large-v3-int8": "whisperx", "whisper-turbo-fp16": "whisperx", "sam2.1-t": "sam2"}


def with_weights(settings: Settings) -> None:
    for variant, kind in HERE.items():
        folder = settings.data_dir / "weights" / variant
        folder.mkdir(parents=True)
        (folder / "model.bin").write_text(variant)
        facts = weights.FileFacts(bytes=len(variant), sha256=weights.digest(folder / "model.bin"))
        told = {"version": 1, "variant": variant, "kind": kind, "source": "", "revision": ""}
        files = {"model.bin": {"bytes": facts.bytes, "sha256": facts.sha256}}
        (folder / "manifest.json").write_text(json.dumps({**told, "files": files}))


def told_of(settings: Settings) -> dict[str, capabilities.Capability]:
    return {one.name: one for one in capabilities.senses(settings)}


def test_without_weights_the_embedded_senses_serve_and_it_is_said_what_to_bring() -> None:
    told = told_of(load())
    assert {one.tier for one in told.values()} == {"embedded"}
    assert told["hearing"].server.startswith("pocketsphinx")
    said = "`make senses`, then `.venv-senses/bin/cortical models pull kokoro-82m`."
    assert told["speech"].advice.endswith(said)


def test_weights_that_nothing_loads_need_the_extra() -> None:
    with_weights(load())
    told = told_of(load())
    assert told["hearing"].tier == "embedded"
    assert "whisper-large-v3-int8 is here; `make senses` makes .venv-senses" in (
        told["hearing"].advice
    )


def test_with_the_extra_and_weights_a_sense_is_of_the_full_tier(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shelf, "has_libraries", lambda _: True)
    with_weights(load())
    told = told_of(load())
    assert (told["hearing"].tier, told["hearing"].server) == (
        "full",
        "whisper-turbo-fp16 on the CPU",
    )
    assert told["sight"].server == "sam2.1-t on the CPU"
    assert told["speech"].tier == "embedded"
    assert told["speech"].advice.endswith("For the full tier: `cortical models pull kokoro-82m`.")


def test_a_sense_that_settings_pass_over_stays_embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "has_libraries", lambda _: True)
    monkeypatch.setenv("CORTICAL_SENSES__HEARING", "embedded")
    with_weights(load())
    told = told_of(load())
    assert told["hearing"].tier == "embedded"
    assert "the setting [senses] passes it over" in told["hearing"].advice
    monkeypatch.setenv("CORTICAL_SENSES__HEARING", "whisper-large-v3-fp16")
    assert "names no model for it that is here" in told_of(load())["hearing"].advice
