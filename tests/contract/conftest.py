"""Ports on loopback: one for an ASGI application, one for a real server of llama.cpp."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import uvicorn

from agent.executives.gguf import embedded_model

LLAMA_CONTEXT_TOKENS, LLAMA_KEY = 2_048, "a key that nobody may see"


@pytest.fixture
def serve() -> Callable[[Any], AbstractAsyncContextManager[str]]:
    """Return what serves an application and gives its address."""
    return _serving


@asynccontextmanager
async def _serving(app: Any) -> AsyncIterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        listening.close()


@pytest.fixture(scope="session")
def llama_url() -> Iterator[str]:
    """The address of a real server of llama.cpp with the embedded model. It asks for a key."""
    # As the adapter in process sets it: idle threads that spin take the cores from the others.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xllamacpp

    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(embedded_model())
    wanted.n_ctx, wanted.n_parallel, wanted.n_gpu_layers = LLAMA_CONTEXT_TOKENS, 1, 0
    wanted.cpuparams.n_threads, wanted.cpuparams_batch.n_threads = 1, 2
    wanted.ctx_shift = wanted.fit_params = wanted.warmup = wanted.ui = False
    wanted.cache_ram_mib, wanted.verbosity = 0, -1
    wanted.api_keys = [LLAMA_KEY]
    server = xllamacpp.Server(wanted)
    yield server.listening_address
    del server
