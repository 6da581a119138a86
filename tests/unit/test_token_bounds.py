"""Bounds on tokens: above for fitting, below for noticing what was dropped."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.executives.tokens import Calibration, lower_bound, upper_bound


@given(st.text())
def test_the_lower_bound_is_never_above_the_upper(text: str) -> None:
    assert 0 <= lower_bound(text) <= upper_bound(text)


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


def test_the_bound_learns_upward_only() -> None:
    calibration = Calibration()
    parts = ["The warranty of the pump is two years."]
    before = calibration.bound(parts)
    calibration.learn(parts, 2 * before)
    raised = calibration.bound(parts)
    calibration.learn(parts, 3)

    assert raised >= 2 * before
    assert calibration.bound(parts) == raised
