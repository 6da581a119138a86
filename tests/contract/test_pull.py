"""A pull against the double of Ollama: stopped, gone on with, and ended by whatever may happen."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from agent.errors import AgentError
from agent.models.pulling import pull
from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.models import DoubleModel
from agent.ollama_double.pulls import Pull
from agent.ollama_double.script import Script

Serve = Callable[[Any], AbstractAsyncContextManager[str]]


async def test_a_pull_that_was_stopped_goes_on_with_what_had_come(serve: Serve) -> None:
    double = OllamaDouble(Script(pulls={"slow:latest": Pull(steps=4, hangs_after=2)}))
    half = DoubleModel().size_bytes // 2
    came = asyncio.Event()

    def watch(event: dict[str, Any]) -> None:
        if event.get("done_bytes") == half:
            came.set()

    async with serve(double) as url:
        task = asyncio.create_task(pull(url, "slow", watch=watch))
        await came.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert double.shelf.find("slow") is None

        double.pulls.planned.clear()
        events: list[dict[str, Any]] = []
        done = await pull(url, "slow", watch=events.append)

    assert double.shelf.find("slow") is not None
    first = next(event for event in events if event["event"] == "pulling")
    assert first["done_bytes"] == half
    assert done["bytes"] == 2 * half + done["bytes"] % 2
    assert done["fetched_bytes"] == done["bytes"] - half


@pytest.mark.parametrize(
    ("pull_of", "words"),
    [
        (Pull(error="no space left on device", fails_after=1), r"is full: .*goes on where"),
        (Pull(error="pull model manifest: file does not exist"), r"knows of no model 'phi4'"),
        (Pull(error="max retries exceeded: EOF", fails_after=3), r"could not pull phi4: max ret"),
    ],
)
async def test_an_error_under_status_200_ends_a_pull(
    serve: Serve, pull_of: Pull, words: str
) -> None:
    double = OllamaDouble(Script(pulls={"phi4:latest": pull_of}))
    async with serve(double) as url:
        with pytest.raises(AgentError, match=words):
            await pull(url, "phi4", watch=lambda _: None)
    assert double.shelf.find("phi4") is None


async def test_a_stream_that_ends_without_success_is_no_success(serve: Serve) -> None:
    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"status": "pulling manifest"}\n'})

    async with serve(app) as url:
        with pytest.raises(AgentError, match="ended before phi4 was whole"):
            await pull(url, "phi4", watch=lambda _: None)


@pytest.mark.parametrize("line", [b"<html>", b"[1]", b"3"])
async def test_what_is_no_progress_is_named(serve: Serve, line: bytes) -> None:
    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": line + b"\n"})

    async with serve(app) as url:
        with pytest.raises(AgentError, match="is no progress of a pull"):
            await pull(url, "phi4", watch=lambda _: None)
