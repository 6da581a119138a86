"""Run the arbiter of one card; its configuration comes by standard input."""

import asyncio
import logging
import os
import signal
import sys

from agent.residency.daemon import becoming
from agent.residency.process import wire
from agent.residency.process.config import ArbiterConfig
from agent.residency.process.machine import Machine
from agent.residency.process.server import Server

log = logging.getLogger(__name__)

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
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for wish in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(wish, over.set)
    server: Server = machine.server()
    listener = await asyncio.start_unix_server(
        server.serve, sock=door.listening, limit=wire.LINE_BYTES
    )
    try:
        await server.begin()
        tasks = [
            asyncio.create_task(work)
            for work in (
                server.arbiter.watch(),
                server.arbiter.tend(),
                becoming.until_idle(lambda: server.idle, door, _idle_s(config)),
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


def _idle_s(config: ArbiterConfig) -> float:
    """Return after what time it may end: not before it has given the card back, if it is to."""
    return config.idle_s if config.rest_s is None else max(config.idle_s, config.rest_s + _GIVE_S)


if __name__ == "__main__":
    main()
