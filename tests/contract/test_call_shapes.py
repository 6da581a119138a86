"""Malformed calls through the adapters and the real graph."""

import pytest

from agent.bench import shapes
from agent.loopback import serving


@pytest.mark.parametrize(
    "adapter", [shapes.ollama(serving), shapes.openai(serving)], ids=["ollama", "openai"]
)
async def test_no_shape_gets_past_an_adapter(adapter: shapes.Adapter) -> None:
    found = await shapes.rows({"it": adapter})
    assert len(found) == len(shapes.SHAPES)
    assert [row for row in found if not shapes.sound(row)] == []
