"""What the text of an answer means: words, JSON, or a call. Pure."""

import json
import re
from typing import Protocol

from agent.executives.replies.received import received
from agent.executives.schemas.calls import call_id
from graphs.errors import BrokenStreamError
from graphs.executive import CallPart, TextPart, Wish
from tools.calls.faults import CallError
from tools.calls.reading import read_object


class Reader(Protocol):
    """Takes the text of an answer piece by piece."""

    def feed(self, piece: str) -> list[TextPart]:
        """Return what can be shown already."""
        ...

    def finish(self) -> CallPart | None:
        """Return the call, if it is one. Raises BrokenStreamError if the text is not JSON."""
        ...


def reader_for(wish: Wish, *, calls_by_schema: bool) -> Reader:
    """Return what reads the answer to a wish."""
    if wish.tools and calls_by_schema:
        return CallReader()
    return JsonReader() if wish.schema is not None else WordReader()


class WordReader:
    """Reads words."""

    def feed(self, piece: str) -> list[TextPart]:
        """Return the piece."""
        return [TextPart(text=piece)]

    def finish(self) -> CallPart | None:
        """Return nothing: words are never a call, whatever they look like."""
        return None


class JsonReader:
    """Reads one JSON text."""

    def __init__(self) -> None:
        self._raw = ""

    def feed(self, piece: str) -> list[TextPart]:
        """Return the piece."""
        self._raw += piece
        return [TextPart(text=piece)]

    def finish(self) -> CallPart | None:
        """Return nothing. Raises BrokenStreamError if the text is not JSON."""
        _parsed(self._raw)
        return None


class CallReader:
    """Reads what `calls.union` allows: an answer's words as they come, a call when it is whole."""

    def __init__(self) -> None:
        self._raw = ""
        self._shown = 0

    def feed(self, piece: str) -> list[TextPart]:
        """Return what the piece adds to an answer in words."""
        self._raw += piece
        words = _answer_so_far(self._raw)
        fresh = words[self._shown :]
        self._shown = len(words)
        return [TextPart(text=fresh)] if fresh else []

    def finish(self) -> CallPart | None:
        """Return the call; None if the text was an answer.

        A text that cannot be read is a call with a fault, since some servers do not hold a model
        to its schema: it is never run, and the model may write it again.
        """
        try:
            found = read_object(self._raw).value
        except CallError as error:
            return _faulty(str(error))
        match found:
            case {"tool": str(name), "arguments": arguments, **rest} if not rest:
                function = {"name": name, "arguments": arguments}
                return received({"function": function}, ())
            case {"answer": str(words), **rest} if not rest and (self._shown or not words):
                return None
            case _:
                return _faulty(
                    f"The reply is neither a call nor an answer: {_shortened(self._raw)}."
                )


def _faulty(fault: str) -> CallPart:
    return CallPart(id=call_id(), name="", arguments={}, fault=fault)


_ANSWER = re.compile(r'\s*\{\s*"answer"\s*:\s*"')
_WHOLE = re.compile(r'[^"\\]*(?:\\(?:u[0-9a-fA-F]{4}|[^u])[^"\\]*)*')
_HALF_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\Z")


def _answer_so_far(raw: str) -> str:
    """Return the decoded beginning of the answer, up to the last whole character."""
    start = _ANSWER.match(raw)
    if start is None:
        return ""
    whole = _WHOLE.match(raw, start.end())
    assert whole is not None, "the pattern matches the empty string"
    decoded = json.loads(f'"{_HALF_PAIR.sub("", whole[0])}"', strict=False)
    assert isinstance(decoded, str)
    return decoded


def _parsed(raw: str) -> object:
    try:
        return json.loads(raw)
    except ValueError as error:
        raise BrokenStreamError(
            f"The answer should be JSON and is not ({error}): {_shortened(raw)}. The model or its "
            "server does not keep to a schema; choose another model."
        ) from error


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 120 else f"{text[:120]}…")
