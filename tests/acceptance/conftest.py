"""A user of one's own: home, data and an ingested demo pack, and the command in a process."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from agent.hub_double import HubDouble
from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.models import DoubleModel
from agent.ollama_double.player import play
from agent.ollama_double.script import read_script
from memory.testing import quick_place, remove_servers

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "deploy" / "demo"
CORTICAL = Path(sys.executable).parent / "cortical"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """The JSON value on standard output."""
        return json.loads(self.out)


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """Somebody with a home, who runs commands."""

    home: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What a process of this user sees."""
        return {
            "HOME": str(self.home),
            "PATH": f"{CORTICAL.parent}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),  # the tree that is tested, wherever another is installed
            "CORTICAL_DATA_DIR": str(self.home / "data"),
            "CORTICAL_OLLAMA__URL": "http://127.0.0.1:9",  # the discard port: nobody answers
            "CORTICAL_EXECUTIVE__PROBE": "never",  # a scripted server has no answers for it
            **self.settings,
        }

    def command(self, *words: str | Path) -> Sequence[str]:
        """Return the command line."""
        return [str(CORTICAL), *(str(word) for word in words)]

    def start(self, *words: str | Path, **more: Any) -> subprocess.Popen[str]:
        """Begin a command."""
        return subprocess.Popen(
            self.command(*words),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    def run(self, *words: str | Path, timeout_s: float = 120) -> Finished:
        """Run a command to its end."""
        with self.start(*words) as process:
            try:
                out, err = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return Finished(code=process.returncode, out=out, err=err)

    @contextmanager
    def here(self) -> Iterator[None]:
        """Let this very process see what a process of this user sees."""
        with pytest.MonkeyPatch.context() as environment:
            for name, value in self.environment.items():
                environment.setenv(name, value)
            yield

    def json(self, *words: str | Path) -> Any:
        """Run a command that has to succeed and return its value."""
        done = self.run(*words, "--json")
        assert done.code == 0, f"{words} ended with {done.code}: {done.out}{done.err}"
        return done.value


def _lent(cache: Path) -> Iterator[User]:
    home = Path(tempfile.mkdtemp(prefix="cortical-user-", dir=quick_place()))
    user = User(home=home, settings={"CORTICAL_CACHE_DIR": str(cache)})
    try:
        yield user
    finally:
        remove_servers(home)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory, embedder_cache: Path) -> Path:
    """What can be made again, made once for all."""
    folder = tmp_path_factory.mktemp("cache")
    (folder / "embedder").symlink_to(embedder_cache)
    return folder


@pytest.fixture
def user(cache: Path) -> Iterator[User]:
    """Somebody on whose machine nothing was started yet."""
    yield from _lent(cache)


@pytest.fixture(scope="session")
def reader(cache: Path) -> Iterator[User]:
    """Somebody who has the demo pack in memory. Tests share them and change no document."""
    for user in _lent(cache):
        done = user.run("ingest", DEMO / "pack")
        assert done.code == 0, done.out + done.err
        yield user


class Served:
    """A double on a port, in a thread of its own."""

    def __init__(self, double: OllamaDouble | HubDouble) -> None:
        self.double = double
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            double, log_config=None, lifespan="off", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def __enter__(self) -> "Served":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=20)
        self._socket.close()


@pytest.fixture(scope="session")
def serving() -> Callable[[OllamaDouble | HubDouble], Served]:
    """Return what serves a double."""
    return Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[[Any], str]]:
    """Start the double of Ollama with a script; return its address."""
    with ExitStack() as running:

        def start(told: Any) -> str:
            path = tmp_path / "script.json"
            path.write_text(json.dumps(told))
            script = read_script(path)
            if not script.replies:
                script.responder = play
            double = OllamaDouble(script, models=script.models or [DoubleModel()])
            return running.enter_context(Served(double)).url

        yield start
