"""A port on loopback for an ASGI application, and a stub of NVIDIA's library."""

import asyncio
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn


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
def stub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the stub, which tells what stands in the file that NVML_STUB names."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler is here to make the stub with")
    library = tmp_path_factory.mktemp("nvml") / "libnvidia-ml.so.1"
    flags = ["-shared", "-fPIC", "-O1", "-Wl,-soname,libnvidia-ml.so.1"]
    subprocess.run(
        [compiler, *flags, "-o", library, Path(__file__).parents[1] / "data/nvml/stub.c"],
        check=True,
    )
    return library
