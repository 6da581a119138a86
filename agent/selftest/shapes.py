"""Answers by schema: whether they hold it, and whether they say what the text says."""

from collections.abc import Mapping
from typing import Any, Literal

from langchain_core.messages import HumanMessage
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.selftest import samples
from agent.selftest.section import Box, Section, each
from graphs.executive import Executive, Prompt, Wish
from graphs.reply import ask

SYSTEM = "You take down what a bill says, as JSON."


class Bill(BaseModel):
    """What is asked for."""

    model_config = ConfigDict(extra="forbid")

    supplier: str = Field(max_length=60)
    number: str = Field(max_length=20)
    total: float = Field(ge=0, le=1_000_000)
    currency: Literal["EUR", "USD", "GBP"]
    items: int = Field(ge=0, le=1_000)


async def section(executive: Executive, box: Box) -> Section:
    """Have each text taken down once."""
    cases = samples.read("facts")
    found = Section(name="answers by schema", planned=len(cases))
    found.figures = {"valid": 0, "right": 0, "fields": 0, "fields_right": 0}

    async def asked(case: Mapping[str, Any]) -> str:
        prompt = Prompt(system=SYSTEM, messages=(HumanMessage(case["text"]),))
        wish = Wish(schema=Bill.model_json_schema(), max_tokens=200)
        return (await ask(executive, prompt, wish, lambda _: None)).text

    async for case, text in each(found, box, cases, asked):
        right = 0 if text is None else _right(found, case, text)
        found.count("fields", len(Bill.model_fields))
        found.count("fields_right", right)
        found.count("right", int(right == len(Bill.model_fields)))
    figures = found.figures
    found.told = [
        f"of {found.done}, {figures['valid']} valid, {figures['right']} right in every field "
        f"({figures['fields_right']} of {figures['fields']} fields)"
    ]
    return found


def _right(found: Section, case: Mapping[str, Any], text: str) -> int:
    """Return how many fields are right."""
    try:
        bill = Bill.model_validate_json(text)
    except ValidationError:
        return 0
    found.count("valid")
    given = bill.model_dump()
    return sum(_plain(given[name]) == _plain(case[name]) for name in Bill.model_fields)


def _plain(value: Any) -> Any:
    return value.casefold().strip(" .") if isinstance(value, str) else value
