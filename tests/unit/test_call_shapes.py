"""Malformed calls through the real graph, as any adapter hands them over."""

import pytest

from agent.bench.malformed import adapters, measure
from agent.bench.malformed.measure import Row
from agent.bench.malformed.table import SHAPES, Expected, Shape, entry
from agent.errors import AgentError


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
async def test_a_malformed_call_is_found_out_and_never_run_unvalidated(shape: Shape) -> None:
    (row,) = await measure.rows({"bare": adapters.bare}, [shape])
    assert measure.sound(row), row


def test_every_shape_has_a_name_of_its_own_and_there_are_more_than_twenty() -> None:
    assert len({shape.name for shape in SHAPES}) == len(SHAPES) > 20


async def test_a_right_call_is_no_malformed_one() -> None:
    """The check can fail: a shape that is none is not said to be detected."""
    right = Shape(name="right", expected=Expected.REFUSED, calls=[entry()])
    (row,) = await measure.rows({"bare": adapters.bare}, [right])
    assert not row.detected
    assert not measure.sound(row, [right])


async def test_a_check_of_nothing_fails() -> None:
    with pytest.raises(AgentError, match="Nothing was sent"):
        await measure.rows({})
    with pytest.raises(AgentError, match="Nothing was sent"):
        await measure.rows({"bare": adapters.bare}, [])


def test_the_table_says_what_went_wrong() -> None:
    name = SHAPES[0].name
    good = Row(shape=name, adapter="a", detected=True, outcome=SHAPES[0].expected, unvalidated=0)
    bad = Row(shape=name, adapter="b", detected=False, outcome="ran []", unvalidated=1)
    told = list(measure.lines(measure.report([good, bad])))
    assert told[1].endswith("WRONG: ran []")
    assert "mended, run" in told[1]
    assert told[-1] == (
        "1 malformed calls, met 2 times: 1 detected, 1 run unvalidated, 1 became what they have to"
    )
