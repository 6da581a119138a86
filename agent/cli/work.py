"""What every command begins with: the settings, and a loop to work on."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from itertools import count
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from agent.cli.options import INTERRUPTED

if TYPE_CHECKING:
    from agent.settings import Settings

Result = TypeVar("Result")


def settings_of(**flags: Any) -> "Settings":
    """Read the settings, with what flags say; set up the log."""
    from agent import logs, settings

    loaded = settings.load(**{key: value for key, value in flags.items() if value is not None})
    logs.configure(loaded.log_level)
    return loaded


def wait(work: Coroutine[Any, Any, Result]) -> Result:
    """Work until it is done."""
    return asyncio.run(work)


def stoppable(
    work: Coroutine[Any, Any, Result],
    *,
    stopping: Callable[[], None],
    stopped: Callable[[], None],
) -> Result:
    """Work until it is done, or until Ctrl-C, which stops the work so that it keeps what it has.

    `stopping` is called at once and `stopped` when all is kept; then, or at the second Ctrl-C, the
    process ends.
    """
    return asyncio.run(_stoppable(work, stopping, stopped))


async def _stoppable(
    work: Coroutine[Any, Any, Result],
    stopping: Callable[[], None],
    stopped: Callable[[], None],
) -> Result:
    task, loop = asyncio.ensure_future(work), asyncio.get_running_loop()

    def stop() -> None:
        stopping()
        task.cancel()

    presses = count(1)

    # The loop's own handler waits its turn, and the second Ctrl-C must not.
    def pressed(*_: object) -> None:
        if next(presses) > 1:
            _leave()

    before = signal.getsignal(signal.SIGINT)
    # It alone wakes a loop that waits: without it a signal that comes as the loop goes to sleep, or
    # to a thread, is not seen until something else happens.
    loop.add_signal_handler(signal.SIGINT, stop)
    signal.signal(signal.SIGINT, pressed)
    try:
        return await task
    except asyncio.CancelledError:
        stopped()
        _leave()
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)


def _leave() -> NoReturn:
    """End the process without waiting for threads: one may stand at a question of ours for ever."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(INTERRUPTED)
