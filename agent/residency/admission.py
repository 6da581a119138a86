"""Turns of graphs wait for the executive that the arbiter keeps, and take it as it is loaded."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)

from agent.executives.ollama.executive import OllamaExecutive
from agent.recorder import Watch
from agent.residency.arbitrated import ArbitratedResidency
from agent.residency.keeper import tokens_of
from agent.residency.opening import served_executive
from agent.settings import Settings
from graphs.executive import Executive
from tools.senses.base import Residency

Admission = Callable[[Watch], AbstractAsyncContextManager[object]]

PATIENCE_S = 2.0
"""A turn that waits for longer says so."""


def admission(settings: Settings, residency: Residency, executive: Executive) -> Admission:
    """Return what a turn enters: nothing where its executive is not kept on this machine's card."""
    served = served_executive(settings)
    if (
        served is None
        or not isinstance(residency, ArbitratedResidency)
        or not isinstance(executive, OllamaExecutive)
        or executive.model not in (served.model, f"{served.model}:latest")
    ):
        return nullcontext
    executive.suspicion = residency.suspect

    @asynccontextmanager
    async def turn(watch: Watch) -> AsyncIterator[None]:
        text = "waiting for the executive; `cortical residency status` tells who has the card"
        saying = asyncio.get_running_loop().call_later(
            PATIENCE_S, watch, {"event": "waiting", "text": text}
        )
        async with AsyncExitStack() as stack:
            try:
                admitted = await stack.enter_async_context(residency.turn())
            finally:
                saying.cancel()
            if admitted is not None:
                tokens = None if admitted.profile is None else tokens_of(admitted.profile)
                on_card = admitted.place == "cuda"
                executive.admitted(on_card=on_card, context_tokens=tokens)
                executive.calls = residency.call if on_card else nullcontext
            yield

    return turn
