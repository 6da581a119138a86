"""Errors of all packages in words for the person at the terminal, with an exit code."""

import errno

import typer

from agent.errors import AgentError, SettingsError, UsageError

FAILED = 1
WRONG_USE = 2


def explained(error: Exception) -> tuple[int, str]:
    """Return the exit code and one line that names the thing, the value and the next step."""
    if isinstance(error, typer.TyperException):
        return WRONG_USE, _misused(error)
    if isinstance(error, UsageError | SettingsError):
        return WRONG_USE, str(error)
    if isinstance(error, AgentError) or _ours(error):
        return FAILED, str(error)
    if isinstance(error, OSError):
        return FAILED, _system(error)
    kind = type(error).__name__
    return FAILED, f"An error that nobody foresaw: {kind}: {error}. Add --debug to see where."


def _misused(error: typer.TyperException) -> str:
    """Say what was wrong with a command's words, and where its help is."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "cortical"
    text = error.format_message().strip()
    return text if text.startswith("Usage:") else f"{_ended(text)} See `{command} --help`."


def _ended(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _ours(error: Exception) -> bool:
    """Whether the error's text was written by one of our packages for a person."""
    return type(error).__module__.split(".")[0] in ("agent", "graphs", "tools", "memory")


def _system(error: OSError) -> str:
    name = f" {error.filename}" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full{name}. What was stored before is whole. Free some space."
    return f"{error.strerror or error}{name}."
