"""Errors of the state machines and of what they ask.

GraphError
└── ExecutiveError
    ├── ExecutiveUnreachableError
    ├── ModelMissingError
    ├── PromptTooLongError
    ├── BrokenStreamError
    └── EmptyAnswerError
"""


class GraphError(Exception):
    """A graph cannot go on; the text says what a person has to put right."""


class ExecutiveError(GraphError):
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
