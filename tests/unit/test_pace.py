"""How fast work goes, and how long the rest will take."""

import pytest

from tools.ingest_report import IngestProgress, Outcome, Tally
from tools.ingestion.pace import FILE_BYTES, Pace


def test_nothing_is_promised_at_first() -> None:
    pace = Pace(100, now_s=0)
    pace.advance(10, now_s=1)
    assert pace.rate(now_s=2) is None
    assert pace.left_s(now_s=2) is None


def test_the_rest_takes_as_long_as_the_rate_says() -> None:
    pace = Pace(100, now_s=0)
    for second in range(1, 11):
        pace.advance(5, now_s=second)
    assert pace.rate(now_s=10) == pytest.approx(5)
    assert pace.left_s(now_s=10) == pytest.approx(10)


def test_the_rate_follows_a_change_within_its_window_and_not_at_once() -> None:
    pace = Pace(10_000, now_s=0)
    for second in range(1, 61):
        pace.advance(100, now_s=second)
    pace.advance(10, now_s=61)
    slowing = pace.rate(now_s=61)
    assert slowing is not None
    assert 90 < slowing < 100
    for second in range(62, 95):
        pace.advance(10, now_s=second)
    assert pace.rate(now_s=94) == pytest.approx(10)


def test_a_standstill_makes_the_rest_longer() -> None:
    pace = Pace(100, now_s=0)
    for second in range(1, 11):
        pace.advance(5, now_s=second)
    later = pace.left_s(now_s=20)
    assert later is not None
    assert later == pytest.approx(20)


def test_a_large_file_weighs_more_than_a_small_one_and_counts_while_it_is_taken_apart() -> None:
    told: list[IngestProgress] = []
    now_s = [0.0]
    tally = Tally(told.append, timer=lambda: now_s[0])
    tally.expect([1_000_000, 0], settled=3)
    for step in range(1, 6):
        now_s[0] = 2.0 * step
        tally.advance("file:///box", "box", 100_000)
    halfway = told[-1]
    assert (halfway.done, halfway.total, halfway.outcome) == (0, 5, None)
    assert halfway.left_s == pytest.approx(10, rel=0.03)
    tally.done("file:///box", "box", 1_000_000, Outcome.READ)
    assert told[-1].left_s == pytest.approx(10 * FILE_BYTES / (1_000_000 + FILE_BYTES))
