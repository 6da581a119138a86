"""Bounds on tokens: above for fitting, below for noticing what was dropped."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.executives.counting.calibration import Calibration
from agent.executives.counting.tokens import MESSAGE_TOKENS, lower_bound, upper_bound


@settings(deadline=None)  # the machine may be busy
@given(st.text())
def test_the_lower_bound_is_never_above_the_upper(text: str) -> None:
    assert 0 <= lower_bound(text) <= upper_bound(text)


@settings(deadline=None)
@given(st.text(), st.text())
def test_more_text_never_has_fewer_tokens(text: str, more: str) -> None:
    assert upper_bound(f"{text}\n{more}") >= max(upper_bound(text), upper_bound(more))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        # Counted by the tokeniser of SmolLM2, whose 49,152 entries merge less than larger ones.
        ("How long is the warranty of the pump?", 9),
        ("The warranty period begins on the day of delivery and lasts 24 months.", 16),
        ("Die Übergangsregelung gilt für sämtliche Kündigungsschutzklagen ab 1. März.", 34),
        ("| 2026-03-02 | 17,50 € | ACME-7781-B |", 31),
        ("def f(x):\n    return {key: value[0] for key, value in x.items() if value}\n", 27),
        ("", 0),
    ],
)
def test_the_upper_bound_holds_and_is_not_wide(text: str, tokens: int) -> None:
    assert tokens <= upper_bound(text) <= 2 * tokens


def test_the_lower_bound_of_prose_is_more_than_half_of_its_tokens() -> None:
    text = "The warranty period begins on the day of delivery and lasts 24 months. " * 50

    assert 0.5 * 16 * 50 <= lower_bound(text) <= 16 * 50


def test_a_long_prompt_is_counted_again_in_no_time() -> None:
    text = "\n".join(
        f"Line {number} of a long passage, with some words." for number in range(2_000)
    )
    first = upper_bound(text)
    began = time.process_time()

    assert upper_bound(text) == first
    assert time.process_time() - began < 0.05


ENGLISH = "The warranty of the pump is two years, and it begins with the day of delivery. "
GERMAN = "Die Gewährleistung der Pumpe beträgt zwei Jahre und beginnt mit dem Liefertag. "


def counted(texts: list[str], share: float) -> int:
    """Return what a server might count: a share of the raw bound."""
    return int(sum(upper_bound(text) for text in texts) * share) + 12


def test_the_bound_of_one_kind_of_text_comes_close_to_what_was_counted() -> None:
    calibration = Calibration()
    prompts = [["Be brief.", ENGLISH * times] for times in range(20, 60)]
    before = calibration.bound(prompts[-1])
    for texts in prompts[:-1]:
        calibration.learn(texts, counted(texts, 0.7))

    after = calibration.bound(prompts[-1])
    assert counted(prompts[-1], 0.7) <= after < 0.82 * before


def test_a_kind_of_text_that_was_never_counted_keeps_the_whole_bound() -> None:
    calibration = Calibration()
    other = ["Be brief.", "保修期为自交货之日起两年，过滤器必须每周清洗一次。" * 20]
    before = calibration.bound(other)
    for times in range(20, 60):
        texts = ["Be brief.", ENGLISH * times]
        calibration.learn(texts, counted(texts, 0.6))

    assert calibration.bound(other) == before


def test_a_count_above_the_bound_raises_all_bounds_for_good() -> None:
    calibration = Calibration()
    texts, other = ["Be brief.", ENGLISH * 30], ["Be brief.", GERMAN * 30]
    before = calibration.bound(texts), calibration.bound(other)
    calibration.learn(texts, 2 * before[0])
    for _ in range(20):
        calibration.learn(["Be brief.", ENGLISH], 30)

    assert calibration.bound(texts) >= 2 * before[0]
    assert calibration.bound(other) >= 2 * before[1]


def test_a_prompt_that_only_grew_is_its_count_and_a_bound_of_what_was_added() -> None:
    calibration = Calibration()
    texts = ["Be brief.", ENGLISH * 100]
    calibration.learn(texts, 1_000)

    assert calibration.bound([*texts, "How long?"]) == 1_000 + MESSAGE_TOKENS + upper_bound(
        "How long?"
    )
    assert calibration.bound(["Be long.", *texts[1:]]) > 1_500
