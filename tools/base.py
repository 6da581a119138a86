"""What a tool is, and what it is handed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

from memory.labels import Label

Arguments = TypeVar("Arguments", bound=BaseModel)


class Effect(StrEnum):
    """What a tool does to the world, declared by the tool."""

    READ = "read"  # changes nothing and tells nobody
    LOCAL = "local"  # changes something on this machine that can be undone
    OUTWARD = "outward"  # changes the world, or tells somebody something


class Clock(Protocol):
    """The time, as a parameter."""

    def now(self) -> datetime:
        """Return the present moment with its zone."""
        ...


class ToolError(Exception):
    """A fault that the executive can mend; its text goes back to the model as the result."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolSpec:
    """What the executive is told of a tool."""

    name: str
    description: str
    parameters: dict[str, Any]
    """JSON schema of the arguments."""
    effect: Effect
    always_shown: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolContext:
    """What a call may know of the run that it belongs to."""

    run_id: str
    thread_id: str
    token: int
    """Fence token of the runner: acts are written down only under the newest."""
    collections: tuple[str, ...]
    """Where recall looks."""
    clock: Clock
    label: Label
    """Join of the labels of all that the executive had in view when it made the call."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolResult:
    """What a call gave."""

    text: str
    ok: bool
    label: Label
    """Where the words of the result came from."""
    chunks: tuple[int, ...] = ()
    """Chunks of memory that the result shows, which an answer may cite."""
    tools: tuple[str, ...] = ()
    """Tools that the result tells of, which are shown from then on."""
    left_out: int = 0
    """Characters of a text beyond all bounds that are not kept; the text begins with saying so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool(Generic[Arguments]):
    """A thing that the executive may call."""

    name: str
    description: str
    arguments: type[Arguments]
    """A pydantic model that forbids extra fields."""
    effect: Effect
    run: Callable[[Arguments, ToolContext], Awaitable[ToolResult]] = field(repr=False)
    target: Callable[[Arguments], str] = field(default=lambda _: "", repr=False)
    """What the call acts upon, in canonical form: part of the key by which an act is done once."""

    repeatable: bool = False
    """Doing it twice is the same as doing it once, so that it may be repeated after a crash."""
    always_shown: bool = False
    """The executive is told of it in every turn, however many tools there are."""

    @property
    def spec(self) -> ToolSpec:
        """What the executive is told."""
        return ToolSpec(
            name=self.name,
            description=self.description,
            parameters=_parameters(self.arguments),
            effect=self.effect,
            always_shown=self.always_shown,
        )


@cache
def _parameters(arguments: type[BaseModel]) -> dict[str, Any]:
    # Two milliseconds each time, and every prompt asks for the schemas of all tools.
    return arguments.model_json_schema()
