"""Errors of the running program, for the person who runs it.

AgentError
├── SettingsError
├── UsageError
├── EmbedderError
├── HubError
│   └── HubCutError
├── PeerError
└── VisionError

What an executive raises is part of its contract and stands in `graphs.errors`.
"""

from memory.errors import EmbedderUnavailableError


class AgentError(Exception):
    """Something that a person has to put right; the text says what, with which value, and how."""


class SettingsError(AgentError):
    """A setting is unknown, unreadable or out of bounds."""


class UsageError(AgentError):
    """A command was called wrongly."""


class EmbedderError(AgentError, EmbedderUnavailableError):
    """Text cannot be turned into vectors."""


class PeerError(AgentError):
    """A library that a benchmark compares with cannot be run, or failed."""


class HubError(AgentError):
    """A hub of weights does not give what was asked for."""


class HubCutError(HubError):
    """A hub could not be reached, or broke off: the same may succeed when it is tried again."""


class VisionError(AgentError):
    """A picture cannot be described."""
