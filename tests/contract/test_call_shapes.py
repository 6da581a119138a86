"""Malformed calls through the adapter of Ollama and the real graph."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from agent.bench import shapes

Serve = Callable[[Any], AbstractAsyncContextManager[str]]


async def test_no_shape_gets_past_ollama(serve: Serve) -> None:
    found = await shapes.rows({"ollama": shapes.ollama(serve)})
    assert len(found) == len(shapes.SHAPES)
    assert [row for row in found if not shapes.sound(row)] == []
