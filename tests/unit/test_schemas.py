"""Schemas as grammars can hold them: nothing in doubt is left in, and every answer has an end."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter

from agent.executives.schemas.calls import constrained
from agent.executives.schemas.patterns import FORMATS, expressible
from agent.executives.schemas.recursion import LEVELS, unrolled

KNOWN = frozenset(
    """type properties required additionalProperties patternProperties items prefixItems minItems
    maxItems anyOf allOf $ref $defs enum const minLength maxLength pattern minimum maximum
    exclusiveMinimum exclusiveMaximum multipleOf""".split()
)
"""Keywords that llguidance holds; on another it drops the whole grammar without a word."""


class Node(BaseModel):
    value: int
    children: "list[Node]" = []


class Chain(BaseModel):
    next: "Chain | None" = None


class Left(BaseModel):
    right: "Right | None" = None


class Right(BaseModel):
    left: Left
    by_name: dict[str, Left] = {}


class Endless(BaseModel):
    again: "Endless"


def nodes(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every schema within a schema."""
    if isinstance(schema, list):
        for one in schema:
            yield from nodes(one)
    elif isinstance(schema, Mapping):
        yield schema
        for key, value in schema.items():
            if key in ("properties", "patternProperties", "$defs"):
                yield from nodes(list(value.values()))
            elif key not in ("const", "enum", "required"):
                yield from nodes(value)


def schema_of(kind: Any) -> dict[str, Any]:
    return TypeAdapter(kind).json_schema()


@pytest.mark.parametrize("kind", [Node, Chain, Left, Right, list[Node], dict[str, Chain]])
def test_what_refers_to_itself_is_written_out_to_a_depth(kind: Any) -> None:
    schema = schema_of(kind)
    flat = unrolled(schema)
    definitions = flat["$defs"]
    seen: list[str] = []

    def depth(one: Any) -> int:
        deepest = 0
        for node in nodes(one):
            if "$ref" in node:
                name = node["$ref"].removeprefix("#/$defs/")
                assert name in definitions, "every reference leads somewhere"
                assert seen.count(name) < 1, "no definition leads back to itself"
                seen.append(name)
                deepest = max(deepest, 1 + depth(definitions[name]))
                seen.pop()
        return deepest

    rest = {key: value for key, value in flat.items() if key != "$defs"}
    assert 1 < depth(rest) <= 2 * LEVELS + 1


def test_at_the_end_of_the_depth_only_what_needs_no_more_is_left() -> None:
    last = unrolled(schema_of(Node))["$defs"][f"Node.{LEVELS - 1}"]
    assert last["properties"]["children"] == {"const": []}
    end = unrolled(schema_of(Chain))["$defs"][f"Chain.{LEVELS - 1}"]
    assert [branch["type"] for branch in end["properties"]["next"]["anyOf"]] == ["null"]


def test_what_has_no_finite_value_stays_as_it_is() -> None:
    schema = schema_of(Endless)
    assert unrolled(schema) is schema


def test_what_does_not_refer_to_itself_stays_as_it_is() -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {}}}
    assert unrolled(schema) is schema


KEYS = st.sampled_from(
    """type properties required items prefixItems minItems maxItems minLength maxLength pattern
    format minimum multipleOf uniqueItems propertyNames contains not oneOf title default examples
    description discriminator minProperties deprecated readOnly contentMediaType x-own""".split()
)


@given(
    st.recursive(
        st.sampled_from([schema_of(kind) for kind in (int, str, float, set[int], bytes)]),
        lambda inner: st.one_of(
            st.builds(lambda one: {"type": "array", "items": one, "uniqueItems": True}, inner),
            st.builds(lambda one: {"type": "object", "properties": {"title": one}}, inner),
            st.builds(lambda one: {"type": "object", "additionalProperties": one}, inner),
            st.builds(lambda many: {"oneOf": many}, st.lists(inner, min_size=1, max_size=3)),
            st.builds(lambda one, key: {**one, key: key}, inner, st.just("x-own")),
        ),
        max_leaves=6,
    ),
    st.booleans(),
)
@settings(deadline=None)
def test_only_keywords_that_a_grammar_holds_are_left(schema: Any, rich: bool) -> None:
    for node in nodes(constrained(schema, rich=rich)):
        assert set(node) <= KNOWN or node == {"description": "any value"}


