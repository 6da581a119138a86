"""Becoming a process that there is once: its lock, its socket, its own session."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from agent import logs
from agent.errors import AgentError
from agent.residency.daemon.files import DaemonFiles

log = logging.getLogger(__name__)

_BACKLOG = 128
_WATCH_S = 1.0
_LOG_BYTES = 1 << 20

Made = TypeVar("Made")


class Door:
    """The socket's name in the file system, which somebody may take away."""

    def __init__(self, path: Path, listening: socket.socket) -> None:
        self.path = path
        self.listening = listening
        self._inode = path.stat().st_ino

    def ours(self) -> bool:
        """Whether programs that look for us find us."""
        try:
            return self.path.stat().st_ino == self._inode
        except OSError:
            return False

    def close(self) -> None:
        """Take it away, unless it is another's by now."""
        with suppress(OSError):
            if self.ours():
                self.path.unlink()


def become(files: DaemonFiles, make: Callable[[], Made]) -> tuple[Made, Door, int] | None:
    """Return what was made, the door, and the lock to keep open; None where there is one already.

    The process that was started ends once the socket listens, and another goes on in a session of
    its own: so whoever started it can connect at once, and hears of what went wrong before that.
    """
    try:
        files.prepare()
        lock = files.claim()
        if lock is None:
            return None
        made = make()
        door = Door(files.socket, _listen(files.socket))
    except (AgentError, OSError) as error:
        sys.exit(str(error))
    _detach(files)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    logs.configure("info")
    return made, door, lock


async def told_to_end() -> None:
    """Return when a signal says that the process is to end."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for wish in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(wish, over.set)
    await over.wait()


async def until_one_ends(*works: Coroutine[Any, Any, None]) -> None:
    """Do all at once until one has come to its end, or failed, which is logged."""
    tasks = [asyncio.create_task(work) for work in works]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            log.error("process_failed", exc_info=result)


async def until_idle(idle: Callable[[], bool], door: Door, idle_s: float) -> None:
    """Return after a time in which nothing was to be done, or when programs no longer find us."""
    loop = asyncio.get_running_loop()
    since = loop.time()
    while True:
        await asyncio.sleep(min(_WATCH_S, idle_s / 4))
        if not idle():
            since = loop.time()
        elif loop.time() - since >= idle_s:
            log.info("idle")
            return
        if not door.ours():
            log.warning("socket_gone", extra={"path": str(door.path)})
            return


def _listen(path: Path) -> socket.socket:
    """Listen where only the user may connect; what a killed process left there goes."""
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listening.bind(str(path))
    finally:
        os.umask(before)
    listening.listen(_BACKLOG)
    listening.setblocking(False)  # noqa: FBT003 - its own signature
    return listening


def _detach(files: DaemonFiles) -> None:
    """Let the starter go on; keep nothing of its terminal."""
    output = os.open(files.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    if os.fstat(output).st_size > _LOG_BYTES:
        os.ftruncate(output, 0)
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
