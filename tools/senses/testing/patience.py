"""Patience that ends in the middle of an operation, as when its lease is revoked."""

from tools.senses.background import Patience


class ShortPatience(Patience):
    """Ends at one of its checks."""

    def __init__(self, checks: int) -> None:
        super().__init__()
        self._left = checks

    def check(self) -> None:
        """Raise `GivenUpError` from the last check on."""
        self._left -= 1
        if self._left <= 0:
            self.end()
        super().check()
