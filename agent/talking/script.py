"""Which sentences of an answer are said, and when: told from its words as they are written. Pure.

An answer is said while it is a draft. Where the engine has it written anew, what was said cannot be
taken back; the new one is said from where it differs, and that it is a correction is said first.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from graphs import prompts
from graphs.speak import aloud
from tools.sentences import sentences

CORRECTION = "Let me correct that."


class Script:
    """One answer. Sentences are handed out once each, without marks of citations."""

    def __init__(self) -> None:
        self._open = ""
        self._said: list[str] = []
        """Sentences of the answer that were handed out."""
        self._void = False
        """The draft that they are of was given up."""

    def follow(self, event: Mapping[str, Any]) -> list[str]:
        """Take an event of the turn; return the sentences that it has made whole."""
        match event:
            case {"event": "text" | "begun", "text": text}:
                return self.add(text)
            # A turn that was stopped before is brought to its end first: its answer is another one.
            case {"event": "calling"} | {"event": "node_started", "node": "begin"}:
                return self.aside()
            case {"event": "repairing"} | {"event": "asked_again", "goes_on": False}:
                self.anew()
        return []

    def add(self, piece: str) -> list[str]:
        """Take a piece of the answer; return the sentences that it has made whole."""
        if self._void:
            return []
        self._open += piece
        # A stop may belong to an abbreviation, or a mark may follow it: the next words tell.
        spans = list(sentences(self._open))
        whole, rest = spans[:-1], spans[-1:]
        found = [self._open[start:end] for start, end in whole]
        self._open = self._open[rest[0][0] :] if rest else ""
        return self._handed(found)

    def aside(self) -> list[str]:
        """Take what was said for no part of the answer: the executive has called a tool."""
        found = self._handed([self._open])
        self._open, self._said, self._void = "", [], False
        return found

    def anew(self) -> None:
        """Say no more before the answer is whole: it is written anew."""
        self._open, self._void = "", True

    def end(self, answer: str) -> list[str]:
        """Return what is still to be said of the answer as it stands in the end."""
        final = [text for text in map(_plain, _split(answer)) if text]
        said = list(self._said)
        if final[: len(said)] == said:
            return self._handed(final[len(said) :])
        fresh = [text for text in final if text not in said]
        taken_back = any(text not in final for text in said)
        return self._handed([CORRECTION, *fresh] if taken_back and fresh else fresh)

    def _handed(self, found: list[str]) -> list[str]:
        plain = [text for text in map(_plain, found) if text]
        self._said += plain
        return plain


def _split(answer: str) -> Iterator[str]:
    for start, end in sentences(answer):
        yield answer[start:end]


def _plain(sentence: str) -> str:
    """Return a sentence as it is said: without marks, on one line."""
    text = aloud(sentence).strip().removeprefix(prompts.NOT_FOUND).lstrip(" :.-")
    return " ".join(text.split())
