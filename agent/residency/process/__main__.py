"""Run the arbiter of one card; its configuration comes by standard input."""

import asyncio
import os
import sys

from agent.residency.daemon import becoming
from agent.residency.process import wire
from agent.residency.process.config import ArbiterConfig
from agent.residency.process.machine import Machine
from agent.residency.process.server import Server

_GIVE_S = 30.0


def main() -> None:
    """Become the arbiter, unless there is one."""
    config = ArbiterConfig.read(sys.stdin.read())
    became = becoming.become(config.files, lambda: Machine.of(config))
    if became is None:
        return
    machine, door, lock = became
    asyncio.run(_serve(config, machine, door))
    os.close(lock)


async def _serve(config: ArbiterConfig, machine: Machine, door: becoming.Door) -> None:
    server: Server = machine.server()
    listener = await asyncio.start_unix_server(
        server.serve, sock=door.listening, limit=wire.LINE_BYTES
    )
    try:
        await becoming.until_one_ends(becoming.told_to_end(), _serving(server, config, door))
    finally:
        listener.close()
        door.close()
        await server.stop()
        await machine.aclose()


async def _serving(server: Server, config: ArbiterConfig, door: becoming.Door) -> None:
    await server.begin()
    await becoming.until_one_ends(
        server.arbiter.watch(),
        server.arbiter.tend(),
        becoming.until_idle(lambda: server.idle, door, _idle_s(config)),
    )


def _idle_s(config: ArbiterConfig) -> float:
    """Return after what time it may end: not before it has given the card back, if it is to."""
    return config.idle_s if config.rest_s is None else max(config.idle_s, config.rest_s + _GIVE_S)


if __name__ == "__main__":
    main()
