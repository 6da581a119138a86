"""The key of push to talk: presses on the terminal, without a line's end."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from agent.errors import UsageError

_KEYS = b" \r\n"


def checked() -> None:
    """Raise UsageError where there is no terminal to press a key at."""
    if not sys.stdin.isatty():
        raise UsageError(
            "--push-to-talk needs a terminal to press the key at, and standard input is none. "
            "Without it the voice itself tells when you speak."
        )


class Keys:
    """Calls a function for each press of the space bar or of Enter."""

    def __init__(self, pressed: Callable[[], None]) -> None:
        self._pressed = pressed
        self._loop = asyncio.get_running_loop()
        self._before: list[Any] = []

    @contextmanager
    def open(self) -> Iterator[None]:
        """Read keys for the block; the terminal is as it was behind it."""
        self._take()
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Leave the terminal to another thread, this one, which reads a line there."""
        self._in_loop(self._leave)
        try:
            yield
        finally:
            self._in_loop(self._take)

    def _in_loop(self, change: Callable[[], None]) -> None:
        done = threading.Event()

        def changed() -> None:
            change()
            done.set()

        self._loop.call_soon_threadsafe(changed)
        done.wait()

    def _take(self) -> None:
        import termios
        import tty

        descriptor = sys.stdin.fileno()
        self._before = termios.tcgetattr(descriptor)
        tty.setcbreak(descriptor)
        self._loop.add_reader(descriptor, self._read, descriptor)

    def _leave(self) -> None:
        import termios

        descriptor = sys.stdin.fileno()
        self._loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, self._before)

    def _read(self, descriptor: int) -> None:
        keys = os.read(descriptor, 64)
        if not keys:  # the terminal has gone
            self._loop.remove_reader(descriptor)
        for key in keys:
            if key in _KEYS:
                self._pressed()
