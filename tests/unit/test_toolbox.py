"""Tools by name, and arguments that fit."""

from collections.abc import Callable
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from tools.base import Effect, Tool, ToolContext, ToolError, ToolResult
from tools.clock import DATES, NOW
from tools.registry import Toolbox


class Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=20)
    many: int = 1
    side: Literal["left", "right"] = "left"


async def _run(_: Wanted, __: ToolContext) -> ToolResult:
    raise AssertionError("nothing is run here")


async def _never(_: Any, __: ToolContext) -> ToolResult:
    raise AssertionError("nothing is run here")


def tool(name: str) -> Tool[Wanted]:
    return Tool(name=name, description=name, arguments=Wanted, effect=Effect.READ, run=_run)


def test_tools_keep_their_order_and_are_told_to_the_executive() -> None:
    box = Toolbox([NOW, DATES])
    assert box.names == ("now", "dates")
    assert [spec.name for spec in box.specs()] == ["now", "dates"]
    assert [spec.name for spec in box.specs(["dates", "unknown"])] == ["dates"]
    parameters = box.specs(["dates"])[0].parameters
    assert parameters["additionalProperties"] is False
    assert parameters["required"] == ["operation", "start"]


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="'same'"):
        Toolbox([tool("same"), tool("same")])


@pytest.mark.parametrize("name", ["Same", "s\N{CYRILLIC SMALL LETTER A}me", "sa-me"])
def test_two_tools_whose_names_look_alike_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="look alike"):
        Toolbox([tool("same"), tool(name)])


def test_tools_of_two_namespaces_may_have_the_same_name_in_them() -> None:
    assert Toolbox([tool("mail.search"), tool("files.search")]).names == (
        "mail.search",
        "files.search",
    )


def test_arguments_without_a_json_schema_are_refused_with_the_tools_name() -> None:
    class Odd(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)

        lock: Callable[[], int]

    odd = Tool(name="odd", description="", arguments=Odd, effect=Effect.READ, run=_never)
    with pytest.raises(ValueError, match="'odd' have no JSON schema"):
        Toolbox([odd])


@pytest.mark.parametrize(
    "name", ["Post", "post ", "p\N{GREEK SMALL LETTER OMICRON}st", "", "post\0"]
)
def test_a_name_that_only_looks_like_a_tools_is_not_found(name: str) -> None:
    with pytest.raises(ToolError, match="The tools are: post, other"):
        Toolbox([tool("post"), tool("other")]).get(name)


def test_arguments_that_fit_are_typed() -> None:
    found = Toolbox([tool("post")]).validate("post", {"text": "hi", "many": "3"})
    assert found.tool.name == "post"
    assert found.arguments == Wanted(text="hi", many=3)
    assert found.plain == {"text": "hi", "many": 3}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "text: Field required"),
        ({"text": 1}, "text = 1: Input should be a valid string"),
        ({"text": "hi", "many": "few"}, "many = 'few': Input should be a valid integer"),
        ({"text": "hi", "bcc": "x"}, "bcc = 'x': there is no such argument"),
        ({"text": "hi", "side": "up"}, "side = 'up': Input should be 'left' or 'right'"),
        ([], "all of them = []: Input should be an object"),
        (None, "all of them = None: Input should be an object"),
    ],
)
def test_arguments_that_do_not_fit_are_named_with_what_is_wrong(arguments: Any, said: str) -> None:
    with pytest.raises(ToolError) as caught:
        Toolbox([tool("post")]).validate("post", arguments)
    assert said in str(caught.value)
    assert str(caught.value).endswith("Its arguments are: text, many, side.")
    assert "https://" not in str(caught.value), "an address is of no use to a model"


def test_a_message_on_arguments_stays_short() -> None:
    with pytest.raises(ToolError) as caught:
        Toolbox([tool("post")]).validate("post", {"text": "x" * 10_000})
    assert len(str(caught.value)) < 300
