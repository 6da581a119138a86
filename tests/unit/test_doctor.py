"""What the doctor tells is what a command would choose."""

from pathlib import Path

import pytest

from agent.doctor import embeddings, executive
from agent.executives.ollama_server import OllamaModel, OllamaServer
from agent.settings import load


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
