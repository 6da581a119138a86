"""Names of memories, as they are written and read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.item_names import item_uri, parsed, path, within

LABELS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1)


@given(st.lists(LABELS, min_size=1, max_size=4), LABELS)
def test_a_name_is_read_as_it_was_written(namespace: list[str], key: str) -> None:
    assert parsed(path(namespace, key)) == (*namespace, key)


@given(st.lists(LABELS, min_size=1, max_size=3), st.lists(LABELS, min_size=1, max_size=3))
def test_between_the_bounds_of_a_namespace_lies_all_that_is_below_it_and_no_more(
    one: list[str], other: list[str]
) -> None:
    bounds = within(one)
    assert bounds["prefix"] is not None
    assert bounds["beyond"] is not None
    inside = bounds["prefix"] <= other < bounds["beyond"]
    assert inside is (other[: len(one)] == one)


def test_nothing_bounds_the_whole_store() -> None:
    assert within(()) == {"prefix": None, "beyond": None}
    assert parsed("") == ()


def test_a_name_that_is_too_long_is_told_with_its_size() -> None:
    with pytest.raises(ValueError, match="have 3014 bytes, but at most 2000 can be indexed"):
        item_uri(("owner",), "x" * 3_001)
