"""Run the process of the senses; its configuration comes by standard input."""

import asyncio
import os
import sys
from collections.abc import Callable

from agent.residency.daemon import becoming
from agent.senses import loading, wire, worker
from agent.senses.config import WorkerConfig
from agent.senses.loading import Make
from agent.senses.shelf import Shelf
from agent.senses.worker import Worker
from tools.senses import heap


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
    try:
        await becoming.until_one_ends(
            becoming.told_to_end(),
            serving.tend(),
            becoming.until_idle(lambda: serving.idle, door, config.idle_s),
        )
    finally:
        listener.close()
        door.close()
        await serving.stop()


if __name__ == "__main__":
    main()
