"""Tool calls by schema: the schema of all tools, and what is read of an answer to it."""

import json
from datetime import date
from enum import StrEnum
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from agent.executives.replies.readers import CallReader, JsonReader, WordReader, reader_for
from agent.executives.schemas.calls import constrained, instructions, union
from agent.executives.schemas.telling import told
from graphs.errors import BrokenStreamError
from graphs.executive import CallPart, TextPart, Wish
from tools.base import Effect, ToolSpec


class Unit(StrEnum):
    DAYS = "days"
    WEEKS = "weeks"


class Span(BaseModel):
    count: int
    unit: Unit


class Shift(BaseModel):
    """Move a date."""

    model_config = ConfigDict(extra="forbid")

    date: str
    by: Span
    title: str = "none"


class Recall(BaseModel):
    query: str


def spec(name: str, arguments: type[BaseModel]) -> ToolSpec:
    return ToolSpec(
        name=name,
        description=f"Do\n  {name}.",
        parameters=arguments.model_json_schema(),
        effect=Effect.READ,
    )


TOOLS = [spec("shift", Shift), spec("recall", Recall)]


def test_each_tool_is_a_branch_that_names_it_before_its_arguments() -> None:
    schema = union(TOOLS, must_call=True)

    assert [branch["properties"]["tool"] for branch in schema["anyOf"]] == [
        {"const": "shift"},
        {"const": "recall"},
    ]
    for branch in schema["anyOf"]:
        assert list(branch["properties"]) == ["tool", "arguments"] == branch["required"]
        assert branch["additionalProperties"] is False


def test_an_answer_in_words_is_a_branch_unless_a_call_is_a_must() -> None:
    free = union(TOOLS, must_call=False)

    assert free["anyOf"][-1]["properties"] == {"answer": {"type": "string"}}
    assert len(union(TOOLS, must_call=True)["anyOf"]) == 2


def test_references_of_one_tool_do_not_meet_those_of_another() -> None:
    schema = union([*TOOLS, spec("shift_again", Shift)], must_call=True)
    text = json.dumps(schema)

    assert set(schema["$defs"]) == {
        f"{tool}.{name}" for tool in ("shift", "shift_again") for name in ("Span", "Unit")
    }
    assert '"$ref": "#/$defs/shift.Span"' in text
    assert '"$ref": "#/$defs/shift_again.Unit"' in text
    assert '"$ref": "#/$defs/Span"' not in text


def test_a_property_called_title_is_kept_and_titles_of_schemas_are_not() -> None:
    schema = constrained(Shift.model_json_schema())

    assert set(schema["properties"]) == {"date", "by", "title"}
    assert "title" not in schema
    assert schema["properties"]["title"] == {"type": "string"}


def test_an_object_has_no_properties_but_those_that_are_named() -> None:
    schema = constrained({"type": "object", "properties": {"a": {"type": "string"}}})

    assert schema["additionalProperties"] is False


def test_the_instructions_are_the_same_for_the_same_tools() -> None:
    text = instructions(TOOLS, must_call=False)

    assert text == instructions(list(TOOLS), must_call=False)
    by = 'by: {count: whole number, unit: "days" | "weeks"}'
    assert f"- shift(date: text, {by}, title?: text): Do shift." in text
    assert "- recall(query: text): Do recall." in text
    assert '{"answer": TEXT}' in text
    assert "answer" not in instructions(TOOLS, must_call=True)


def read(text: str, cut: int = 1) -> tuple[list[str], CallPart | None]:
    reader = CallReader()
    shown = [
        part.text
        for start in range(0, len(text), cut)
        for part in reader.feed(text[start : start + cut])
    ]
    return shown, reader.finish()


def test_a_call_is_given_when_it_is_whole_and_nothing_is_shown_of_it() -> None:
    shown, call = read('{"tool": "recall", "arguments": {"query": "x"}}')

    assert shown == []
    assert call is not None
    assert (call.name, call.arguments) == ("recall", {"query": "x"})


@given(st.text(alphabet=st.characters(codec="utf-8")), st.integers(1, 9), st.booleans())
def test_an_answer_is_shown_as_it_comes_letter_for_letter(
    answer: str, cut: int, escaped: bool
) -> None:
    shown, call = read(json.dumps({"answer": answer}, ensure_ascii=escaped), cut)

    assert "".join(shown) == answer
    assert call is None


@pytest.mark.parametrize(
    "text",
    [
        '{"tool": "recall"',
        "I would call recall.",
        "",
        '{"tool": 7, "arguments": {}}',
        '{"tool": "recall", "arguments": []}',
        '{"other": 1}',
        "[1]",
    ],
)
def test_what_the_schema_does_not_allow_is_a_call_with_a_fault(text: str) -> None:
    _, call = read(text)
    assert call is not None
    assert call.fault
    assert call.arguments == {}


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"tool": "recall", "arguments": {"query": "x"}}\n```',
        'Sure: {"tool": "recall", "arguments": {"query": "x",}}',
        "{'tool': 'recall', 'arguments': {'query': 'x'}}",
        '{"tool": "recall", "arguments": "{\\"query\\": \\"x\\"}"}',
    ],
)
def test_a_call_of_a_server_that_does_not_keep_to_the_schema_is_read_if_it_has_one_reading(
    text: str,
) -> None:
    shown, call = read(text)
    assert shown == []
    assert call is not None
    assert (call.name, call.arguments, call.fault) == ("recall", {"query": "x"}, "")


def test_json_that_was_asked_for_is_checked_and_words_are_not() -> None:
    json_reader, word_reader = JsonReader(), WordReader()

    assert json_reader.feed('{"a": 1') == [TextPart(text='{"a": 1')]
    with pytest.raises(BrokenStreamError, match="should be JSON"):
        json_reader.finish()
    assert word_reader.feed('{"tool"') == [TextPart(text='{"tool"')]
    assert word_reader.finish() is None


@pytest.mark.parametrize(
    ("wish", "by_schema", "kind"),
    [
        (Wish(), True, WordReader),
        (Wish(schema={}), False, JsonReader),
        (Wish(tools=TOOLS), True, CallReader),
        (Wish(tools=TOOLS), False, WordReader),
    ],
)
def test_the_wish_decides_how_the_answer_is_read(wish: Wish, by_schema: bool, kind: Any) -> None:
    assert isinstance(reader_for(wish, calls_by_schema=by_schema), kind)


def test_a_model_without_tools_of_its_own_is_told_what_each_argument_is() -> None:
    class Node(BaseModel):
        children: "list[Node]" = []

    class Wanted(BaseModel):
        day: date
        many: list[int] = Field(description="as many\n  as there are")
        either: int | str | None = None
        node: Node | None = None
        anything: Any = None
        letters: Literal[tuple("abcdefghijklmnop")] = "a"  # type: ignore[valid-type]  # made of a text

    text = told(Wanted.model_json_schema())

    assert text.startswith("day: YYYY-MM-DD, many: list of whole number (as many as there are), ")
    assert "either?: whole number or text, " in text
    assert "node?: {children?: list of " in text
    assert "anything?: any value, " in text
    assert text.endswith('| "l" | …')
