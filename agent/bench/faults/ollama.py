"""Faults of a server of Ollama."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent.bench.faults.stage import ASKED, CONTEXT_TOKENS, SMALL_TOKENS, faulty_first, timeouts_of
from agent.bench.faults.table import Fault
from agent.executives.ollama.executive import OllamaExecutive
from agent.executives.ollama.server import OllamaModel
from agent.loopback import serving
from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.models import DoubleModel
from graphs.executive import Executive, Wish

_MODEL = "qwen3:14b"
_GARBLED = (
    f'{{"model": "{_MODEL}", "message": {{"content": "Two years"}}, "done": false}}',
    '{"model": "qwen3:14b", "message": {"cont',
)


@asynccontextmanager
async def staged(fault: Fault) -> AsyncIterator[Executive]:
    """Set a fault up."""
    small = fault.name in ("small-context", "overfull")
    double = OllamaDouble(
        faulty_first(fault, _GARBLED),
        models=[DoubleModel(name=_MODEL, context_length=SMALL_TOKENS if small else 40_960)],
    )
    async with serving(double) as url:
        executive = _executive(url, fault)
        if fault.name == "reloaded":
            async for _ in executive.stream(ASKED, Wish()):
                pass
            double.shelf.unload(double.shelf.models()[0])
        yield executive


def _executive(url: str, fault: Fault) -> OllamaExecutive:
    model = OllamaModel(
        name=_MODEL,
        size_bytes=9_276_198_565,
        parameters="14.8B",
        quantisation="Q4_K_M",
        capabilities=frozenset({"completion", "tools", "thinking"}),
        trained_tokens=40_960,
    )
    return OllamaExecutive(
        model,
        url=url,
        version="0.33.3",
        context_tokens=CONTEXT_TOKENS,
        timeouts=timeouts_of(fault),
    )
