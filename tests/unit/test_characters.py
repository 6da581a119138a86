from hypothesis import given
from hypothesis import strategies as st

from memory.characters import storable, storable_json

ANY_CHARACTER = st.characters(categories=None)


@given(st.text(ANY_CHARACTER))
def test_a_stored_text_has_the_length_of_the_original_and_can_be_written(text: str) -> None:
    stored = storable(text)
    assert len(stored) == len(text)
    assert b"\x00" not in stored.encode("utf-8")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_a_text_without_fault_is_stored_letter_for_letter(text: str) -> None:
    assert storable(text) == text


def test_faults_within_json_are_found() -> None:
    value = {"heading": ["a\x00b", {"part": "\ud800"}], "page": 3, "box": None}
    assert storable_json(value) == {
        "heading": ["a\ufffdb", {"part": "\ufffd"}],
        "page": 3,
        "box": None,
    }
