"""Run the arbiter of one card.

Reads its configuration from standard input. Once its socket listens the process that was started
ends, and another goes on in a session of its own: so whoever started it can connect at once, and
hears of what went wrong before that.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

from agent import logs
from agent.errors import AgentError
from agent.residency.errors import ResidencyError
from agent.residency.process import wire
from agent.residency.process.config import ArbiterConfig
from agent.residency.process.files import ArbiterFiles
from agent.residency.process.machine import Machine
from agent.residency.process.server import Server

log = logging.getLogger(__name__)

_BACKLOG = 128
_WATCH_S = 1.0
_LOG_BYTES = 1 << 20


def main() -> None:
    """Become the arbiter, unless there is one."""
    config = ArbiterConfig.read(sys.stdin.read())
    files = ArbiterFiles(key=config.key, run_dir=Path(config.run_dir), data_dir=config.folder)
    try:
        files.prepare()
        lock = files.claim()
        if lock is None:
            return
        machine = Machine.of(config)
        listening = _listen(files.socket)
    except (AgentError, OSError) as error:
        sys.exit(str(error))
    _detach(files)
    logs.configure("info")
    asyncio.run(_serve(config, machine, listening, _Door(files.socket)))
    os.close(lock)


class _Door:
    """The socket's name in the file system, which somebody may take away."""

    def __init__(self, path: Path) -> None:
        self.path = path
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


def _listen(path: Path) -> socket.socket:
    """Listen where only the user may connect; what a killed arbiter left there goes."""
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


def _detach(files: ArbiterFiles) -> None:
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


async def _serve(
    config: ArbiterConfig, machine: Machine, listening: socket.socket, door: _Door
) -> None:
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for wish in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(wish, over.set)
    server: Server = machine.server()
    listener = await asyncio.start_unix_server(server.serve, sock=listening, limit=wire.LINE_BYTES)
    try:
        await server.begin()
        tasks = [
            asyncio.create_task(work)
            for work in (
                server.arbiter.watch(),
                server.arbiter.tend(),
                _until_idle(server, door, config.idle_s),
            )
        ]
        for task in tasks:
            task.add_done_callback(lambda _: over.set())
        await over.wait()
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                log.error("arbiter_failed", exc_info=result)
    finally:
        listener.close()
        door.close()
        await server.stop()
        await machine.aclose()


async def _until_idle(server: Server, door: _Door, idle_s: float) -> None:
    """Return after a time with nobody there, or when programs no longer find us."""
    loop = asyncio.get_running_loop()
    since = loop.time()
    while True:
        await asyncio.sleep(min(_WATCH_S, idle_s / 4))
        if not server.idle:
            since = loop.time()
        elif loop.time() - since >= idle_s:
            log.info("idle")
            return
        if not door.ours():
            log.warning("socket_gone", extra={"path": str(door.path)})
            return


if __name__ == "__main__":
    try:
        main()
    except ResidencyError as error:
        sys.exit(str(error))
