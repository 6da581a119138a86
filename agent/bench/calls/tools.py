"""Ten tools of everyday kinds, which do nothing."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from memory.labels import ENGINE_LABEL
from tools.base import Effect, Tool, ToolContext, ToolResult

Clock = Annotated[str, Field(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", description="as HH:MM")]
Day = Annotated[date, Field(description="as YYYY-MM-DD")]
Unit = Literal["kilometres", "miles", "kilograms", "pounds", "litres", "gallons"]
Room = Literal["kitchen", "bedroom", "bathroom", "office", "hall"]


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SetTimer(_Arguments):
    """A countdown."""

    minutes: int = Field(ge=1, le=600)
    label: str | None = Field(default=None, max_length=40)


class AddEvent(_Arguments):
    """An entry of the calendar."""

    title: str = Field(max_length=60)
    day: Day
    time: Clock


class ConvertUnits(_Arguments):
    """A quantity in another unit."""

    value: float
    from_unit: Unit
    to_unit: Unit


class SendMessage(_Arguments):
    """Words to somebody."""

    to: str = Field(max_length=40)
    text: str = Field(max_length=160)


class SearchMail(_Arguments):
    """Mails by their words."""

    query: str = Field(max_length=60)
    sender: str | None = Field(default=None, max_length=40)


class ControlLight(_Arguments):
    """A lamp."""

    room: Room
    state: Literal["on", "off"]


class PlayMusic(_Arguments):
    """Music of somebody."""

    artist: str = Field(max_length=40)
    shuffle: bool = False


class AddToList(_Arguments):
    """Entries of a list."""

    items: Annotated[list[Annotated[str, Field(max_length=30)]], Field(min_length=1, max_length=5)]
    list_name: Literal["shopping", "todo"]


class GetWeather(_Arguments):
    """The weather of a place."""

    city: str = Field(max_length=40)
    day: Literal["today", "tomorrow"]


class When(_Arguments):
    """A moment."""

    day: Day
    time: Clock


class BookTable(_Arguments):
    """A table in a restaurant."""

    restaurant: str = Field(max_length=40)
    people: int = Field(ge=1, le=20)
    when: When


async def _done(_: Any, __: ToolContext) -> ToolResult:
    return ToolResult(text="Done.", ok=True, label=ENGINE_LABEL)


def _tool(name: str, description: str, arguments: type[BaseModel]) -> Tool[Any]:
    return Tool(
        name=name, description=description, arguments=arguments, effect=Effect.READ, run=_done
    )


TOOLS = (
    _tool("set_timer", "Start a timer that rings after some minutes.", SetTimer),
    _tool("add_event", "Put an event into the calendar.", AddEvent),
    _tool("convert_units", "Convert a quantity from one unit to another.", ConvertUnits),
    _tool("send_message", "Send a message to a person.", SendMessage),
    _tool("search_mail", "Search the mail for words, and by sender.", SearchMail),
    _tool("control_light", "Switch the light in a room on or off.", ControlLight),
    _tool("play_music", "Play music by an artist.", PlayMusic),
    _tool("add_to_list", "Add items to the shopping or todo list.", AddToList),
    _tool("get_weather", "Tell the weather of a city.", GetWeather),
    _tool("book_table", "Book a table in a restaurant.", BookTable),
)
