"""Run the process of the senses; its configuration comes by standard input."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable

from agent.residency.daemon import becoming
from agent.senses import loading, wire, worker
from agent.senses.config import WorkerConfig
from agent.senses.loading import Make
from agent.senses.shelf import Shelf
from agent.senses.worker import Worker
from tools.senses import heap

log = logging.getLogger(__name__)


def main(maker: Callable[[WorkerConfig], Make] = loading.maker) -> None:
    """Become the process, unless there is one. `maker` tells what loads weights."""
    config = WorkerConfig.read(sys.stdin.read())
    became = becoming.become(config.files, lambda: maker(config))
    if became is None:
        return
    make, door, lock = became
    loading.prepare(config.card)
    heap.return_large_blocks()
    asyncio.run(_serve(config, make, door))
    os.close(lock)


async def _serve(config: WorkerConfig, make: Make, door: becoming.Door) -> None:
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for wish in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(wish, over.set)
    shelf = Shelf(
        make,
        device=config.device,
        host_bytes=config.host_bytes,
        free_share=worker.free_share,
    )
    serving = Worker(config, shelf, card_bytes=loading.card_bytes, own_bytes=worker.own_bytes)
    listener = await asyncio.start_unix_server(
        serving.serve, sock=door.listening, limit=wire.LINE_BYTES
    )
    tasks = [
        asyncio.create_task(serving.tend()),
        asyncio.create_task(becoming.until_idle(lambda: serving.idle, door, config.idle_s)),
    ]
    try:
        for task in tasks:
            task.add_done_callback(lambda _: over.set())
        await over.wait()
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                log.error("process_failed", exc_info=result)
    finally:
        listener.close()
        door.close()
        await serving.stop()


if __name__ == "__main__":
    main()
