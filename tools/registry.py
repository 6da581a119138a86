"""The tools of a run, by name."""

import reprlib
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tools.base import Tool, ToolError, ToolSpec


class Toolbox:
    """Names to tools. A name is matched exactly: nothing that only looks like it is found."""

    def __init__(self, tools: Iterable[Tool[Any]]) -> None:
        self._tools: dict[str, Tool[Any]] = {}
        for tool in tools:
            if tool.name in self._tools:
                raise ValueError(f"Two tools are named {tool.name!r}. Rename one of them.")
            self._tools[tool.name] = tool

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in the order of registration."""
        return tuple(self._tools)

    def specs(self, names: Iterable[str] | None = None) -> tuple[ToolSpec, ...]:
        """Return what the executive is told of the tools named, or of all."""
        chosen = self.names if names is None else names
        return tuple(self._tools[name].spec for name in chosen if name in self._tools)

    def get(self, name: str) -> Tool[Any]:
        """Return the tool. An unknown name is a `ToolError` that lists the known ones."""
        try:
            return self._tools[name]
        except KeyError:
            raise ToolError(
                f"There is no tool {name!r}. The tools are: {', '.join(self.names)}."
            ) from None

    def validate(self, name: str, arguments: dict[str, Any]) -> tuple[Tool[Any], BaseModel]:
        """Return the tool and its typed arguments. What does not fit is a `ToolError`."""
        tool = self.get(name)
        try:
            return tool, tool.arguments.model_validate(arguments)
        except ValidationError as error:
            faults = "; ".join(map(_said, error.errors(include_url=False)))
            known = ", ".join(tool.arguments.model_fields) or "none"
            raise ToolError(
                f"The arguments of {name!r} are not valid: {faults}. Its arguments are: {known}."
            ) from error


def _said(fault: ErrorDetails) -> str:
    """Name the argument, its value and what is wrong with it."""
    name = ".".join(map(str, fault["loc"])) or "all of them"
    given = "" if fault["type"] == "missing" else f" = {reprlib.repr(fault['input'])}"
    return f"{name}{given}: {fault['msg']}"
