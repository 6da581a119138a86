"""Bytes to text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.reading.decoding import decode

GERMAN = "Grüße aus Köln. Die Straße ist gesperrt, bitte fahren Sie über den Ring.\n"
SIMPLIFIED = "本手册介绍如何安装和维护过滤系统。请每三个月更换一次滤芯，并检查压力表的读数。\n"
TRADITIONAL = "本手冊介紹如何安裝和維護過濾系統。請每三個月更換一次濾芯，並檢查壓力表的讀數。\n"
RUSSIAN = "Правительство утвердило новый порядок предоставления субсидий.\n"


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        (GERMAN, "utf-8"),
        (GERMAN, "utf-8-sig"),
        (GERMAN, "utf-16"),
        (GERMAN, "utf-32"),
        (GERMAN, "utf-16-le"),
        (GERMAN, "utf-16-be"),
        (GERMAN, "latin-1"),
        (GERMAN + "für 12 €", "cp1252"),
        (SIMPLIFIED, "utf-8"),
        (SIMPLIFIED, "utf-16"),
        (SIMPLIFIED, "gb18030"),
        (TRADITIONAL, "big5"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
    ],
)
def test_the_encoding_is_found_without_being_told(text: str, charset: str) -> None:
    assert decode(text.encode(charset)).text == text
    assert not decode(text.encode(charset)).flaws


def test_a_charset_that_is_right_is_believed() -> None:
    assert decode("过滤".encode("gb18030"), "gb2312").text == "过滤"
    assert decode("日本".encode("iso2022_jp"), "iso-2022-jp").text == "日本"
    assert not decode("过滤".encode("gb18030"), "gb2312").flaws


@pytest.mark.parametrize("declared", ["iso-8859-1", "rot13", "bogus", "x\0y", "", "unknown-8bit"])
def test_a_lying_charset_does_not_spoil_the_text(declared: str) -> None:
    decoded = decode(GERMAN.encode(), declared)
    assert decoded.text == GERMAN
    assert "declared charset" in decoded.flaws[0]


def test_a_lie_without_consequence_is_no_flaw() -> None:
    assert not decode(b"plain letters", "rot13").flaws
    assert not decode(GERMAN.encode(), "us-ascii").flaws


def test_one_foreign_byte_does_not_change_the_encoding_of_a_file() -> None:
    decoded = decode((GERMAN * 20).encode() + b"broken \xfc\n")
    assert decoded.charset == "utf-8"
    assert decoded.text.startswith(GERMAN)
    assert decoded.flaws == ("1 characters are not valid utf-8 and are shown as \ufffd",)


def test_nul_bytes_are_shown_or_dropped_at_the_end() -> None:
    decoded = decode(b"a\0b\0\0\0\0")
    assert decoded.text == "a\ufffdb"
    assert decoded.flaws == ("1 NUL characters are shown as \ufffd",)


def test_lines_end_with_newlines_whatever_the_system() -> None:
    assert decode(b"a\r\nb\rc\nd").text == "a\nb\nc\nd"


@given(st.binary(max_size=400), st.sampled_from([None, "utf-8", "gb2312", "utf-7", "utf-16", "hz"]))
def test_any_bytes_become_a_text_that_can_be_stored(data: bytes, declared: str | None) -> None:
    text = decode(data, declared).text
    assert "\0" not in text
    assert "\r" not in text
    text.encode()


def test_a_file_in_two_encodings_is_read_line_by_line() -> None:
    data = (GERMAN * 30).encode() + (GERMAN * 30).encode("latin-1") + RUSSIAN.encode()
    decoded = decode(data)
    assert decoded.text == GERMAN * 60 + RUSSIAN
    assert decoded.flaws == (
        "it is in several encodings: 30 lines were read as cp1252, the others as utf-8",
    )
