"""The tools of a run, by name."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, PydanticUserError

from tools.base import Tool, ToolSpec
from tools.calls.faults import CallError, Fault
from tools.calls.names import alike, meant, unknown
from tools.calls.validation import validated


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidCall:
    """A call whose arguments fit its tool."""

    tool: Tool[Any]
    arguments: BaseModel
    plain: dict[str, Any]
    """The arguments as JSON: as they were written, but of the types that the tool declares."""


class Toolbox:
    """Names to tools. A name is matched exactly: nothing that only looks like it is found."""

    def __init__(self, tools: Iterable[Tool[Any]]) -> None:
        self._tools: dict[str, Tool[Any]] = {}
        self._specs: dict[str, ToolSpec] = {}
        for tool in tools:
            if tool.name in self._tools:
                raise ValueError(f"Two tools are named {tool.name!r}. Rename one of them.")
            if (other := alike(tool.name, self.names)) is not None:
                raise ValueError(
                    f"The tools {other!r} and {tool.name!r} have names that look alike. "
                    "Rename one of them."
                )
            self._tools[tool.name] = tool
            self._specs[tool.name] = _described(tool)

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in the order of registration."""
        return tuple(self._tools)

    def specs(self, names: Iterable[str] | None = None) -> tuple[ToolSpec, ...]:
        """Return what the executive is told of the tools named, or of all."""
        chosen = self.names if names is None else names
        return tuple(self._specs[name] for name in chosen if name in self._specs)

    def get(self, name: str) -> Tool[Any]:
        """Return the tool of exactly this name. Raises CallError with the nearest one as a hint."""
        try:
            return self._tools[name]
        except KeyError:
            raise CallError(
                Fault.UNKNOWN_TOOL, unknown(name, self.names), meant=meant(name, self.names)
            ) from None

    def validate(self, name: str, arguments: Any) -> ValidCall:
        """Return the call in canonical form. Raises CallError for what does not fit."""
        tool = self.get(name)
        typed, plain = validated(name, tool.arguments, self._specs[name].parameters, arguments)
        return ValidCall(tool=tool, arguments=typed, plain=plain)


def _described(tool: Tool[Any]) -> ToolSpec:
    """Return what the executive is told; arguments that cannot be told are a fault of the tool."""
    try:
        return tool.spec
    except PydanticUserError as error:
        raise ValueError(
            f"The arguments of the tool {tool.name!r} have no JSON schema: {error.message}. Use "
            "types that JSON can hold."
        ) from error
