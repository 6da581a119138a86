"""What one node takes of the turn's budgets."""

from datetime import datetime
from typing import Any

from graphs import limits
from graphs.reply import Emit
from graphs.state import Spent


class Meter:
    """Passes events on, and adds up what they tell of tokens and seconds."""

    def __init__(self, emit: Emit, before: Spent, *, taken_up: datetime | None) -> None:
        self._emit = emit
        self._before = before
        self._taken_up = taken_up
        self.spent = Spent(**before)
        """What the turn has spent now; its seconds are those of the last count."""

    def __call__(self, event: dict[str, Any]) -> None:
        """Take one event."""
        if event["event"] == "usage":
            read, written = event["prompt_tokens"], event["answer_tokens"]
            self.spent["ask_tokens"] = read + written
            self.spent["ask_seconds"] = event.get("seconds", 0.0)
            self.add(read=read, written=written)
        self._emit(event)

    def add(self, *, read: int, written: int) -> None:
        """Count tokens that no event told of in this process."""
        self.spent["read"] += read
        self.spent["written"] += written

    @property
    def here(self) -> tuple[int, int]:
        """Return the tokens, read and written, that the state does not know of yet."""
        return (
            self.spent["read"] - self._before["read"],
            self.spent["written"] - self._before["written"],
        )

    def seconds(self, now: datetime) -> float:
        """Return how long the turn was worked on up to this moment."""
        since = datetime.fromisoformat(self.spent["until"])
        return limits.seconds(self.spent, taken_up=self._taken_up or since, now=now)

    def counted(self, now: datetime) -> Spent:
        """Return what the turn has spent, counted up to this moment."""
        return {**self.spent, "seconds": self.seconds(now), "until": now.isoformat()}
