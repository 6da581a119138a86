"""A clock that jumps from one thing to the next."""

import heapq
import itertools
from collections.abc import Callable


class VirtualClock:
    """Calls what was put down for a time, in the order of times and then of putting down."""

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def at(self, when: float, call: Callable[[], None]) -> None:
        """Put down a call for a time, at the earliest for now."""
        heapq.heappush(self._heap, (max(when, self.now), next(self._numbers), call))

    def after(self, delay_s: float, call: Callable[[], None]) -> None:
        """Put down a call for so many seconds from now."""
        self.at(self.now + delay_s, call)

    def run(self, until: float, stop: Callable[[], bool] = lambda: False) -> None:
        """Go on until a time has come, nothing is left, or `stop` says so."""
        while self._heap and self._heap[0][0] <= until and not stop():
            self.now, _, call = heapq.heappop(self._heap)
            call()
