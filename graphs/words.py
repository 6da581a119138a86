"""Words of any language, compared loosely: pure, without a dictionary.

Endings are not looked up: two words are alike when they are equal but for a short ending. Scripts
without spaces are compared by pairs of characters.
"""

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

_WORD = re.compile(r"[^\W_]+(?:[.,:/'-][^\W_]+)*")
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

_CHINESE_COMMON = frozenset("的了是在和有多少什么几吗呢哪个怎么谁请问一何我你他她它们这那要")


def folded(text: str) -> str:
    """Return the text in one case and one form of its letters."""
    return unicodedata.normalize("NFKC", text).casefold()


def terms(text: str) -> list[str]:
    """Return words, and pairs of characters where a script has no spaces, in order."""
    found: list[str] = []
    for word in _WORD.findall(folded(text)):
        rest = 0
        for run in _UNSPACED.finditer(word):
            if run.start() > rest:
                found.append(word[rest : run.start()])
            characters = run.group()
            pairs = [left + right for left, right in pairwise(characters)]
            found.extend(pairs or [characters])
            rest = run.end()
        if rest < len(word):
            found.append(word[rest:])
    return found


def content(text: str) -> list[str]:
    """Return the terms that say something of the subject, each once, in order."""
    kept = (term for term in terms(text) if not _is_common(term))
    return list(dict.fromkeys(kept))


def _is_common(term: str) -> bool:
    if _UNSPACED.fullmatch(term):
        return all(character in _CHINESE_COMMON for character in term)
    return term in COMMON or (len(term) == 1 and not term.isdigit())


def alike(one: str, other: str) -> bool:
    """Whether two terms are the same word but for an ending of up to three letters."""
    if one == other:
        return True
    if _UNSPACED.search(one) or not (one.isalpha() and other.isalpha()):
        return False
    shorter = min(len(one), len(other))
    shared = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        shared += 1
    return shared >= max(4, shorter - 2) and max(len(one), len(other)) - shared <= 3


def matched(wanted: Iterable[str], there: Iterable[str]) -> set[str]:
    """Return those of the wanted terms that have a word alike among the others."""
    present = list(there)
    return {term for term in wanted if any(alike(term, other) for other in present)}


def numbers(text: str) -> set[str]:
    """Return the numbers in figures, thousands marks removed: `1,250.5` is `1250.5`."""
    found = re.findall(r"\d+(?:[.,:/-]\d+)*", text)
    return {re.sub(r",(?=\d{3}(?:\D|$))", "", number) for number in found}
