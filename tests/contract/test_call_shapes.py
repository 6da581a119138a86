"""Malformed calls through the adapters and the real graph."""

import pytest

from agent.bench.malformed import adapters, measure
from agent.bench.malformed.table import SHAPES
from agent.loopback import serving

ADAPTERS = {
    "ollama": adapters.ollama(serving),
    "openai": adapters.openai(serving),
    "in process": adapters.process,
}


@pytest.mark.parametrize("name", ADAPTERS)
async def test_no_shape_gets_past_an_adapter(name: str) -> None:
    found = await measure.rows({name: ADAPTERS[name]})
    several = sum(shape.several for shape in SHAPES) if name == "in process" else 0
    assert len(found) == len(SHAPES) - several
    assert [row for row in found if not measure.sound(row)] == []
