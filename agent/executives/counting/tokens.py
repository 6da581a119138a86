"""Bounds on the tokens of a text, for servers that have no tokeniser to ask. Pure.

Byte-pair tokenisers split before they merge: at white space, at a change between letters, digits
and other signs, and before a capital that follows a small letter. The classes below are the finest
of those splits. What each may cost was measured with a vocabulary of 49,000 entries, on English,
code and tables, and on other languages, whose words it takes apart; those of 14B models have more
than 100,000, and merge more.
"""

import hashlib
import math
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

MESSAGE_TOKENS = 8
"""What a template adds to each message."""
PROMPT_TOKENS = 32
"""What a template adds once."""

CLASSES = 10
"""Kinds of pieces that are told apart."""

_SPACE, _LOWER, _CAPITALS, _SIGN, _HAN, _HANGUL, _OTHER = range(7)
_LONG, _HARD, _JUMBLE = range(7, CLASSES)
_LETTERS_OF_A_SHORT_WORD = 8
_JUMBLE_CHARACTERS = 16

_ENGLISH = frozenset(
    "the of and to is that for it was are with be this have from or by not you at which but has "
    "had The It This".split()
)
"""Words that stand in every English text and hardly in another."""
_ENGLISH_SHARE = 0.28
"""Share of them from which on a sentence is English: its words are whole in vocabularies."""

_SENTENCE = re.compile(r"[^.!?\n]{1,400}[.!?\n]*|[.!?\n]+")

Floats = NDArray[np.float64]
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Makeup:
    """What a text is made of."""

    costs: Floats
    """Tokens that the pieces of each class may cost."""
    words: int
    """Runs of characters between white space that hold a letter."""

    @property
    def tokens(self) -> int:
        """A number of tokens that no tokeniser of a large model is expected to exceed."""
        return math.ceil(float(self.costs.sum()) - 1e-9)


class Remembered(Generic[Value]):
    """What was worked out for a text, so that a prompt that grows is not read again."""

    def __init__(self, make: Callable[[str], Value], *, size: int) -> None:
        self._make = make
        self._size = size
        self._known: OrderedDict[bytes, Value] = OrderedDict()
        self._lock = threading.Lock()  # protects `_known`: prompts are counted on several threads

    def __call__(self, text: str) -> Value:
        """Return what is made of the text, or was made of it before."""
        data = text.encode("utf-8", "surrogatepass")
        key = hashlib.blake2b(data, digest_size=16).digest()
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        made = self._make(text)
        with self._lock:
            self._known[key] = made
            if len(self._known) > self._size:
                self._known.popitem(last=False)
        return made


def upper_bound(text: str) -> int:
    """Return a number of tokens that no tokeniser of a large model is expected to exceed."""
    return makeup(text).tokens


def lower_bound(text: str) -> int:
    """Return a number of tokens below which something of the text was not read.

    No tokeniser in use merges two words across white space; one tenth is allowed for errors.
    """
    return math.floor(0.9 * makeup(text).words)


def _ascii_kinds() -> NDArray[np.int8]:
    kinds = np.full(128, _OTHER, dtype=np.int8)
    kinds[[*range(9, 14), *range(28, 33)]] = _SPACE
    kinds[33:127] = _SIGN
    kinds[ord("a") : ord("z") + 1] = _LOWER
    kinds[ord("A") : ord("Z") + 1] = _CAPITALS
    return kinds


_ASCII = _ascii_kinds()
_SPACES = np.array(
    [0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]
)
_VOWELS = np.isin(np.arange(128), [ord(letter) for letter in "aeiouyAEIOUY"])


def _made_up(text: str) -> Makeup:
    data = text.encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(data, dtype="<u4").astype(np.int64)
    if not len(codes):
        return Makeup(np.zeros(CLASSES), 0)
    pieces = _Pieces(codes, _kinds(codes), english=_english(text))
    costs: Floats = np.bincount(pieces.classes, weights=pieces.costs, minlength=CLASSES).astype(
        np.float64
    )
    costs[_JUMBLE] = pieces.jumble
    return Makeup(costs, pieces.words)


def _english(text: str) -> Floats:
    """Return from 0 to 1, for each character, how far its sentence is taken for English."""
    pieces = _SENTENCE.findall(text)
    lengths = [len(piece) for piece in pieces]
    return np.repeat([_share(piece.split()) for piece in pieces], lengths)


def _share(words: list[str]) -> float:
    known = sum(word in _ENGLISH for word in words)
    return min(1.0, known / (_ENGLISH_SHARE * len(words))) if words else 0.0


