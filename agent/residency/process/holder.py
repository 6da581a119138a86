"""A program at the other end of a connection."""

import asyncio
import logging
import os
import select
import socket
import struct

from agent.residency.arbiter import events
from agent.residency.process import wire

log = logging.getLogger(__name__)

_BACKLOG_BYTES = 1 << 20
"""Answers that a program has not read; then it is hung up on."""
_DYING_TRIES, _DYING_POLL_S = 50, 0.01
_CREDENTIALS = struct.Struct("3i")


class Holder:
    """Knows its name and process, what it says that it held, and how it is told something."""

    def __init__(self, name: str, pid: int, writer: asyncio.StreamWriter) -> None:
        self.name = name
        self.pid = pid
        self.claims: list[tuple[events.Running, int]] = []
        """What it holds from an earlier arbiter, with the bytes of the weights."""
        self.turns: list[str] = []
        """Turns that an earlier arbiter admitted."""
        self._writer = writer

    def say(self, message: wire.Message) -> None:
        """Send a message, unless it has gone."""
        if self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > _BACKLOG_BYTES:
            log.warning("holder_does_not_read", extra={"holder": self.name})
            self._writer.transport.abort()
            return
        self._writer.write(wire.encode(message))

    def full(self, name: str) -> str:
        """Return the name of an ask or turn as the arbiter knows it."""
        return f"{self.name}/{name}"

    @staticmethod
    def own(name: str) -> str:
        """Return it as the program knows it."""
        return name.partition("/")[2]

    def hang_up(self) -> None:
        """Close the connection."""
        self._writer.close()


def peer(writer: asyncio.StreamWriter) -> tuple[int, int]:
    """Return the process and the user at the other end."""
    found: socket.socket = writer.get_extra_info("socket")
    raw = found.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, user, _ = _CREDENTIALS.unpack(raw)
    return pid, user


def watch(pid: int) -> int | None:
    """Return what tells when a process has ended; None where it cannot be seen."""
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


async def ends(watched: int) -> bool:
    """Whether a process has ended, or does within a moment: its connections go a little earlier."""
    for _ in range(_DYING_TRIES):
        if select.select([watched], [], [], 0.0)[0]:
            return True
        await asyncio.sleep(_DYING_POLL_S)
    return False
