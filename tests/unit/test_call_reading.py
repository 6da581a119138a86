"""An object out of what is nearly JSON: read in one way, or refused with the reason."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.calls.faults import CallError, Fault
from tools.calls.limits import CHARACTERS_LIMIT, NESTING_LIMIT
from tools.calls.reading import read_object, read_value

FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(), JSON, max_size=4)


def same(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@settings(deadline=None)
@given(OBJECTS, st.booleans())
def test_json_is_taken_as_it_is(value: dict[str, Any], escaped: bool) -> None:
    read = read_object(json.dumps(value, ensure_ascii=escaped))
    assert same(read.value, value)
    assert read.mended == ()


PLAIN = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\\'\"{}[]`"))
WRITTEN = st.dictionaries(
    PLAIN,
    st.none() | st.booleans() | st.integers() | PLAIN | st.lists(st.integers(), max_size=3),
    max_size=4,
)


@settings(deadline=None)
@given(WRITTEN)
def test_what_python_writes_is_read_as_python_means_it(value: dict[str, Any]) -> None:
    written = repr(value)
    if "\\" in written:  # an escape that JSON does not know has no second reading here
        return
    assert same(read_object(written).value, value)


@settings(deadline=None)
@given(OBJECTS, st.sampled_from(["", "json", "JSON"]))
def test_a_code_fence_changes_nothing(value: dict[str, Any], word: str) -> None:
    text = json.dumps(value)
    if "```" in text:
        return
    assert same(read_object(f"```{word}\n{text}\n```").value, value)


@settings(deadline=None)
@given(OBJECTS)
def test_json_within_a_json_string_is_that_json(value: dict[str, Any]) -> None:
    once = json.dumps(json.dumps(value))
    assert same(read_object(once).value, value)
    assert same(read_object(json.dumps(once)).value, value)


@settings(deadline=None)
@given(st.dictionaries(st.text(min_size=1), JSON, min_size=1, max_size=4), st.data())
def test_an_object_that_was_cut_short_is_never_read(value: dict[str, Any], data: Any) -> None:
    text = json.dumps(value)
    cut = data.draw(st.integers(1, len(text) - 1))
    with pytest.raises(CallError):
        read_object(text[:cut])


@pytest.mark.parametrize(
    ("text", "value", "mended"),
    [
        ('{"a": 1,}', {"a": 1}, ("a trailing comma",)),
        ('{"a": [1, 2, ], }', {"a": [1, 2]}, ("a trailing comma",)),
        ("{'a': 'x', \"b\": True}", {"a": "x", "b": True}, ("Python's words", "single quotes")),
        ("{'say': \"it's\"}", {"say": "it's"}, ("single quotes",)),
        ("{'say': 'it\\'s \"so\"'}", {"say": "it's \"so\""}, ("single quotes",)),
        ("{'x': None}", {"x": None}, ("Python's words", "single quotes")),
        ('Sure, here it is: {"a": 1}. Done.', {"a": 1}, ("words around it",)),
        ('```json\n{"a": 1}\n```', {"a": 1}, ("a code fence",)),
        (
            'Here:\n```\n{"a": 1,}\n```',
            {"a": 1},
            ("a code fence", "words around it", "a trailing comma"),
        ),
        ('{"a": "two\nlines"}', {"a": "two\nlines"}, ()),
        ('{"a": 1, "a": 1}', {"a": 1}, ()),
    ],
)  # fmt: skip
def test_what_has_one_reading_is_mended_and_said(
    text: str, value: Any, mended: tuple[str, ...]
) -> None:
    read = read_object(text)
    assert same(read.value, value)
    assert read.mended == mended


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "holds no object"),
        ("I would search.", "holds no object"),
        ("[1]", "a list, not an object"),
        ('[{"a": 1}]', "a list, not an object"),
        ("null", "null, not an object"),
        ("5", "a number, not an object"),
        ('{"a": 1}{"a": 2}', "more than one object"),
        ('{"a": 1} or {"a": 2}', "more than one object"),
        ('{"a": 1}}', "brackets without their partner"),
        ('```\n{"a": 1}\n```\n```\n{"a": 2}\n```', "several code blocks"),
        ('{"b": 2} ```{"a": 1}```', "more than one object"),
        ('{"a": {"b": 1}', "ends in the middle"),
        ('{"a": "x', "string without an end"),
        ("{'a': 'it's'}", "end is not clear"),
        ('{"a": "she said "yes" to it"}', "end is not clear"),
        ("{a: 1}", "word without quotes"),
        ('{"a": yes}', "word without quotes"),
        ('{"a": 1 "b": 2}', "lacks ','"),
        ('{"a": 1, "a": 2}', "'a' twice"),
        ("{'a': 1, 'a': 2}", "'a' twice"),
        ('{"a": 1, "a": true}', "'a' twice"),
        ('{"a": NaN}', "NaN"),
        ('{"a": 1_000}', "word without quotes"),
        ("{1: 2}", "a name in quotes"),
        ('See {x}: {"a": 1}', "word without quotes"),
        ("{'a': '\\x41'}", "cannot be read"),
        ('{"a": ' + "1" * 5_000 + "}", "number that is too long"),
    ],
)
def test_what_has_no_reading_or_two_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(CallError) as caught:
        read_object(text)
    assert reason in str(caught.value)
    assert caught.value.fault is Fault.UNREADABLE


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"a": "x" * CHARACTERS_LIMIT}),
        '{"a":' * (NESTING_LIMIT + 2) + "1" + "}" * (NESTING_LIMIT + 2),
        '{"a":' * 50_000,
        "[" * 5_000,
    ],
)
def test_what_is_too_long_or_too_deep_is_refused_at_once(text: str) -> None:
    with pytest.raises(CallError) as caught:
        read_object(text)
    assert len(str(caught.value)) < 500


def test_a_value_of_any_kind_can_be_read() -> None:
    assert read_value("[1, 2,]") == [1, 2]
    assert read_value('"x"') == "x"
