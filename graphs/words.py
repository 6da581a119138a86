"""Words of any language, compared loosely: pure, without a dictionary.

Endings are not looked up: two words are alike when they are equal but for a short ending. Scripts
without spaces are compared by pairs of characters.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

from graphs import numbers

_WORD = re.compile(r"[^\W_]+(?:(?:'|(?<=\d)[.,:/-](?=\d))[^\W_]+)*")
_ELIDED = re.compile(r"^(?:[a-z]|qu|un|dell|all|nell|sull)'(?=[^\W\d_]{2})")
"""What French and Italian leave of an article or a pronoun: `l'eau`."""
_CONTRACTED = re.compile(r"(?:n't|'(?:s|re|ll|ve|d|m))$")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0e7f]+")

COMMON = frozenset(
    """a about after all also an and any are as at be been before but by can could did do does done
    for from get give had has have he her here him his how i if in into is it its just may me might
    more most much must my no not of on one only or our out over please said say says shall she
    should so some such tell than that the their them then there these they this those to up us was
    we were what when where which while who whom whose why will with would you your
    aber als am an auch auf aus bei bin bis da das dass dem den der des die dies diese dieser doch
    du durch ein eine einem einen einer eines er es für hat haben hatte ich ihr im in ist ja kann
    kein man mein mir mit muss nach nicht noch nur ob oder ohne sein sich sie sind so soll um und
    uns unser vom von vor wann war warum was welche welcher welches wenn wer wie wird wo wurde zu
    zum zur über
    au aux avec ce ces cette dans de du elle en est et il je la le les leur lui mais ne nous on ou
    par pas pour que qui sa se ses son sont sur un une vous
    al como con cual cuando cuál cuándo del el ella en es esta este la las lo los no para pero por
    que qué se sin su sus un una y""".split()
)
"""Words that say nothing of the subject, in a few languages."""

_HEAD = 5
"""Letters that the head of a compound has at least."""

_CHINESE_COMMON = frozenset("的了是在和有多少什么几吗呢哪个怎么谁请问一何我你他她它们这那要")


def folded(text: str) -> str:
    """Return the text in one case and one form of its letters and its apostrophes."""
    return unicodedata.normalize("NFKC", text).casefold().replace("’", "'")


def terms(text: str) -> list[str]:
    """Return words, and pairs of characters where a script has no spaces, in order."""
    return [*_terms(text)]


@lru_cache(maxsize=numbers.TEXTS_KEPT)
def _terms(text: str) -> tuple[str, ...]:
    found: list[str] = []
    for whole in _WORD.findall(folded(text)):
        word, rest = _ELIDED.sub("", whole).removesuffix("'s"), 0
        for run in _UNSPACED.finditer(word):
            if run.start() > rest:
                found.append(word[rest : run.start()])
            characters = run.group()
            pairs = [left + right for left, right in pairwise(characters)]
            found.extend(pairs or [characters])
            rest = run.end()
        if rest < len(word):
            found.append(word[rest:])
    return tuple(found)


def content(text: str) -> list[str]:
    """Return the terms that say something of the subject, each once, in order."""
    return [*_content(text)]


@lru_cache(maxsize=numbers.TEXTS_KEPT)
def _content(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(term for term in _terms(text) if not _is_common(term)))


def weight(term: str) -> float:
    """Return how many words a term stands for: one, or a half where it is a pair of characters."""
    return 0.5 if _UNSPACED.fullmatch(term) else 1.0


def _is_common(term: str) -> bool:
    if _UNSPACED.fullmatch(term):
        return all(character in _CHINESE_COMMON for character in term)
    if _CONTRACTED.search(term) or term in COMMON:
        return True
    return len(term) == 1 and not term.isdigit()


@lru_cache(maxsize=32_768)
def alike(one: str, other: str) -> bool:
    """Whether two terms are the same word but for its ending, or for what stands before its head.

    The ending has up to three letters; what stands before, as in German, at least four:
    `Wasserfilter` is a `Filter`. Numbers are alike only where they are equal.
    """
    if one == other:
        return True
    short, long = (one, other) if len(one) <= len(other) else (other, one)
    # Most words have not even their beginning in common.
    if not (short[:3] == long[:3] and _inflected(short, long)) and not _headed(short, long):
        return False
    if not (one.isalpha() and other.isalpha()) or _UNSPACED.search(one):
        return False
    return not (_is_number(one) or _is_number(other))


def _inflected(short: str, long: str) -> bool:
    pairs = zip(short, long, strict=False)
    shared = next((at for at, (left, right) in enumerate(pairs) if left != right), len(short))
    if shared == len(short) >= 3 and long[shared:] in ("s", "es"):
        return True
    return shared >= max(4, len(short) - 2) and len(long) - shared <= 3


def _headed(short: str, long: str) -> bool:
    if len(short) < _HEAD or len(long) - len(short) < 2:
        return False
    if short[: max(_HEAD, len(short) - 2)] not in long[4:]:
        return False
    for stem in (short, short[:-1], short[:-2]):
        at = long.rfind(stem)
        if len(stem) >= _HEAD and at >= 4 and len(long) - at - len(stem) <= 2:
            return True
    return False


@lru_cache(maxsize=4096)
def _is_number(term: str) -> bool:
    return bool(numbers.numbers(term))


def matched(wanted: Iterable[str], there: Iterable[str]) -> set[str]:
    """Return those of the wanted terms that have a word alike among the others."""
    present = set(there)
    return {term for term in wanted if term in present or _has_alike(term, present)}


def _has_alike(term: str, present: Iterable[str]) -> bool:
    """Whether a word is alike; only those are looked at that begin alike or hold one another."""
    start, head = term[:3], term[:_HEAD]
    near = (one for one in present if one[:3] == start or head in one or one[:_HEAD] in term)
    return any(alike(term, one) for one in near)
