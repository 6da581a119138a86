"""Faults of a server that speaks OpenAI's protocol."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent.bench.faults.stage import CONTEXT_TOKENS, SMALL_TOKENS, faulty_first, timeouts_of
from agent.bench.faults.table import Fault
from agent.executives.openai.executive import OpenAiExecutive
from agent.executives.openai.server import Kind, OpenAiModel
from agent.loopback import serving
from agent.openai_double.app import DoubleModel, OpenAiDouble
from graphs.executive import Executive

_MODEL = "qwen3-14b"
_GARBLED = (
    '{"choices": [{"index": 0, "delta": {"content": "Two years"}}]}',
    '{"choices": [{"index": 0, "del',
)


@asynccontextmanager
async def staged(fault: Fault) -> AsyncIterator[Executive]:
    """Set a fault up."""
    holds = SMALL_TOKENS if fault.name == "overfull" else CONTEXT_TOKENS
    double = OpenAiDouble(
        faulty_first(fault, _GARBLED), models=[DoubleModel(name=_MODEL, context_tokens=holds)]
    )
    async with serving(double) as url:
        yield OpenAiExecutive(
            OpenAiModel(name=_MODEL, context_tokens=CONTEXT_TOKENS, native_tools=True),
            url=url,
            kind=Kind.LLAMA_CPP,
            timeouts=timeouts_of(fault),
        )
