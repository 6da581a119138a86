"""Arguments and the types of a tool: fitted where nothing is lost, else refused by name."""

import json
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from tools.calls.faults import CallError, Fault
from tools.calls.fitting import fitted
from tools.calls.limits import CHARACTERS_LIMIT, NESTING_LIMIT
from tools.calls.validation import validated


class Side(Enum):
    LEFT = "left"
    SECOND = 2


class Point(BaseModel):
    x: int = 0


class Label(BaseModel):
    text: str


class Tree(BaseModel):
    value: int
    children: "list[Tree]" = []


class Pair(NamedTuple):
    left: int
    right: str


class Wanted(BaseModel):
    whole: int = 0
    number: float = 0.0
    flag: bool = False
    words: str = ""
    many: list[int] = []
    point: Point | None = None
    either: Point | Label | None = None
    tree: Tree | None = None
    side: Side = Side.LEFT
    option: Literal[1, "one", True] = 1
    loose: int | str = 0
    odd: int | bool = 0
    day: date | None = None
    span: timedelta | None = None
    price: Decimal = Decimal(0)
    key: UUID | None = None
    pair: tuple[int, str] | None = None
    by_name: dict[str, float] = {}
    unique: set[int] = set()
    short: str | None = Field(default=None, max_length=3)
    named: int = Field(default=0, alias="namedAs")


class Needed(BaseModel):
    text: str
    note: str | None = None


WANTED = Wanted.model_json_schema()


def read(arguments: Any) -> dict[str, Any]:
    found, _ = validated("tool", Wanted, WANTED, arguments)
    return found.model_dump(exclude_unset=True)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"whole": "5"}, {"whole": 5}),
        ({"whole": "-12"}, {"whole": -12}),
        ({"whole": 5.0}, {"whole": 5}),
        ({"whole": "5.0"}, {"whole": 5}),
        ({"number": "0.1"}, {"number": 0.1}),
        ({"number": 5}, {"number": 5.0}),
        ({"number": "1e3"}, {"number": 1000.0}),
        ({"flag": "true"}, {"flag": True}),
        ({"flag": "False"}, {"flag": False}),
        ({"many": "[1, 2]"}, {"many": [1, 2]}),
        ({"many": ["1", 2.0]}, {"many": [1, 2]}),
        ({"many": "['1', 2,]"}, {"many": [1, 2]}),
        ({"point": '{"x": "3"}'}, {"point": {"x": 3}}),
        ({"either": {"text": "a"}}, {"either": {"text": "a"}}),
        ({"either": {"x": "1"}}, {"either": {"x": 1}}),
        ({"tree": {"value": "1", "children": '[{"value": 2.0}]'}},
         {"tree": {"value": 1, "children": [{"value": 2}]}}),
        ({"side": "left"}, {"side": Side.LEFT}),
        ({"side": "2"}, {"side": Side.SECOND}),
        ({"option": "one"}, {"option": "one"}),
        ({"option": "1"}, {"option": 1}),
        ({"option": "true"}, {"option": True}),
        ({"loose": "5"}, {"loose": "5"}),
        ({"odd": "5"}, {"odd": 5}),
        ({"odd": "true"}, {"odd": True}),
        ({"day": "2028-02-29"}, {"day": date(2028, 2, 29)}),
        ({"span": "P1D"}, {"span": timedelta(days=1)}),
        ({"price": "0.10"}, {"price": Decimal("0.10")}),
        ({"price": 0.1}, {"price": Decimal("0.1")}),
        ({"key": "12345678-1234-5678-1234-567812345678"},
         {"key": UUID("12345678-1234-5678-1234-567812345678")}),
        ({"pair": '["1", "a"]'}, {"pair": (1, "a")}),
        ({"by_name": {"a": "1.5"}}, {"by_name": {"a": 1.5}}),
        ({"unique": [1, 2]}, {"unique": {1, 2}}),
        ({"words": None, "whole": None}, {}),
        ({"short": None}, {"short": None}),
        ({"namedAs": "4"}, {"named": 4}),
        ({"words": "5", "short": "[1]"}, {"words": "5", "short": "[1]"}),
    ],
)  # fmt: skip
def test_what_fits_without_loss_is_fitted(given: dict[str, Any], found: dict[str, Any]) -> None:
    assert read(given) == found


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"whole": "5.5"}, "whole = '5.5'"),
        ({"whole": 5.5}, "whole = 5.5"),
        ({"whole": True}, "whole = True"),
        ({"whole": "true"}, "whole = 'true'"),
        ({"whole": "05"}, "whole = '05'"),
        ({"whole": " 5"}, "whole = ' 5'"),
        ({"whole": "five"}, "whole = 'five'"),
        ({"whole": "1e400"}, "whole = '1e400'"),
        ({"whole": 2.0**53 + 2}, "whole = 9007199254740994"),
        ({"whole": [5]}, "whole = [5]"),
        ({"number": True}, "number = True"),
        ({"number": "0.12345678901234567890123"}, "number = '0.1234567"),
        ({"number": "1,5"}, "number = '1,5'"),
        ({"number": "nan"}, "number = 'nan'"),
        ({"flag": "yes"}, "flag = 'yes'"),
        ({"flag": 1}, "flag = 1"),
        ({"flag": "1"}, "flag = '1'"),
        ({"words": 5}, "words = 5"),
        ({"words": True}, "words = True"),
        ({"words": ["a"]}, "words = ['a']"),
        ({"many": "1"}, "many = '1'"),
        ({"many": 1}, "many = 1"),
        ({"many": ["1", "x"]}, "many.1 = 'x'"),
        ({"many": [True]}, "many.0 = True"),
        ({"point": {"x": 1, "y": 2}}, "point.y = 2: there is no such argument"),
        ({"either": {"x": 1, "text": "a"}}, "no such argument"),
        ({"tree": {"value": 1, "children": [{"value": 1, "more": 2}]}}, "tree.children.0.more = 2"),
        ({"side": "LEFT"}, "side = 'LEFT'"),
        ({"option": "yes"}, "option"),
        ({"day": "tomorrow"}, "day = 'tomorrow'"),
        ({"day": 20260101}, "day = 20260101"),
        ({"short": "long"}, "short = 'long'"),
        ({"bcc": "x@example.org"}, "bcc = 'x@example.org': there is no such argument"),
        ({"named": 4}, "named = 4: there is no such argument"),
        ({"Whole": 1}, "Whole = 1: there is no such argument"),
        ({"who\u200ble": 1}, "no such argument"),
        ([], "all of them = []"),
        (None, "all of them = None"),
        ("x", "all of them = 'x'"),
    ],
)  # fmt: skip
def test_what_would_lose_or_guess_is_refused_by_name(given: Any, named: str) -> None:
    with pytest.raises(CallError) as caught:
        read(given)
    assert named in str(caught.value)
    assert caught.value.fault is Fault.ARGUMENTS


