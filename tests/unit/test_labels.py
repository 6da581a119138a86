"""Labels only rise."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.labels import (
    ENGINE_LABEL,
    EVERYONE,
    INSIDE,
    OWNER,
    USER_LABEL,
    Label,
    Origin,
    joined,
)

READERS = ("ann", "ben", OWNER)
AUDIENCES = st.one_of(st.just(frozenset({EVERYONE})), st.frozensets(st.sampled_from(READERS)))
LABELS = st.builds(Label, origins=st.frozensets(st.sampled_from(list(Origin))), audience=AUDIENCES)


def may_read(label: Label, reader: str) -> bool:
    return EVERYONE in label.audience or reader in label.audience


def at_least(high: Label, low: Label) -> bool:
    """Whether a label says all that the other says: its origins, and no reader more."""
    return high.origins >= low.origins and all(
        may_read(low, reader) for reader in (*READERS, "a stranger") if may_read(high, reader)
    )


@given(LABELS, LABELS)
def test_a_join_is_at_least_both(one: Label, other: Label) -> None:
    both = one.join(other)
    assert at_least(both, one)
    assert at_least(both, other)


@given(LABELS, LABELS, LABELS)
def test_a_join_rises_no_further_than_it_must(one: Label, other: Label, above: Label) -> None:
    if at_least(above, one) and at_least(above, other):
        assert at_least(above, one.join(other))


@given(LABELS, LABELS, LABELS)
def test_the_order_of_joins_does_not_matter(one: Label, other: Label, third: Label) -> None:
    assert one.join(other) == other.join(one)
    assert one.join(other).join(third) == one.join(other.join(third))
    assert one.join(one) == one


@given(st.lists(LABELS, max_size=5), LABELS)
def test_words_from_outside_stay_outside_whatever_they_meet(
    labels: list[Label], other: Label
) -> None:
    if any(label.outside for label in labels):
        assert joined([*labels, other]).outside


@given(LABELS)
def test_the_engine_adds_its_origin_and_takes_no_reader(label: Label) -> None:
    assert label.join(ENGINE_LABEL) == Label(
        origins=label.origins | {Origin.ENGINE}, audience=label.audience
    )


def test_the_join_of_nothing_is_the_engines_own() -> None:
    assert joined([]) == ENGINE_LABEL


@given(LABELS)
def test_a_label_survives_json(label: Label) -> None:
    assert Label.from_json(json.loads(json.dumps(label.to_json()))) == label


def test_an_origin_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="hearsay"):
        Label.from_json({"origins": ["user", "hearsay"], "audience": [OWNER]})


def test_only_the_user_and_the_engine_are_inside() -> None:
    assert {Origin.USER, Origin.ENGINE} == INSIDE
    for origin in Origin:
        assert Label(origins=frozenset({origin})).outside is (origin not in INSIDE)
    assert not USER_LABEL.outside
