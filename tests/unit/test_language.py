import pytest

from memory import language
from memory.language import configuration, detect, searchable


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("What is the warranty period of the pump?", "en"),
        ("Wo finde ich die Rechnungen?", "de"),
        ("Sehr geehrte Damen und Herren,", "de"),
        ("Bonjour tout le monde", "fr"),
        ("La facture est payée", "fr"),
        ("Cześć, jak się masz", "pl"),
        ("发票在哪里?", "zh"),
        ("猫", "zh"),
        ("東京タワーの高さ", "ja"),
        ("안녕하세요", "ko"),
        ("สวัสดี", "th"),
        ("The word 茶 means tea in Chinese, and in Japanese as well.", "en"),
    ],
)
def test_the_language_of_a_sentence_is_told(text: str, code: str) -> None:
    assert detect(text) == code


@pytest.mark.parametrize(
    "text", ["", "  \n", "12345", "ok", "Filter", "Total 1.200,00 EUR", "0xDEADBEEF " * 50]
)
def test_what_is_too_short_or_no_language_is_unknown(text: str) -> None:
    assert detect(text) == "und"


def test_every_language_that_can_be_detected_has_a_configuration() -> None:
    assert configuration("de") == "german"
    assert configuration("zh") == configuration("pl") == configuration("und") == language.SIMPLE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ärger „Straße“ – MÜLLER", "ärger straße müller"),
        ("Mu\u0308ller", "müller"),
        ("\ufb01le x² \uff26\uff35LL", "file x2 full"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("İstanbul", "istanbul"),
        ("non\u2010stop don’t", "non-stop don't"),
        ("/usr/lib/x.so me@x.org C++", "/usr/lib/x.so me@x.org c++"),
        ("हिन्दी में", "हिन्दी में"),
    ],
)
def test_the_parser_sees_the_same_words_however_they_are_written(text: str, words: str) -> None:
    assert searchable(text).split() == words.split()


def test_unspaced_scripts_are_cut_into_overlapping_pairs() -> None:
    assert searchable("找发票3号", question=True).split() == ["找发", "发票", "3", "号"]
    assert searchable("สวัสดี", question=True).split() == ["สวั", "วัส", "สดี"]


def test_the_index_also_has_each_character_alone() -> None:
    assert searchable("发票").split() == ["发票", "发", "票"]
    assert searchable("票", question=True).split() == ["票"]
