"""A value written almost as JSON: Python's words and quotes, commas too many. Pure.

One way to read it or none: what could be meant in two ways is refused.
"""

import json
import re
from typing import Any

from tools.calls.limits import NESTING_LIMIT

_DIGITS_LIMIT = 1_000
_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])")
_WORD = re.compile(r"[A-Za-z]+(?!\w)")
_WORDS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_DOUBLE = re.compile(r'"(?:[^"\\\x00-\x08\x0b\x0c\x0e-\x1f]|\\.)*"')
_SINGLE = re.compile(r"'(?:[^'\\\x00-\x08\x0b\x0c\x0e-\x1f]|\\.)*'")
_QUOTES = re.compile(r"""\\.|\"""")
_AFTER = re.compile(r"[ \t\r\n]*(?:[,:\]}]|\Z)")


class NotLiteralError(Exception):
    """The text cannot be read, or not in one way only; the message says where and why."""


class Literals:
    """Reads one value out of a text, and notes what had to be mended."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.mended: set[str] = set()

    def value(self, start: int) -> tuple[Any, int]:
        """Return the value that begins there and where it ends. Raises NotLiteralError."""
        self._at = start
        return self._value(0), self._at

    def _value(self, depth: int) -> Any:
        if depth > NESTING_LIMIT:
            raise self._error(f"is nested more than {NESTING_LIMIT} deep")
        self._skip()
        match self._text[self._at : self._at + 1]:
            case "{":
                return self._object(depth)
            case "[":
                return self._list(depth)
            case '"':
                return self._string(_DOUBLE)
            case "'":
                self.mended.add("single quotes")
                return self._string(_SINGLE)
            case "":
                raise self._error("ends in the middle")
            case _:
                return self._scalar()

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self._at += 1
        while not self._closed("}"):
            name = self._value(depth + 1)
            if not isinstance(name, str):
                raise self._error(f"has {name!r} where a name in quotes is due")
            self._expect(":")
            value = self._value(depth + 1)
            if name in found and not same(found[name], value):
                raise self._error(f"names {name!r} twice with different values")
            found[name] = value
            self._separated("}")
        return found

    def _list(self, depth: int) -> list[Any]:
        found: list[Any] = []
        self._at += 1
        while not self._closed("]"):
            found.append(self._value(depth + 1))
            self._separated("]")
        return found

    def _closed(self, sign: str) -> bool:
        self._skip()
        if self._text[self._at : self._at + 1] != sign:
            return False
        self._at += 1
        return True

    def _separated(self, sign: str) -> None:
        """Take a comma, or stand before the closing sign."""
        self._skip()
        if self._text[self._at : self._at + 1] == sign:
            return
        self._expect(",")
        self._skip()
        if self._text[self._at : self._at + 1] == sign:
            self.mended.add("a trailing comma")

    def _expect(self, sign: str) -> None:
        self._skip()
        if self._text[self._at : self._at + 1] != sign:
            whole = self._at < len(self._text)
            raise self._error(f"lacks {sign!r}" if whole else "ends in the middle")
        self._at += 1

    def _string(self, pattern: re.Pattern[str]) -> str:
        """Read a string; a quote within it that could be its end is a second reading."""
        found = pattern.match(self._text, self._at)
        if found is None:
            raise self._error("holds a string without an end")
        if not _AFTER.match(self._text, found.end()):
            raise self._error("holds a string whose end is not clear")
        self._at = found.end()
        try:
            # A line break within the quotes can only mean itself.
            return str(json.loads(_double(found[0]), strict=False))
        except ValueError as error:
            raise self._error(f"holds a string that cannot be read ({error})") from error

    def _scalar(self) -> Any:
        if number := _NUMBER.match(self._text, self._at):
            self._at = number.end()
            if len(number[0]) > _DIGITS_LIMIT:
                raise self._error("holds a number that is too long")
            return json.loads(number[0])
        word = _WORD.match(self._text, self._at)
        if word is None or word[0] not in _WORDS:
            raise self._error("holds a word without quotes")
        if word[0][0].isupper():
            self.mended.add("Python's words")
        self._at = word.end()
        return _WORDS[word[0]]

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        assert found is not None, "the pattern matches the empty string"
        self._at = found.end()

    def _error(self, what: str) -> NotLiteralError:
        near = self._text[max(0, self._at - 10) : self._at + 20]
        return NotLiteralError(f"it {what}, near {near!r}")


def _double(quoted: str) -> str:
    """Return a string in double quotes, whichever it had."""
    if quoted.startswith('"'):
        return quoted
    swapped = {r"\'": "'", '"': r"\""}
    inner = _QUOTES.sub(lambda sign: swapped.get(sign[0], sign[0]), quoted[1:-1])
    return f'"{inner}"'


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same as JSON: 1 is not true, and 1 is not 1.0."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
