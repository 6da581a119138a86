"""Where the rest of an answer meets what stands of it. Pure."""

REPEATED_LETTERS = 16
"""Of a rest that repeats as much of the beginning, the server began anew instead of going on."""


class Seam:
    """Takes the rest of an answer piece by piece, and leaves out what stands already.

    That is white space at the seam, and the whole beginning where a server does not go on from it
    but says it again.
    """

    def __init__(self, stands: str) -> None:
        self._stands = stands
        self._held = ""
        self._open = bool(stands)

    def add(self, piece: str) -> str:
        """Return what of it is new and can be shown."""
        if not self._open:
            return piece
        self._held += piece
        fresh, beginning = self._held.lstrip(), self._stands.strip()
        undecided = len(fresh) < len(beginning) and beginning.startswith(fresh)
        if not fresh or (undecided and len(beginning) >= REPEATED_LETTERS):
            return ""
        return self.rest()

    def rest(self) -> str:
        """Return what was held back, at the end."""
        held, self._held, self._open = self._held, "", False
        fresh, beginning = held.lstrip(), self._stands.strip()
        if len(fresh) >= REPEATED_LETTERS and beginning.startswith(fresh):
            return ""
        if len(beginning) >= REPEATED_LETTERS and fresh.startswith(beginning):
            held = fresh.removeprefix(beginning)
        blank = self._stands[len(self._stands.rstrip()) :]
        if not blank:
            return held
        return held.removeprefix(blank) if held.startswith(blank) else held.lstrip()
