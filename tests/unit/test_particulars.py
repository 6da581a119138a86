"""What a claim and its source must share exactly."""

import pytest

from graphs.particulars import calendar, denies, measures, shared


@pytest.mark.parametrize(
    "texts",
    [
        ["on Tuesday", "dienstags", "am Dienstag", "星期二", "TUESDAY"],
        ["30 June", "30. Juni", "in june", "2026-06-30", "30.06.2026", "6月30日", "六月三十日"],
        ["5 May", "may 5", "in May", "the fifth of may", "5月"],
        ["the first of march", "march 3", "im März"],
    ],
)
def test_a_day_or_month_is_the_same_in_each_language(texts: list[str]) -> None:
    found = [calendar(text) for text in texts]
    assert len(found[0]) == 1
    assert all(one == found[0] for one in found)


@pytest.mark.parametrize(
    "text", ["you may go", "they march on", "an august sight", "three months", "三个月", "Maier"]
)
def test_what_only_looks_like_a_month_is_none(text: str) -> None:
    assert not calendar(text)


def test_months_are_told_apart() -> None:
    assert calendar("十一月") == calendar("November") != calendar("一月")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("6 weeks", "six-week"),
        ("6 Wochen", "6 weeks"),
        ("三个月", "3 months"),
        ("€5", "5 euros"),
        ("20 °C", "20°C"),
        ("2 h", "two hours"),
        ("5 %", "5 percent"),
    ],
)
def test_a_measure_is_the_same_however_it_is_written(one: str, other: str) -> None:
    assert measures(one) == measures(other) != {}


@pytest.mark.parametrize(
    "text",
    [
        "It is not",
        "never",
        "no limit",
        "cannot",
        "it doesn’t",
        "kein Limit",
        "nicht",
        "不能",
        "没有",
    ],
)
def test_a_denial_is_seen(text: str) -> None:
    assert denies(text)


@pytest.mark.parametrize(
    "text", ["No, it is open", "Nein, es ist offen", "No. 5", "note", "knot", "非常好", "nothing's"]
)
def test_what_denies_nothing(text: str) -> None:
    assert denies(text) is (text == "nothing's")


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("every 6 weeks", "every six weeks"),
        ("costs 1,250", "1250.00 EUR"),
        ("alle sechs Wochen", "every six weeks"),
        ("on Tuesday, 30 June 2026", "Dienstag, 30.06.2026"),
        ("28 guests", "28 Kinder"),
        ("no number", "9 numbers"),
    ],
)
def test_what_agrees(claim: str, source: str) -> None:
    assert shared(claim, source)


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("every 9 weeks", "every six weeks"),
        ("every 6 months", "every six weeks"),
        ("every ninety days", "every nine days"),
        ("每九个月", "每三个月"),
        ("5 dollars", "5 euros"),
        ("on Tuesday", "on Thursday"),
        ("in July", "in June"),
        ("1250", "1.25"),
        ("12", "1,250"),
    ],
)
def test_what_differs(claim: str, source: str) -> None:
    assert not shared(claim, source)


def test_what_was_asked_for_may_stand_beside_the_source_but_nowhere_else() -> None:
    claim, source, asked = "Invoice 17 totals 199.32", "Total 199.32", "What does invoice 17 total?"
    assert not shared(claim, source)
    assert not shared(claim, source, asked=asked, beside="Invoice 18")
    assert not shared(claim, source, asked="What is the total?", beside="Invoice 17")
    assert shared(claim, source, asked=asked, beside="Invoice 17")
