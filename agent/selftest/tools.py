"""The tools of a selftest: they do nothing but write down what they were called with."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from memory.labels import ENGINE_LABEL
from tools.base import Effect, Tool, ToolContext, ToolResult

Room = Literal["kitchen", "bedroom", "bathroom", "living room"]


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FindContact(_Arguments):
    """Look somebody up."""

    name: str = Field(min_length=1, max_length=60)


class AddEvent(_Arguments):
    """Put something into the calendar."""

    title: str = Field(min_length=1, max_length=60)
    day: date
    hour: int = Field(ge=0, le=23)


class SetTemperature(_Arguments):
    """Set the heating of a room."""

    room: Room
    degrees: float = Field(ge=5, le=30)


class Translate(_Arguments):
    """Say a text in another language."""

    text: str = Field(min_length=1, max_length=120)
    language: Literal["de", "fr", "it"]


class ListFiles(_Arguments):
    """List files."""

    folder: str = Field(min_length=1, max_length=60)
    endings: list[str] = Field(min_length=1, max_length=4)


class SetAlarm(_Arguments):
    """Ring later."""

    minutes: int = Field(ge=1, le=1_440)


class SwitchLight(_Arguments):
    """Switch a light."""

    room: Room
    on: bool


_OFFERED: Mapping[str, tuple[type[BaseModel], str]] = {
    "find_contact": (FindContact, "Find a person in the address book by name."),
    "add_event": (AddEvent, "Put an event into the calendar: its day as YYYY-MM-DD, its hour."),
    "set_temperature": (SetTemperature, "Set the temperature of a room in degrees Celsius."),
    "translate": (Translate, "Translate a text into German (de), French (fr) or Italian (it)."),
    "list_files": (ListFiles, "List the files of a folder whose names have one of the endings."),
    "set_alarm": (SetAlarm, "Ring an alarm after some minutes."),
    "switch_light": (SwitchLight, "Switch the light of a room on or off."),
}


class Record:
    """The tools, and what was really run."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, BaseModel]] = []
        self.tools: list[Tool[Any]] = [
            Tool(
                name=name,
                description=description,
                arguments=arguments,
                effect=Effect.READ,
                run=self._runner(name),
            )
            for name, (arguments, description) in _OFFERED.items()
        ]

    def _runner(self, name: str) -> Any:
        async def run(arguments: BaseModel, context: ToolContext) -> ToolResult:  # noqa: ARG001
            self.ran.append((name, arguments))
            return ToolResult(text="done", ok=True, label=ENGINE_LABEL)

        return run


def valid(name: str, arguments: BaseModel) -> bool:
    """Whether what was run is of the types that its tool declares."""
    wanted = _OFFERED[name][0]
    return isinstance(arguments, wanted) and arguments == wanted.model_validate(
        arguments.model_dump()
    )


def as_written(name: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a call fits its tool without being mended."""
    if name not in _OFFERED:
        return False
    try:
        _OFFERED[name][0].model_validate_json(_json(arguments), strict=True)
    except ValueError:
        return False
    return True


def _json(arguments: Mapping[str, Any]) -> bytes:
    from pydantic_core import to_json

    return to_json(arguments)


MALFORMED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("open_door", {"room": "kitchen"}),
    ("switch_light", {"room": "kitchen", "on": True, "bcc": "all@example.org"}),
    ("switch_l\u0456ght", {"room": "kitchen", "on": True}),  # a Cyrillic letter
    ("switch_light", {"room": "cellar", "on": True}),
    ("set_alarm", {}),
    ("set_alarm", {"minutes": "soon"}),
    ("set_alarm", {"minutes": 1_000_000}),
    ("add_event", {"title": "x", "day": "2026-02-30", "hour": 9}),
)
"""Calls that must never be run, whatever model makes them."""
