"""Reach a process that there is once, starting it where it does not answer."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Protocol

from agent.residency.daemon.files import DaemonFiles
from agent.residency.errors import UnreachableError

START_S = 30.0
_PROBE_S = 5.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Configuration(Protocol):
    """What a process is started with."""

    @property
    def module(self) -> str:
        """What is run; it reads the text from standard input, and ends once its child listens."""
        ...

    def text(self) -> str:
        """Return what it has to know."""
        ...


async def reach(
    files: DaemonFiles,
    config: Configuration | None,
    *,
    line_bytes: int,
    timeout_s: float = START_S,
) -> Streams:
    """Connect; without a configuration nothing is started.

    Raises UnreachableError.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return await asyncio.open_unix_connection(files.socket, limit=line_bytes)
        except OSError as error:
            if config is None:
                raise UnreachableError(f"There is no {files.what} at {files.socket}.") from error
            if time.monotonic() > deadline:
                raise UnreachableError(
                    f"The {files.what} cannot be reached at {files.socket}: {error}. See "
                    f"{files.log}."
                ) from error
        await asyncio.to_thread(ensure, files, config, timeout_s=deadline - time.monotonic())


def ensure(files: DaemonFiles, config: Configuration, *, timeout_s: float = START_S) -> None:
    """Start the process unless it answers. Raises ResidencyError."""
    files.prepare()
    try:
        with files.starting(timeout_s):
            if not _answers(files):
                _start(files, config, timeout_s)
    except OSError as error:
        raise UnreachableError(
            f"The {files.what} cannot be started: {error}. Is the disk full, or are there too many "
            "open files or processes?"
        ) from error


def _start(files: DaemonFiles, config: Configuration, timeout_s: float) -> None:
    command = [sys.executable, "-P", "-m", config.module]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command,
            input=config.text(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=_environment(),
            start_new_session=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UnreachableError(
            f"The {files.what} did not come up within {timeout_s:g} s. See {files.log}."
        ) from error
    if done.returncode != 0:
        words = done.stderr.strip() or f"it ended with {done.returncode}"
        raise UnreachableError(f"The {files.what} did not start: {words}")


def _environment() -> dict[str, str]:
    """Return this program's environment without its settings, some of which are secret."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CORTICAL_")}


def end(files: DaemonFiles, pid: int, *, timeout_s: float = 10.0) -> bool:
    """End a process in order; return whether it has ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout_s
    while files.alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _answers(files: DaemonFiles) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_S)
        try:
            probe.connect(str(files.socket))
        except OSError:
            return False
    return True
