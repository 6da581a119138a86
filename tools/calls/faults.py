"""What may be wrong with a call, and the error that says it."""

from enum import StrEnum

from tools.base import ToolError


class Fault(StrEnum):
    """Why a call is not valid."""

    UNREADABLE = "unreadable"  # what was written is no object, or could be read in two ways
    UNKNOWN_TOOL = "unknown_tool"  # no tool has exactly this name
    ARGUMENTS = "arguments"  # the arguments do not fit the tool's types
    TOO_LARGE = "too_large"  # the arguments are longer or nested deeper than is taken
    TOO_MANY = "too_many"  # the answer holds more calls than one answer may


class CallError(ToolError):
    """A call that is not valid. Its text goes back to the model."""

    def __init__(self, fault: Fault, text: str, *, meant: str | None = None) -> None:
        super().__init__(text)
        self.fault = fault
        self.meant = meant
        """The tool that was clearly meant, if one was."""
