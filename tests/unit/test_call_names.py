"""Names that look like a tool's: never taken, told as a hint."""

import pytest

from tools.calls.names import meant, nearest, unknown

KNOWN = ("send_mail", "recall", "read_file")


@pytest.mark.parametrize(
    "name",
    [
        "Recall",
        "RECALL",
        "recall ",
        "re\u200bcall",
        "r\u0435call",
        "recal\uff4c",
        "functions.recall",
        "tools/recall",
        "default_api:recall",
        "\uff32\uff25\uff23\uff21\uff2c\uff2c",
    ],
)
def test_what_only_looks_like_a_tool_is_told_which_one_it_looks_like(name: str) -> None:
    assert meant(name, KNOWN) == "recall"
    said = unknown(name, KNOWN)
    assert "Did you mean 'recall'?" in said
    assert said.isascii(), "an unseen letter is seen in the message"


def test_writing_words_apart_another_way_is_a_hint_too() -> None:
    assert meant("sendMail", KNOWN) == "send_mail"
    assert meant("send-mail", KNOWN) == "send_mail"


def test_a_name_that_is_only_near_is_a_hint_but_not_clear() -> None:
    assert meant("recal", KNOWN) is None
    assert nearest("recal", KNOWN) == "recall"
    assert nearest("delete_everything", KNOWN) is None
    assert "Did you mean" not in unknown("delete_everything", KNOWN)


def test_two_that_look_the_same_are_no_hint() -> None:
    assert meant("a_b", ("ab", "a-b")) is None
    assert meant("x.search", ("mail.search", "files.search")) is None
    assert meant("Mail.Search", ("mail.search", "files.search")) == "mail.search"


def test_a_message_about_many_tools_stays_short() -> None:
    many = tuple(f"tool_{number}" for number in range(300))
    said = unknown("x" * 5_000, many)
    assert len(said) < 500
    assert "and 280 more" in said


@pytest.mark.parametrize("name", ["", "\u200b", "...", "   "])
def test_a_name_without_a_letter_means_nothing(name: str) -> None:
    assert meant(name, KNOWN) is None
    assert "There is no tool" in unknown(name, KNOWN)
