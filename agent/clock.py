"""The time of this machine."""

from datetime import datetime


class SystemClock:
    """Tells the present moment in the local zone."""

    def now(self) -> datetime:
        """Return the present moment with its zone."""
        return datetime.now().astimezone()
