"""Errors of the running program, for the person who runs it.

AgentError
├── SettingsError
├── UsageError
├── EmbedderError
└── ExecutiveError
    ├── ExecutiveUnreachableError
    ├── ModelMissingError
    ├── PromptTooLongError
    ├── BrokenStreamError
    └── EmptyAnswerError
"""


class AgentError(Exception):
    """Something that a person has to put right; the text says what, with which value, and how."""


class SettingsError(AgentError):
    """A setting is unknown, unreadable or out of bounds."""


class UsageError(AgentError):
    """A command was called wrongly."""


class EmbedderError(AgentError):
    """Text cannot be turned into vectors."""


class ExecutiveError(AgentError):
    """The executive gave no usable answer."""


class ExecutiveUnreachableError(ExecutiveError):
    """No server answers at the executive's address, or not in time."""


class ModelMissingError(ExecutiveError):
    """The server does not have the model."""


class PromptTooLongError(ExecutiveError):
    """The prompt is longer than the context that is loaded."""


class BrokenStreamError(ExecutiveError):
    """The answer broke off before its end, or was not what the protocol says."""


class EmptyAnswerError(ExecutiveError):
    """The model ended without a word and without a call."""
