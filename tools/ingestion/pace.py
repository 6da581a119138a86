"""How fast work goes, and how long the rest will take."""

from collections import deque

WINDOW_S = 30.0
"""Over which the rate is taken: long enough to be calm, short enough to follow a change."""
SETTLED_S = 3.0
"""Before which nothing is promised."""
FILE_BYTES = 4_096
"""What a file costs beside its bytes, in bytes."""


class Pace:
    """Counts work done over time; both are given, so that it owns no clock."""

    def __init__(self, total: float, *, now_s: float) -> None:
        self.total = total
        self.done = 0.0
        self._began_s = now_s
        self._marks: deque[tuple[float, float]] = deque([(now_s, 0.0)])

    def advance(self, work: float, *, now_s: float) -> None:
        """Note that so much more is done."""
        self.done += work
        last_s, _ = self._marks[-1]
        if now_s - last_s >= WINDOW_S / 100:
            self._marks.append((now_s, self.done))
        while len(self._marks) > 2 and now_s - self._marks[1][0] > WINDOW_S:
            self._marks.popleft()

    def rate(self, *, now_s: float) -> float | None:
        """Return the work done in a second of late; None until that means something."""
        then_s, then = self._marks[0]
        if now_s - self._began_s < SETTLED_S or now_s <= then_s or self.done <= then:
            return None
        return (self.done - then) / (now_s - then_s)

    def left_s(self, *, now_s: float) -> float | None:
        """Return the seconds that the rest will take at this rate; None where nobody can say."""
        rate = self.rate(now_s=now_s)
        return None if rate is None else max(0.0, self.total - self.done) / rate
