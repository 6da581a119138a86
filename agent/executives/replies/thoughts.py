"""Thoughts and words, told apart in a stream. Pure."""

from typing import Literal

_OPEN, _CLOSE = "<think>", "</think>"


class ThoughtFilter:
    """Tells thoughts from words where a model writes its thinking into the answer.

    Only thinking at the very beginning counts: further on the tag may be somebody's words.
    """

    def __init__(self) -> None:
        self._held = ""
        self._state: Literal["before", "inside", "after"] = "before"

    def feed(self, piece: str) -> tuple[str, str]:
        """Take a piece; return what of it is thought and what is answer."""
        if self._state == "after":
            return "", piece
        self._held += piece
        if self._state == "before":
            start = self._held.lstrip()
            if _OPEN.startswith(start[: len(_OPEN)]) and len(start) < len(_OPEN):
                return "", ""
            if not start.startswith(_OPEN):
                return "", self._rest()
            self._held, self._state = start.removeprefix(_OPEN), "inside"
        thought, tag, rest = self._held.partition(_CLOSE)
        if tag:
            self._held, self._state = "", "after"
            return thought, rest.lstrip()
        safe = len(thought) - len(_CLOSE) + 1
        if safe <= 0:
            return "", ""
        self._held = thought[safe:]
        return thought[:safe], ""

    def flush(self) -> tuple[str, str]:
        """Return what was held back, at the end."""
        inside = self._state == "inside"
        held = self._rest()
        return (held, "") if inside else ("", held)

    def _rest(self) -> str:
        held, self._held, self._state = self._held, "", "after"
        return held
