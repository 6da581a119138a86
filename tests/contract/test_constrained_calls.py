"""Calls bound to a schema, by the real llama.cpp: valid whatever schema a user may write."""

import asyncio
import math
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from enum import Enum
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage
from pydantic import BaseModel, ConfigDict, Field, create_model

from agent.executives.llamacpp.executive import LlamaCppExecutive
from graphs.executive import CallPart, EndPart, EndReason, Prompt, ReplyPart, Wish
from memory.labels import ENGINE_LABEL
from tools.base import Effect, Tool, ToolContext, ToolResult
from tools.registry import Toolbox


class Colour(Enum):
    RED = "red"
    TWO = 2


class Tree(BaseModel):
    name: str = Field(max_length=6)
    children: "list[Tree]" = Field(default=[], max_length=2)


class Chain(BaseModel):
    value: bool
    next: "Chain | None" = None


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(ge=0, le=9)


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str = Field(pattern="^[A-Z][a-z]{2,5}$")


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]

PLAIN: list[Any] = [
    bool,
    int,
    float,
    type(None),
    date,
    datetime,
    time,
    timedelta,
    UUID,
    IPv4Address,
    Colour,
    Literal["a", "b", 3],
    Tree,
    Chain,
    Pet,
    Annotated[str, Field(max_length=8)],
    Annotated[str, Field(min_length=2, max_length=5)],
    Annotated[str, Field(pattern=r"^\d{2}-[a-z]{1,3}$")],
    Annotated[str, Field(pattern="^(on|off)$")],
    Annotated[int, Field(ge=-5, le=5)],
    Annotated[int, Field(gt=3, multiple_of=5, lt=90)],
    Annotated[float, Field(ge=0, le=1)],
    Annotated[float, Field(gt=0)],
    Annotated[list[int], Field(min_length=2, max_length=3)],
    tuple[int, Annotated[str, Field(max_length=4)]],
    dict[Literal["x", "y"], bool],
]


def _listed(inner: Any) -> Any:
    return Annotated[list[inner], Field(max_length=2)]


def _set(inner: Any) -> Any:
    return Annotated[set[inner], Field(max_length=2)]


def _model(fields: list[tuple[Any, bool]]) -> Any:
    """Make a nested model; a field that is optional has a default."""
    named: dict[str, Any] = {
        f"field_{number}": (kind | type(None), None) if optional else (kind, ...)
        for number, (kind, optional) in enumerate(fields)
    }
    return create_model("Inner", __config__=ConfigDict(extra="forbid"), **named)


KINDS = st.recursive(
    st.sampled_from(PLAIN),
    lambda inner: st.one_of(
        inner.map(_listed),
        st.sampled_from([int, bool, Literal["a", "b"]]).map(_set),
        st.tuples(inner, st.sampled_from([int, bool, type(None)])).map(
            lambda both: both[0] | both[1]
        ),
        st.lists(st.tuples(inner, st.booleans()), min_size=1, max_size=3).map(_model),
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def executive() -> Iterator[LlamaCppExecutive]:
    made = LlamaCppExecutive.embedded(context_tokens=2_048)
    yield made
    asyncio.run(made.aclose())


async def _never(_: Any, __: ToolContext) -> ToolResult:
    return ToolResult(text="", ok=True, label=ENGINE_LABEL)


def tool(arguments: Any) -> Tool[Any]:
    return Tool(name="act", description="Act.", arguments=arguments, effect=Effect.READ, run=_never)


def asked(
    executive: LlamaCppExecutive, box: Toolbox, *, tokens: int, number: int
) -> list[ReplyPart]:
    wish = Wish(tools=box.specs(), must_call=True, max_tokens=tokens, temperature=0.9, seed=number)
    prompt = Prompt(system="You act.", messages=(HumanMessage("Do something surprising."),))

    async def gather() -> list[ReplyPart]:
        return [part async for part in executive.stream(prompt, wish)]

    return asyncio.run(gather())


def test_a_bound_call_is_valid_whatever_the_schema(
    executive: LlamaCppExecutive, amount: Callable[[int, int], int]
) -> None:
    ends: list[EndReason] = []

    @seed(20260302)
    @settings(max_examples=amount(10, 500), deadline=None, phases=[Phase.generate])
    @given(st.lists(st.tuples(KINDS, st.booleans()), min_size=1, max_size=3), st.integers(0, 9_999))
    def check(fields: list[tuple[Any, bool]], number: int) -> None:
        box = Toolbox([tool(_model(fields))])
        parts = asked(executive, box, tokens=400, number=number)
        end = parts[-1]
        assert isinstance(end, EndPart)
        ends.append(end.reason)
        calls = [part for part in parts if isinstance(part, CallPart)]
        if end.reason is EndReason.LENGTH:
            assert not calls, "what was cut off is no call"
            return
        (call,) = calls
        assert not call.fault
        box.validate(call.name, call.arguments)

    check()
    assert ends.count(EndReason.CALLS) > 0.9 * len(ends), "nearly all come to their end"


class Odd(BaseModel):
    """Constraints that no grammar holds: they are validated afterwards, and do not break it."""

    model_config = ConfigDict(extra="forbid", regex_engine="python-re")

    word: Annotated[str, Field(pattern="^(?!x)[a-z]{1,4}$", max_length=4)]
    unique: Annotated[set[int], Field(min_length=1, max_length=3)]
    keys: dict[Annotated[str, Field(pattern=r"(?<=a)\bb")], int] = {}
    address: Annotated[str, Field(json_schema_extra={"format": "unheard-of"}, max_length=9)] = ""


def test_what_no_grammar_holds_does_not_set_the_model_free(executive: LlamaCppExecutive) -> None:
    box = Toolbox([tool(Odd)])
    for number in range(3):
        parts = asked(executive, box, tokens=300, number=number)
        end = parts[-1]
        assert isinstance(end, EndPart)
        if end.reason is EndReason.LENGTH:
            continue
        (call,) = [part for part in parts if isinstance(part, CallPart)]
        # Nor does a grammar hold that a free name is written once: such a call goes back.
        assert not call.fault or "twice" in call.fault
        assert call.fault or {"word", "unique"} <= set(call.arguments)


def test_a_number_without_bounds_comes_to_its_end(executive: LlamaCppExecutive) -> None:
    class Numbers(BaseModel):
        model_config = ConfigDict(extra="forbid")

        whole: int
        real: float

    box = Toolbox([tool(Numbers)])
    for number in range(5):
        parts = asked(executive, box, tokens=120, number=number)
        (call,) = [part for part in parts if isinstance(part, CallPart)]
        assert math.isfinite(call.arguments["real"])
        box.validate(call.name, call.arguments)