def _kinds(codes: NDArray[np.int64]) -> NDArray[np.int8]:
    kinds = _ASCII[np.minimum(codes, 127)]
    strange = np.flatnonzero(codes > 127)
    if len(strange):
        found = codes[strange]
        han = ((found >= 0x3040) & (found <= 0x30FF)) | ((found >= 0x3400) & (found <= 0x9FFF))
        hangul = (found >= 0xAC00) & (found <= 0xD7A3)
        kinds[strange] = np.where(han, _HAN, np.where(hangul, _HANGUL, _OTHER))
        kinds[strange[np.isin(found, _SPACES)]] = _SPACE
    return kinds


class _Pieces:
    """A text in pieces: runs of one kind, signs and letters of other scripts one by one."""

    def __init__(
        self, codes: NDArray[np.int64], kinds: NDArray[np.int8], *, english: Floats
    ) -> None:
        size = len(codes)
        alone = kinds >= _SIGN
        begins = np.concatenate(([True], (kinds[1:] != kinds[:-1]) | alone[1:]))
        start = np.flatnonzero(begins)
        end = np.append(start[1:], size)
        self._english = english[start]
        self._kind = kinds[start].astype(np.int64)
        self._length = end - start
        before = np.concatenate(([False], self._capital()[:-1]))
        # A single capital before small letters is part of their word.
        self._led = before & (self._kind == _LOWER)
        self._leading = np.append(self._led[1:], False)
        letters = self._length + self._led
        vowels = _between(_VOWELS[np.minimum(codes, 127)] & (codes < 128), start - self._led, end)
        hard = (self._kind == _LOWER) & (letters > 2) & (vowels * 6 < letters)
        long = (self._kind == _LOWER) & (letters > _LETTERS_OF_A_SHORT_WORD) & ~hard
        self.classes = np.where(hard, _HARD, np.where(long, _LONG, self._kind))
        self.costs = self._cost(codes, letters, start, end)
        self.jumble, self.words = self._chunks()

    def _capital(self) -> NDArray[np.bool_]:
        alone: NDArray[np.bool_] = (self._kind == _CAPITALS) & (self._length == 1)
        return alone

    def _cost(
        self,
        codes: NDArray[np.int64],
        letters: NDArray[np.int64],
        start: NDArray[np.int64],
        end: NDArray[np.int64],
    ) -> Floats:
        """Return what each piece may cost; letters without vowels are seldom in a vocabulary."""
        single = codes[start]
        size = np.where(single < 0x80, 1, np.where(single < 0x800, 2, 3)) + (single >= 0x10000)
        lines = _between(codes == ord("\n"), start, end)
        # A single blank belongs to the word behind it.
        blank = (self._length == 1) & (single == ord(" "))
        capitals = np.where(self._leading, 0, np.ceil(self._length / 1.4))
        kinds: list[Any] = [
            np.where(blank, 0, 1 + lines + self._length / 8),
            self._mixed(np.maximum(1, 0.4 + letters / 6), np.maximum(1, letters / 2.1)),
            capitals,
            np.ones(len(start)),
            np.full(len(start), 2.2),
            np.full(len(start), 3.0),
            size,
            self._mixed(letters / 3, letters / 2.4),
            np.ceil(letters / 1.4),
        ]
        return np.choose(self.classes, kinds).astype(np.float64)

    def _mixed(self, english: Floats, other: Floats) -> Floats:
        return self._english * english + (1 - self._english) * other

    def _chunks(self) -> tuple[float, int]:
        """Return what jumbles of short pieces cost beside that, and how many words there are."""
        space = self._kind == _SPACE
        start = np.flatnonzero(np.concatenate(([True], space[1:] != space[:-1])))
        length = np.add.reduceat(self._length, start)
        count = np.add.reduceat(~self._leading, start, dtype=np.int64)
        total = np.add.reduceat(self.costs, start)
        jumbled = ~space[start] & (length > _JUMBLE_CHARACTERS) & (count > length / 4)
        jumble = np.where(jumbled, np.maximum(0, 0.95 * length - total), 0).sum()
        letters = (self._kind == _LOWER) | (self._kind == _CAPITALS)
        return float(jumble), int(np.logical_or.reduceat(letters, start).sum())


def _between(
    marked: NDArray[np.bool_], start: NDArray[np.int64], end: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return how many are marked from each start to its end."""
    summed = np.concatenate(([0], np.cumsum(marked)))
    counted: NDArray[np.int64] = summed[end] - summed[start]
    return counted


makeup = Remembered(_made_up, size=4_096)
"""What a text is made of."""
