"""What a probe asks: requests to tools with the one right call, and a long text with a needle."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from langchain_core.messages import HumanMessage
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graphs.executive import CallPart, Prompt
from tools.base import Effect, ToolSpec

SYSTEM = "You help with small requests. Call a tool where one fits; otherwise answer in words."


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Weather(_Arguments):
    """Arguments of `weather`."""

    city: str = Field(max_length=60)
    day: Literal["today", "tomorrow"]


class Timer(_Arguments):
    """Arguments of `set_timer`."""

    minutes: int = Field(ge=1, le=600)


class Note(_Arguments):
    """Arguments of `send_note`."""

    to: list[str] = Field(min_length=1, max_length=5)
    text: str = Field(max_length=120)


class Conversion(_Arguments):
    """Arguments of `convert`."""

    amount: float
    from_unit: str = Field(max_length=20)
    to_unit: str = Field(max_length=20)


_TYPES: Mapping[str, type[BaseModel]] = {
    "weather": Weather,
    "set_timer": Timer,
    "send_note": Note,
    "convert": Conversion,
}
_DESCRIPTIONS = {
    "weather": "Tell the weather of a city, today or tomorrow.",
    "set_timer": "Set a timer that rings after some minutes.",
    "send_note": "Send a short note to people, by their names.",
    "convert": "Convert an amount from one unit of measure to another.",
}
TOOLS = tuple(
    ToolSpec(
        name=name,
        description=_DESCRIPTIONS[name],
        parameters=arguments.model_json_schema(),
        effect=Effect.READ,
    )
    for name, arguments in _TYPES.items()
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """Something to do, and how to tell that the right thing was done."""

    text: str
    tool: str | None
    """None: words are right, and a call is not."""
    fits: Callable[[Any], bool] = lambda _: True
    """Judges the typed arguments."""

    @property
    def prompt(self) -> Prompt:
        """What the executive is shown."""
        return Prompt(system=SYSTEM, messages=(HumanMessage(self.text),))


REQUESTS = (
    Request(
        text="What will the weather be in Oslo tomorrow?",
        tool="weather",
        fits=lambda found: "oslo" in found.city.casefold() and found.day == "tomorrow",
    ),
    Request(
        text="Please set a timer for 25 minutes.",
        tool="set_timer",
        fits=lambda found: found.minutes == 25,
    ),
    Request(
        text="Send Ann and Ben the note: The key is under the mat.",
        tool="send_note",
        fits=lambda found: (
            sorted(name.casefold() for name in found.to) == ["ann", "ben"] and "key" in found.text
        ),
    ),
    Request(
        text="How many kilometres are 12.5 miles?",
        tool="convert",
        fits=lambda found: found.amount == 12.5 and "mi" in found.from_unit.casefold(),
    ),
    Request(
        text="Will it rain in Lima today?",
        tool="weather",
        fits=lambda found: "lima" in found.city.casefold() and found.day == "today",
    ),
    Request(text="Thank you, that was all for now.", tool=None),
)

TWO_AT_ONCE = Request(
    text="Tell me the weather of today in Oslo and in Lima. Ask for both at once.", tool="weather"
)


def typed(call: CallPart) -> BaseModel | None:
    """Return the arguments of a call as its tool takes them, unmended; None: it is not valid."""
    arguments = _TYPES.get(call.name)
    if arguments is None:
        return None
    try:
        return arguments.model_validate(call.arguments, strict=True)
    except ValidationError:
        return None


class Parcel(BaseModel):
    """What is asked for by schema."""

    model_config = ConfigDict(extra="forbid")

    sender: str = Field(max_length=40)
    weight_kg: float = Field(ge=0, le=500)
    fragile: bool
    contents: list[str] = Field(min_length=1, max_length=4)


PARCELS = (
    ("Mrs. Novak sent a parcel of 4.5 kg with two lamps and a mirror. It is fragile.", 4.5, True),
    ("Lindner Ltd. sent a box of screws and a hammer, 12 kg in all. It is sturdy.", 12, False),
)
"""Each with its weight, and whether it is fragile."""


def parcel(text: str) -> Prompt:
    """Return what is shown for an answer by schema."""
    return Prompt(system="You take down what a text says, as JSON.", messages=(HumanMessage(text),))


REASONING = Prompt(
    system="You answer briefly.",
    messages=(HumanMessage("A train leaves at 9:40 and travels 95 minutes. When does it arrive?"),),
)

COUNTING = Prompt(
    system="You do what is asked, in words.",
    messages=(HumanMessage("Count from one to eight, in words, separated by commas."),),
    begun="one, two, three, four,",
)
"""An answer that has begun."""
GOES_ON = "five"

NEEDLE = "7381"
_NEEDLE = f"The code of the green cabinet is {NEEDLE}."
_QUESTION = "What is the code of the green cabinet? Answer with the number alone."


def haystack(lines: int, place: float = 0.0) -> Prompt:
    """Return a long list with one line that holds what the question behind it asks for.

    It is the first; 1.0 is the last, and 0.5 that in the middle.
    """
    entries = [
        f"Entry {number}: {3 + number * 7 % 83} crates came to store {number * 5 % 29} by lorry."
        for number in range(1, lines + 1)
    ]
    entries.insert(round(lines * place), _NEEDLE)
    text = "\n".join(entries)
    return Prompt(
        system="You answer from the text.", messages=(HumanMessage(f"{text}\n\n{_QUESTION}"),)
    )
