"""How many tokens a text takes at most, without a tokeniser."""

import re

# The ranges are those of the scripts that WordPiece and its like cut differently.
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+")
_DIGITS = re.compile(r"\d+")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_OTHER = re.compile(r"[^\sA-Za-z\u00c0-\u024f\u1e00-\u1eff\d]")


def tokens_bound(text: str) -> int:
    """Return the number of tokens that a text takes with a WordPiece vocabulary of English.

    A Latin word of up to four letters counts one, a longer one a third of its letters; a number
    half of its digits and one; a Hangul syllable three, since it is taken apart; any other
    character one. Two texts joined count at most their sum, and one more where a word was cut.

    Against the real tokeniser of all-MiniLM-L6-v2 on passages of 230 so counted, English prose
    takes 0.5 to 0.9 of it, code up to 1.0, German and French up to 1.1, Chinese 1.0. Polish and
    Finnish take up to 1.3 and base64 1.6: there the end of a full passage is beyond 256.
    """
    words = sum(1 if len(word) <= 4 else -(-len(word) // 3) for word in _LATIN.findall(text))
    numbers = sum(len(digits) // 2 + 1 for digits in _DIGITS.findall(text))
    return words + numbers + len(_OTHER.findall(text)) + 2 * len(_HANGUL.findall(text))
