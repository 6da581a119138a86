"""What every test gets: an empty home, no settings from outside, a database when it asks."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from memory.database import Pool, open_pool
from memory.testing import (
    cloned_database,
    hasty_server,
    make_template,
    remove_servers,
    server_folder,
)

_SERVER_FOLDER = pytest.StashKey[Path]()
_LENT = pytest.StashKey[AbstractContextManager[Path]]()


def pytest_configure(config: pytest.Config) -> None:
    """Lend one folder for the server of the session, which workers of xdist are told of."""
    told = getattr(config, "workerinput", None)
    if told is not None:
        config.stash[_SERVER_FOLDER] = Path(told["server_folder"])
    else:
        config.stash[_LENT] = server_folder()
        config.stash[_SERVER_FOLDER] = config.stash[_LENT].__enter__()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the folder on to a worker of xdist."""
    node.workerinput["server_folder"] = str(node.config.stash[_SERVER_FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and remove its folder, once all workers have ended."""
    if _LENT in config.stash:
        config.stash[_LENT].__exit__(None, None, None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that `make soak` runs: those that ask for an amount."""
    for item in items:
        if "amount" in getattr(item, "fixturenames", ()):
            item.add_marker("soak")


@pytest.fixture(scope="session")
def amount() -> Callable[[int, int], int]:
    """Return what chooses between the usual number of cases and that of a soak."""
    soaking = "CORTICAL_TEST_SOAK" in os.environ
    return lambda usual, soak: soak if soaking else usual


@pytest.fixture(autouse=True)
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hide the settings and the files of whoever runs the tests."""
    for name in os.environ:
        if name.startswith(("CORTICAL_", "PG", "XDG_")) and not name.startswith("CORTICAL_TEST_"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name, folder in {
        "XDG_CONFIG_HOME": ".config",
        "XDG_DATA_HOME": ".local/share",
        "XDG_STATE_HOME": ".local/state",
        "XDG_CACHE_HOME": ".cache",
        "XDG_RUNTIME_DIR": ".run",
    }.items():
        monkeypatch.setenv(name, str(home / folder))
    return home


@pytest.fixture(scope="session")
def embedder_cache(pytestconfig: pytest.Config) -> Path:
    """Where the graph of the embedder, which takes seconds, is made once for all workers."""
    folder = pytestconfig.stash[_SERVER_FOLDER] / "embedder"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def server_dsn(pytestconfig: pytest.Config) -> str:
    """The embedded server of the session, with a migrated template database."""

    async def start() -> str:
        dsn = await hasty_server(pytestconfig.stash[_SERVER_FOLDER] / "shared").ensure_running()
        await make_template(dsn)
        return dsn

    return asyncio.run(start())


@pytest.fixture
def data_dir(pytestconfig: pytest.Config) -> Iterator[Path]:
    """Name a directory for a server of the test's own; what is left running there is stopped."""
    folder = pytestconfig.stash[_SERVER_FOLDER] / uuid4().hex[:8]
    yield folder
    remove_servers(folder)


@pytest.fixture
async def dsn(server_dsn: str) -> AsyncIterator[str]:
    """A migrated database of the test's own."""
    async with cloned_database(server_dsn) as copy:
        yield copy


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    """Connections to the test's own database."""
    async with open_pool(dsn, max_size=5) as opened:
        yield opened


@pytest.fixture(scope="session")
def llama_server() -> Iterator[tuple[str, str]]:
    """The address and the key of a real server of llama.cpp with the embedded model."""
    from agent.executives.gguf.header import embedded_model
    from agent.executives.llamacpp.server import LlamaPort

    port = LlamaPort(embedded_model(), context_tokens=2_048, cores=2)
    yield port.url, port.key
    port.close()


@pytest.fixture(scope="session")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the stub, which tells what stands in the file that NVML_STUB names."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler is here to make the stub with")
    library = tmp_path_factory.mktemp("nvml") / "libnvidia-ml.so.1"
    flags = ["-shared", "-fPIC", "-O1", "-Wl,-soname,libnvidia-ml.so.1"]
    subprocess.run(
        [compiler, *flags, "-o", library, Path(__file__).parent / "data/nvml/stub.c"],
        check=True,
    )
    return library


@pytest.fixture
def run_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Name a runtime directory in which sockets' names are short, and remove it."""
    with tempfile.TemporaryDirectory(prefix="run-", dir="/tmp") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)
