"""Text as the phonemes that Kokoro was taught, without the network.

misaki speaks English by a dictionary, and asks a model of spaCy for each word's part of speech. It
downloads that model where it is not there. Here a few rules stand in for it: they know marks,
numbers, sums of money and the small words whose sound depends on their neighbours. What is lost: a
word that sounds differently as verb and as noun ("record", "live") always sounds as the dictionary
has it first, and initials are told from names less often.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tools.senses.background import Patience
from tools.senses.errors import EngineError
from tools.sentences import sentences

Phonemes = Callable[[str], str]

_ENGLISH = {"a": False, "b": True}
"""By the letter of the language, whether it is British."""

_ESPEAK = {"e": "es", "f": "fr-fr", "h": "hi", "i": "it", "p": "pt-br"}

LETTERS = {
    "en": "ab",
    "en-us": "ab",
    "en-gb": "ba",
    "es": "e",
    "fr": "f",
    "hi": "h",
    "it": "i",
    "pt": "p",
}
"""Kokoro's letters of a language, the first choice first.

Japanese and Chinese, which Kokoro has too, want packages that fetch their dictionaries.
"""

COMFORTABLE = 300
"""Phonemes up to which sentences are joined: longer pieces are spoken hastily."""

_TAGS = {
    **dict.fromkeys([".", "!", "?"], "."),
    **dict.fromkeys([";", ":", "…", "...", "—", "–", "--"], ":"),
    ",": ",",
    "(": "-LRB-",
    ")": "-RRB-",
    "“": "``",
    "”": "''",
    **dict.fromkeys(["a", "an", "the"], "DT"),
    **dict.fromkeys(["i"], "PRP"),
    **dict.fromkeys(["in", "on", "at", "by", "of", "for", "from", "with"], "IN"),
    "to": "TO",
}
"""Parts of speech as the Penn Treebank names them."""

_MARKS = frozenset("ˈˌː")
_BREAKS = (";:—–.!?", ",", " \n\t")


def languages(voices: Iterable[str]) -> frozenset[str]:
    """Return ISO 639-1 codes of the languages that some of Kokoro's voices speak."""
    first = {name[0] for name in voices}
    return frozenset(
        language
        for language, letters in LETTERS.items()
        if "-" not in language and first & set(letters)
    )


def of(letter: str) -> Phonemes:
    """Return what turns text of a language into phonemes. Raises EngineError."""
    try:
        return _english(british=_ENGLISH[letter]) if letter in _ENGLISH else _by_espeak(letter)
    except (ImportError, OSError, RuntimeError) as error:
        raise EngineError(
            f"misaki, which Kokoro speaks by, cannot be used here: {error}. Install the extra "
            "`senses`."
        ) from error


def _english(*, british: bool) -> Phonemes:
    import spacy
    from misaki import en, espeak

    # Its constructor would go for spaCy's model.
    g2p = object.__new__(en.G2P)
    blank = spacy.blank("en")
    g2p.version = None
    g2p.british = british
    g2p.nlp = lambda text: _tagged(blank(text))
    g2p.lexicon = en.Lexicon(british)
    g2p.fallback = espeak.EspeakFallback(british=british)
    g2p.unk = ""
    return lambda text: str(g2p(text)[0])


def _tagged(doc: Any) -> Any:
    for token in doc:
        token.tag_ = _tag(token)
    return doc


def _tag(token: Any) -> str:
    """Return the part of speech of a token as far as sound depends on it."""
    if token.text == '"':
        return "``" if not token.whitespace_ and _stands_free(token) else "''"
    if token.text == "-":
        return ":" if token.whitespace_ and _stands_free(token) else "HYPH"
    if token.is_currency:
        return "$"
    if token.like_num:
        return "CD"
    return _TAGS.get(token.text.lower(), "")


def _stands_free(token: Any) -> bool:
    """Return whether a space or nothing stands before a token."""
    return token.i == 0 or bool(token.nbor(-1).whitespace_)


def _by_espeak(letter: str) -> Phonemes:
    from misaki import espeak

    g2p = espeak.EspeakG2P(language=_ESPEAK[letter])
    return lambda text: str(g2p(text)[0])


def pieces(
    text: str, phonemes: Phonemes, vocabulary: frozenset[str], most: int, patience: Patience
) -> Iterator[str]:
    """Yield the phonemes of a text by pieces of at most so many; nothing is cut off.

    Phonemes that are not in the vocabulary have no sound. Pieces without a sound are left out.
    """
    gathered = ""
    for sentence in _sentences(text):
        for spoken in _short(sentence, phonemes, vocabulary, most, patience):
            joined = f"{gathered} {spoken}".strip()
            if gathered and len(joined) > min(most, COMFORTABLE):
                yield gathered
                joined = spoken
            gathered = joined
    if gathered:
        yield gathered


def _sentences(text: str) -> Iterator[str]:
    for start, end in sentences(text):
        yield " ".join(text[start:end].split())


def _short(
    text: str, phonemes: Phonemes, vocabulary: frozenset[str], most: int, patience: Patience
) -> Iterator[str]:
    """Yield the phonemes of a sentence, in halves and halves of them where they are too many."""
    patience.check()
    spoken = "".join(one for one in _spoken(text, phonemes) if one in vocabulary).strip()
    if len(spoken) <= most:
        if any(one.isalpha() and one not in _MARKS for one in spoken):
            yield spoken
    elif len(text) < 2:
        yield from (spoken[start : start + most] for start in range(0, len(spoken), most))
    else:
        at = _middle(text)
        for half in (text[:at], text[at:]):
            yield from _short(half, phonemes, vocabulary, most, patience)


def _spoken(text: str, phonemes: Phonemes) -> str:
    try:
        return phonemes(text)
    except Exception as error:
        # Odd texts lead dictionary, spaCy and espeak to any exception.
        raise EngineError(
            f"misaki finds no phonemes for {text[:40]!r}: {type(error).__name__} {error}"
        ) from error


def _middle(text: str) -> int:
    """Return where to part a text: at the best break in its middle half, else right in two."""
    quarter, half = len(text) // 4, len(text) // 2
    for marks in _BREAKS:
        breaks = [at + 1 for at in range(quarter, len(text) - quarter - 1) if text[at] in marks]
        if breaks:
            return min(breaks, key=lambda at: abs(at - half))
    return half
