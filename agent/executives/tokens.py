"""Bounds on the tokens of a text, for servers that have no tokeniser to ask. Pure."""

import hashlib
import json
import math
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

# Byte-pair tokenisers split before they merge: at white space, at a change between letters,
# digits and other signs, and before a capital that follows a small letter. The classes below are
# the finest of those splits. What each may cost was measured with a vocabulary of 49,000 entries;
# those of 14B models have more than 100,000, and merge more.
_CHUNK = re.compile(r"\s+|\S+")
_PIECE = re.compile(
    r"(?P<word>[A-Z]?[a-z]+)|(?P<capitals>[A-Z]+)|(?P<sign>[!-/0-9:-@\[-`{-~])"
    r"|(?P<han>[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])|(?P<other>.)",
    re.DOTALL,
)
_VOWEL = re.compile(r"[aeiouyAEIOUY]")
_WORD = re.compile(r"\S*[A-Za-z]\S*")

MESSAGE_TOKENS = 8
"""What a template adds to each message."""
PROMPT_TOKENS = 32
"""What a template adds once."""


def upper_bound(text: str) -> int:
    """Return a number of tokens that no tokeniser of a large model is expected to exceed."""
    return math.ceil(sum(_line(line) for line in text.splitlines(keepends=True)))


# Prompts are counted again and again with a little more or less in them.
@lru_cache(maxsize=4_096)
def _line(line: str) -> float:
    return sum(_chunk(chunk) for chunk in _CHUNK.findall(line))


def _chunk(chunk: str) -> float:
    if chunk.isspace():
        # A single blank belongs to the word behind it.
        return 0 if chunk == " " else 1 + chunk.count("\n") + len(chunk) / 8
    pieces = list(_PIECE.finditer(chunk))
    total = sum(_piece(piece.lastgroup or "", piece[0]) for piece in pieces)
    jumbled = len(chunk) > _LONG_WORD and len(pieces) > len(chunk) / 4
    return max(total, 0.95 * len(chunk)) if jumbled else total


_LONG_WORD = 16


def _piece(kind: str, text: str) -> float:
    """Return what one piece may cost; letters without vowels are seldom in a vocabulary."""
    length = len(text)
    match kind:
        case "word" if length > 2 and len(_VOWEL.findall(text)) * 6 < length:
            return math.ceil(length / 1.4)
        case "word":
            return max(1, 0.4 + length / 6 if length <= 8 else length / 3)
        case "capitals":
            return math.ceil(length / 1.4)
        case "sign":
            return 1
        case "han":
            return 1.5
        case _:
            return len(text.encode("utf-8", "replace"))


def lower_bound(text: str) -> int:
    """Return a number of tokens below which something of the text was not read.

    No tokeniser in use merges two words across white space; one tenth is allowed for errors.
    """
    return math.floor(0.9 * sum(1 for _ in _WORD.finditer(text)))


class Calibration:
    """Learns from a server's own counts by how much the bound has to be raised."""

    def __init__(self) -> None:
        self._factor = 1.0

    def bound(self, parts: Iterable[str]) -> int:
        """Return an upper bound of a prompt made of these texts."""
        return math.ceil(self._raw(parts) * self._factor)

    def learn(self, parts: Iterable[str], counted: int) -> None:
        """Take note of what a server counted; the factor only rises."""
        self._factor = max(self._factor, counted / self._raw(parts))

    @staticmethod
    def _raw(parts: Iterable[str]) -> int:
        return PROMPT_TOKENS + sum(MESSAGE_TOKENS + upper_bound(part) for part in parts)


class Counts:
    """Exact counts of requests, so that the same is not counted twice."""

    def __init__(self, *, size: int = 512) -> None:
        self._known: OrderedDict[bytes, int] = OrderedDict()
        self._size = size
        self._lock = threading.Lock()  # protects `_known`: counting happens on several threads

    def of(self, body: Mapping[str, Any], count: Callable[[Any], int]) -> int:
        """Return what `count` gives for the body, or gave before."""
        key = hashlib.blake2b(json.dumps(body, sort_keys=True).encode(), digest_size=16).digest()
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = count(body)
        with self._lock:
            self._known[key] = known
            self._known.move_to_end(key)
            while len(self._known) > self._size:
                self._known.popitem(last=False)
        return known
