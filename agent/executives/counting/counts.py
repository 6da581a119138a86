"""Exact counts of requests, so that none is counted twice."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from agent.executives.counting.tokens import Remembered


class Counts:
    """Remembers what a tokeniser counted."""

    def __init__(self, count: Callable[[dict[str, Any]], int], *, size: int = 1_024) -> None:
        self._known = Remembered(lambda text: count(json.loads(text)), size=size)

    def of(self, body: Mapping[str, Any]) -> int:
        """Return the tokens of a request, counted at most once."""
        return self._known(json.dumps(body, ensure_ascii=False))