def test_numbers_come_to_an_end_whatever_their_bounds() -> None:
    kinds: list[Any] = [
        int,
        float,
        Annotated[int, Field(ge=5)],
        Annotated[float, Field(lt=-2e15)],
        Annotated[int, Field(gt=10**17)],
        Annotated[float, Field(ge=0, le=1e-9)],
    ]
    for kind in kinds:
        found = constrained(schema_of(kind), rich=True)
        low = found.get("minimum", found.get("exclusiveMinimum"))
        high = found.get("maximum", found.get("exclusiveMaximum"))
        assert low is not None
        assert high is not None
        assert low < high
        if found["type"] == "number" and high - low >= 1:
            assert found["multipleOf"] == 1e-06


def test_only_llama_cpp_in_process_is_given_what_other_converters_do_not_know() -> None:
    schema = schema_of(dict[str, Annotated[str, Field(pattern=r"\d+", max_length=5_000)]])
    assert constrained(schema, rich=True)["additionalProperties"] == {
        "type": "string",
        "pattern": r"\d+",
        "maxLength": 5_000,
    }
    assert constrained(schema)["additionalProperties"] == {"type": "string"}


def test_what_may_be_anything_is_not_taken_for_an_object() -> None:
    schema = TypeAdapter(dict[str, Any]).json_schema()
    assert constrained(schema)["additionalProperties"] == {"description": "any value"}
    assert constrained(schema, rich=True)["additionalProperties"] == {}


def test_a_dictionary_with_named_keys_has_these_fields_and_no_others() -> None:
    found = constrained(schema_of(dict[Literal["a", "b"], int]))
    assert set(found["properties"]) == {"a", "b"}
    assert found["additionalProperties"] is False
    assert "required" not in found


@pytest.mark.parametrize(
    ("pattern", "rich", "plain"),
    [
        ("^(book|article)$", "^(book|article)$", "^(book|article)$"),
        (r"^\d{4}-[a-z]+$", r"^\d{4}-[a-z]+$", "^[0-9]{4}-[a-z]+$"),
        (r"^[\w.]+$", r"^[\w.]+$", "^[A-Za-z0-9_.]+$"),
        ("a+", "a+", None),
        (r"^\$$", r"^\$$", r"^\$$"),
        (r"x\$", r"x\$", None),
        (r"^\p{L}+$", None, None),
        (r"\bword\b", None, None),
        ("^(?=x)y$", None, None),
        ("^(?!x)y$", None, None),
        ("^(?:ab)+$", "^(?:ab)+$", None),
        ("^(?i)x$", None, None),
        (r"^(a)\1$", None, None),
        ("^a{1,5000}$", None, None),
        ("^a$|^b$", None, None),
        ("^[a^$]+$", "^[a^$]+$", "^[a^$]+$"),
        ("^[^a]+$", "^[^a]+$", None),
        ("^a.c$", "^a.c$", None),
        ('^"a"$', '^"a"$', None),
        (r"^a\\b$", r"^a\\b$", None),
        (r"^a\/b$", r"^a\/b$", None),
        ("^[a", None, None),
    ],
)
def test_a_pattern_is_written_as_a_grammar_takes_it_or_left_out(
    pattern: str, rich: str | None, plain: str | None
) -> None:
    assert expressible(pattern, rich=True) == rich
    assert expressible(pattern, rich=False) == plain


def test_patterns_of_formats_are_in_every_grammars_reach() -> None:
    for name, pattern in FORMATS.items():
        assert expressible(pattern, rich=False) == pattern, name
        assert re.compile(pattern)
