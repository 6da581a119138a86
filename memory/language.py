"""Languages: which one a text is in, and how its words are cut and stemmed for search.

Postgres parses and stems. What it sees has been through `searchable` first, so that its parser
gives the same words whatever locale the database was made with, and finds words in scripts that
are written without spaces.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any, cast

UNKNOWN = "und"
SIMPLE = "simple"
"""The configuration that neither stems nor drops stop words."""
CODE = "code"
"""What source code is written in: a vocabulary of its own, as if it were a language."""

_CONFIGURATIONS = {
    "ar": "arabic",
    "ca": "catalan",
    CODE: "code",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "ne": "nepali",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
}
"""Those of PostgreSQL 16, and our own: a database may move between versions and keep its stems."""

_UNSTEMMED = "bg bn bs cs et fa he hr is ka lv mk ms pl sk sl sq uk ur vi".split()
_NO_LANGUAGE = "zxx"
_SURE = 0.6
"""Probability below which a language is called unknown: a word or two can be anybody's."""
_SAMPLE_CHARACTERS = 4_000

_SCRIPTS = {
    "ja": re.compile("[\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f]"),
    "ko": re.compile("[\u1100-\u11ff\u3131-\u318e\uac00-\ud7af]"),
    "th": re.compile("[\u0e00-\u0e7f]"),
    "lo": re.compile("[\u0e80-\u0eff]"),
    "my": re.compile("[\u1000-\u109f]"),
    "km": re.compile("[\u1780-\u17ff]"),
}
_HAN = re.compile("[\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_UNSPACED = re.compile(
    f"(?:{'|'.join(pattern.pattern for pattern in [*_SCRIPTS.values(), _HAN])})+"
)
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")


def detect(text: str) -> str:
    """Return the language of a text as ISO 639-1 code, or `und` where it cannot be told."""
    sample = text[:_SAMPLE_CHARACTERS]
    if not any(character.isalpha() for character in sample):
        return UNKNOWN
    return _by_script(sample) or _by_letters(sample)


def configuration(language: str) -> str:
    """Return the text search configuration of Postgres for a language code."""
    return _CONFIGURATIONS.get(language, SIMPLE)


def searchable(text: str, *, question: bool = False) -> str:
    """Return a text as the parser of Postgres is to see it: for the index, or as a question.

    Lower case, compatibility forms folded, marks beyond ASCII turned to spaces. A run of Chinese,
    Japanese, Korean or Thai becomes its overlapping pairs of characters; the index also has each
    character alone, which only a question of one character asks for.
    """
    plain = unicodedata.normalize("NFKC", text).lower()
    cut = _pairs if question else _pairs_and_characters
    return _BEYOND_ASCII.sub(lambda run: _UNSPACED.sub(cut, run[0].translate(_LETTERS)), plain)


def _by_script(sample: str) -> str | None:
    """Tell the languages that a script belongs to; kana among Chinese characters is Japanese."""
    letters = sum(character.isalpha() for character in sample)
    counts = {code: len(script.findall(sample)) for code, script in _SCRIPTS.items()}
    han = len(_HAN.findall(sample))
    if 4 * (sum(counts.values()) + han) < letters:
        return None
    code = max(counts, key=counts.__getitem__)
    return "zh" if 10 * counts[code] < han else code


def _by_letters(sample: str) -> str:
    code, probability = _identifier()(sample)
    sure = probability >= _SURE and code != _NO_LANGUAGE
    return code if sure else UNKNOWN


@cache
def _identifier() -> Callable[[str], tuple[str, float]]:
    """Load the model, in half a second, bound to the languages that are common in documents."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier: Any = cast(Any, LanguageIdentifier).from_model_file(MODEL_FILE, norm_probs=True)
    spoken = [code for code in _CONFIGURATIONS if code != CODE]
    identifier.set_languages([*spoken, *_UNSTEMMED, _NO_LANGUAGE])

    def classify(sample: str) -> tuple[str, float]:
        code, probability = identifier.classify(sample)
        return str(code), float(probability)

    return classify


class _Letters(dict[int, str | None]):
    """What becomes of a character beyond ASCII, remembered once it was looked up."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        kind = unicodedata.category(character)
        if kind == "Cf" or character == _DOT_ABOVE:
            self[code] = None
        else:
            self[code] = character if kind[0] in "LMN" else " "
        return self[code]


_DOT_ABOVE = "\u0307"
"""What is left of a Turkish capital I in lower case."""
_LETTERS = _Letters({ord("\u2010"): "-", ord("\u2019"): "'"})


def _clusters(run: str) -> list[str]:
    """Split into characters, each with the vowels and tones that are written round it."""
    clusters: list[str] = []
    for character in run:
        if clusters and unicodedata.category(character)[0] == "M":
            clusters[-1] += character
        else:
            clusters.append(character)
    return clusters


def _pairs(run: re.Match[str]) -> str:
    clusters = _clusters(run[0])
    pairs = [first + second for first, second in pairwise(clusters)]
    return f" {' '.join(pairs or clusters)} "


def _pairs_and_characters(run: re.Match[str]) -> str:
    clusters = _clusters(run[0])
    pairs = [first + second for first, second in pairwise(clusters)]
    return f" {' '.join(pairs + clusters)} "