def test_a_field_that_must_be_there_is_asked_for_and_null_is_none() -> None:
    schema = Needed.model_json_schema()
    for arguments in ({}, {"text": None}, {"note": "x"}):
        with pytest.raises(CallError, match="text"):
            validated("tool", Needed, schema, arguments)
    assert validated("tool", Needed, schema, {"text": "a", "note": None})[1] == {
        "text": "a",
        "note": None,
    }


def test_a_model_that_allows_more_fields_gets_them() -> None:
    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")

        text: str

    found, plain = validated("tool", Open, Open.model_json_schema(), {"text": "a", "more": 1})
    assert plain == {"text": "a", "more": 1}
    assert found.model_dump() == plain


def test_a_tools_own_check_has_the_last_word() -> None:
    class Even(BaseModel):
        number: int

        @field_validator("number")
        @classmethod
        def even(cls, value: int) -> int:
            if value % 2:
                raise ValueError("it has to be even")
            return value

    schema = Even.model_json_schema()
    assert validated("tool", Even, schema, {"number": "4"})[1] == {"number": 4}
    with pytest.raises(CallError, match="it has to be even"):
        validated("tool", Even, schema, {"number": "5"})


def test_two_readings_of_a_union_are_not_chosen_between() -> None:
    schema = TypeAdapter(list[int] | dict[str, int]).json_schema()
    assert fitted("[1]", schema).value == [1]
    mixed = TypeAdapter(Annotated[float, Field()] | bool | list[int]).json_schema()
    assert fitted("1", mixed).value == 1
    assert not fitted("maybe", mixed).whole


@pytest.mark.parametrize(
    "given",
    [
        {"words": "x" * CHARACTERS_LIMIT},
        {"by_name": {str(number): 1.0 for number in range(CHARACTERS_LIMIT // 4)}},
        {"tree": json.loads('{"value":1,"children":[' * 40 + "]}" * 40)},
    ],
)
def test_what_is_too_large_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(CallError) as caught:
        read(given)
    assert caught.value.fault is Fault.TOO_LARGE
    assert len(str(caught.value)) < 300


def test_text_within_text_does_not_get_around_the_limit_of_nesting() -> None:
    deep: Any = 1
    for _ in range(NESTING_LIMIT + 2):
        deep = {"value": 1, "children": [deep]} if isinstance(deep, dict) else {"value": 1}
    with pytest.raises(CallError):
        read({"tree": json.dumps(deep)})


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
ANYTHING = st.recursive(
    SCALARS | st.sampled_from(["1", "true", "null", "[1]", '{"x": 1}', "1.0", "left"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*Wanted.model_fields, "namedAs", "bcc"]), ANYTHING))
def test_whatever_comes_is_refused_or_means_the_same_the_second_time(given: Any) -> None:
    try:
        found, plain = validated("tool", Wanted, WANTED, given)
    except CallError:
        return
    again, same = validated("tool", Wanted, WANTED, plain)
    assert again == found
    assert same == plain
    assert set(plain) <= set(given)


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_in_quotes_is_that_number_or_refused(number: float) -> None:
    fit = fitted(json.dumps(number), {"type": "number"})
    assert fit.whole
    assert fit.value == number


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans())
def test_what_becomes_a_whole_number_was_one(given: float) -> None:
    fit = fitted(given, {"type": "integer"})
    if fit.whole:
        assert fit.value == given
        assert type(fit.value) is int
        assert not isinstance(given, bool)
