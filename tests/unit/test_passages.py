import pytest

from memory.errors import PassageTooLongError
from memory.passages import columns, matched, prepared
from memory.testing import text_document


def stored(*texts: str) -> list[tuple[int, bytes]]:
    rows = prepared(text_document("old", *texts))
    return [(100 + row.ordinal, row.content_key) for row in rows]


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        (["a", "b"], ["a", "b"], {0: 100, 1: 101}),
        (["a", "b"], ["b", "a"], {0: 101, 1: 100}),
        (["a", "b", "c"], ["a", "x", "c"], {0: 100, 2: 102}),
        (["a"], ["x", "a"], {1: 100}),
        (["a", "a"], ["a", "a", "a"], {0: 100, 1: 101}),
        (["a", "a", "b"], ["a", "b"], {0: 100, 1: 102}),
        (["a"], [], {}),
        ([], ["a"], {}),
    ],
)
def test_passages_that_stay_keep_their_ids(
    old: list[str], new: list[str], kept: dict[int, int]
) -> None:
    assert matched(stored(*old), prepared(text_document("new", *new))) == kept


def test_another_context_makes_another_passage() -> None:
    renamed = prepared(text_document("new", "a", title="Renamed"))
    assert matched(stored("a"), renamed) == {}


def test_columns_stand_in_the_order_of_the_rows() -> None:
    values = columns(prepared(text_document("x", "first", "second")))
    assert values["ordinals"] == [0, 1]
    assert values["texts"] == ["first", "second"]
    assert values["words"] == ["first", "second"]


def test_a_passage_too_long_to_index_is_refused_by_name() -> None:
    with pytest.raises(PassageTooLongError, match=r"Passage 1 of book\.txt has 8,001 characters"):
        prepared(text_document("book.txt", "short", "x" * 8_001))
