"""What the executive has taken in a turn, gathered from the events of its run."""

from collections.abc import Mapping
from typing import Any

from agent.recorder import Watch


class Usage:
    """Adds up the asks of a turn."""

    def __init__(self) -> None:
        self._asks: list[Mapping[str, Any]] = []

    def watching(self, watch: Watch) -> Watch:
        """Return a watch that counts, and hands every event on."""

        def heard(event: dict[str, Any]) -> None:
            if event["event"] == "usage":
                self._asks.append(event)
            watch(event)

        return heard

    def told(self) -> dict[str, Any]:
        """Return the sums; the first token is that of the last ask, which gave the answer."""
        timed = [ask for ask in self._asks if ask.get("first_s") is not None]
        writing_s = sum(ask["seconds"] - ask["first_s"] for ask in timed)
        written = sum(ask["answer_tokens"] for ask in timed)
        return {
            "asks": len(self._asks),
            "read": sum(ask["prompt_tokens"] for ask in self._asks),
            "cached": sum(ask["cached_tokens"] for ask in self._asks),
            "written": sum(ask["answer_tokens"] for ask in self._asks),
            "estimated": any(ask.get("estimated", False) for ask in self._asks),
            "first_token_s": round(timed[-1]["first_s"], 4) if timed else None,
            "tokens_per_s": round(written / writing_s, 2) if writing_s > 0 else None,
        }
