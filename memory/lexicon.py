"""How passages are weighed by their words: BM25, with its length part fixed by design.

A passage is cut to size before it is stored, so the mean length is a constant of each kind of
language. Stored weights then never depend on what else is stored, or in which order.
"""

import hashlib

from memory import identifiers, language
from memory.language import searchable

LOCK_KEY = 0x6C657869  # "lexi": any fixed number that other programs are unlikely to take
K1 = 1.2
B = 0.75
CHARACTERS_LIMIT = 8_000
"""Longest context and text together: pgvector holds the weights of 16,000 distinct words, which
so many Chinese characters have, counted alone and in pairs."""

_STEMMED_WORDS = 60.0
_UNSTEMMED_WORDS = 100.0
_CHARACTERS_AND_PAIRS = 350.0
_UNSPACED_LANGUAGES = {"zh", "ja", "ko", "th", "lo", "my", "km"}


def mean_length(code: str) -> float:
    """Return the words of a passage of common size, counted after stop words are dropped.

    `code` is a vocabulary: a language, or `language.CODE`.
    """
    if code in _UNSPACED_LANGUAGES:
        return _CHARACTERS_AND_PAIRS
    stemmed = language.configuration(code) != language.SIMPLE
    return _STEMMED_WORDS if stemmed else _UNSTEMMED_WORDS


def whole(context: str, text: str) -> str:
    """Return what is searched and embedded of a passage: its context, then its text."""
    return f"{context}\n{text}" if context else text


def indexed(context: str, text: str) -> str:
    """Return what the words of a passage are taken from.

    Its context counts twice: it says what the passage is about. Identifiers and paths are followed
    by their parts.
    """
    return searchable(identifiers.split(whole(context, whole(context, text))))


def asked(question: str) -> str:
    """Return what the words of a question are taken from."""
    return searchable(identifiers.split(question), question=True)


def content_key(context: str, text: str) -> bytes:
    """Return 16 bytes that are the same for passages that are embedded alike."""
    return hashlib.sha256(whole(context, text).encode()).digest()[:16]


def text_key(text: str) -> int:
    """Return a signed number of 64 bits that is the same for passages that read alike."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], signed=True)
