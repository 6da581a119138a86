"""Which executive is taken, and what a server that hangs costs."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from agent.errors import SettingsError
from agent.executives.choose import Choosing, choose
from agent.executives.gguf.header import embedded_model
from agent.executives.ollama.server import discover
from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.models import DoubleModel
from graphs.errors import ExecutiveUnreachableError, ModelMissingError

Serve = Callable[[Any], AbstractAsyncContextManager[str]]

QWEN = DoubleModel()
PHI = DoubleModel(name="phi4:latest", architecture="phi3", capabilities=("completion",))
LLAMA = DoubleModel(name="llama3.2:3b", architecture="llama", capabilities=("completion", "tools"))
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
async def silent_url() -> AsyncIterator[str]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


async def test_the_preferred_model_is_taken_where_it_is(serve: Serve) -> None:
    async with serve(OllamaDouble(models=[LLAMA, QWEN])) as url:
        chosen = await choose(Choosing(url=url, probe_timeout_s=5.0))

    profile = chosen.executive.profile
    assert profile.name == "qwen3:14b (Ollama 0.33.3)"
    assert (profile.tier, profile.native_tools, profile.judgement) == ("full", True, True)
    assert profile.context_tokens == 16_384
    assert "preferred" in chosen.reason


async def test_else_the_first_model_that_can_call_tools(serve: Serve) -> None:
    async with serve(OllamaDouble(models=[PHI, LLAMA])) as url:
        chosen = await choose(Choosing(url=url, probe_timeout_s=5.0))

    assert chosen.executive.profile.name.startswith("llama3.2:3b")


async def test_a_server_without_a_tool_calling_model_leaves_the_embedded_one(
    serve: Serve,
) -> None:
    async with serve(OllamaDouble(models=[PHI])) as url:
        chosen = await choose(Choosing(url=url, probe_timeout_s=5.0))

    assert chosen.executive.profile.tier == "embedded"
    assert "ollama pull qwen3:14b" in chosen.reason


async def test_without_a_server_the_embedded_model_serves() -> None:
    chosen = await choose(Choosing(url=NOWHERE, process_context_tokens=2_048))

    profile = chosen.executive.profile
    assert (profile.tier, profile.native_tools, profile.judgement) == ("embedded", False, False)
    assert profile.context_tokens == 2_048
    assert NOWHERE in chosen.reason


async def test_a_server_that_hangs_costs_no_more_than_the_probe(silent_url: str) -> None:
    began = time.monotonic()
    assert await discover(silent_url, timeout_s=0.2) is None

    assert time.monotonic() - began < 1.0


async def test_no_context_is_longer_than_the_model_was_trained_for(serve: Serve) -> None:
    async with serve(OllamaDouble(models=[DoubleModel(context_length=4_096)])) as url:
        chosen = await choose(Choosing(url=url, probe_timeout_s=5.0))
    embedded = await choose(Choosing(wanted="embedded", process_context_tokens=100_000))

    assert chosen.executive.profile.context_tokens == 4_096
    assert embedded.executive.profile.context_tokens == 8_192


async def test_a_named_model_is_taken_also_without_tools_of_its_own(serve: Serve) -> None:
    async with serve(OllamaDouble(models=[QWEN, PHI])) as url:
        chosen = await choose(Choosing(wanted="ollama:phi4", url=url))

    assert chosen.executive.profile.name.startswith("phi4:latest")
    assert not chosen.executive.profile.native_tools


async def test_a_named_model_that_is_not_there_is_an_error(serve: Serve) -> None:
    async with serve(OllamaDouble(models=[QWEN])) as url:
        with pytest.raises(ModelMissingError, match=r"it has qwen3:14b\. Run `ollama pull phi4`"):
            await choose(Choosing(wanted="ollama:phi4", url=url))


async def test_a_named_model_without_its_server_is_an_error() -> None:
    with pytest.raises(ExecutiveUnreachableError, match="ollama serve"):
        await choose(Choosing(wanted="ollama:phi4", url=NOWHERE))


async def test_a_file_is_taken_as_the_full_tier() -> None:
    path = await asyncio.to_thread(embedded_model)
    chosen = await choose(Choosing(wanted=f"gguf:{path}"))

    assert chosen.executive.profile.tier == "full"
    assert not chosen.executive.profile.judgement, "135 million parameters judge nothing"


@pytest.mark.parametrize("content", [None, b"", b"GGUF", b"\x89PNG\r\n", b"GGUF" + b"\xff" * 40])
async def test_a_file_that_is_no_model_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelMissingError, match=r"model\.gguf"):
        await choose(Choosing(wanted=f"gguf:{path}"))


async def test_a_setting_that_names_nothing_is_refused() -> None:
    with pytest.raises(SettingsError, match="gpt-5"):
        await choose(Choosing(wanted="gpt-5"))


async def test_a_server_tells_its_models_with_what_they_can(serve: Serve) -> None:
    async with serve(OllamaDouble(models=[PHI, QWEN])) as url:
        server = await discover(url, timeout_s=5.0)

    assert server is not None
    assert server.version == "0.33.3"
    assert [model.name for model in server.models] == ["phi4:latest", "qwen3:14b"]
    found = server.model("qwen3:14b")
    assert found is not None
    assert found.capabilities == {"completion", "tools", "thinking"}
    assert (found.trained_tokens, found.quantisation) == (40_960, "Q4_K_M")
    assert server.model("phi4") == server.models[0]
