"""The faults, and what has to become of each on each adapter. The contract tests read it too."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from graphs.errors import (
    ExecutiveError,
    ExecutiveUnreachableError,
    ModelMissingError,
    PromptTooLongError,
)


class Adapter(StrEnum):
    """Who speaks to the model."""

    OLLAMA = "ollama"
    OPENAI = "openai"
    PROCESS = "in process"


class Outcome(StrEnum):
    """What became of a fault."""

    MENDED = "answered on the second try"
    TOLD = "answered, and told"
    NAMED = "named error"
    CUT = "returned as cut"
    MISSED = "not noticed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """What has to become of it."""

    outcome: Outcome
    error: type[ExecutiveError] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """A fault. Where an adapter is not named it cannot occur."""

    name: str
    what: str
    expected: Mapping[Adapter, Expected]


MENDED = Expected(outcome=Outcome.MENDED)
TOLD = Expected(outcome=Outcome.TOLD)


def _named(error: type[ExecutiveError]) -> Expected:
    return Expected(outcome=Outcome.NAMED, error=error)


def _everywhere(expected: Expected) -> dict[Adapter, Expected]:
    return dict.fromkeys(Adapter, expected)


def _served(expected: Expected) -> dict[Adapter, Expected]:
    """Expect it where there is a connection."""
    return {Adapter.OLLAMA: expected, Adapter.OPENAI: expected}


FAULTS: tuple[Fault, ...] = (
    Fault(
        name="cut-first",
        what="the stream is cut before the first word",
        expected=_everywhere(MENDED),
    ),
    Fault(
        name="cut-later",
        what="the stream is cut after the first words",
        expected=_everywhere(MENDED),
    ),
    Fault(
        name="no-end",
        what="the stream is closed in order, but without its end",
        expected=_everywhere(MENDED),
    ),
    Fault(
        name="length",
        what="the answer is ended by its length",
        expected=_everywhere(MENDED),
    ),
    Fault(
        name="error-midway",
        what="an error object comes amid the answer",
        expected=_everywhere(MENDED),
    ),
    Fault(
        name="garbled",
        what="a line of the stream is no JSON",
        expected=_served(MENDED),
    ),
    Fault(
        name="empty",
        what="the answer ends without a word",
        expected=_everywhere(MENDED),
    ),
    Fault(
        name="only-thoughts",
        what="the answer ends without a word after thinking",
        expected=_everywhere(MENDED),
    ),
    Fault(
        name="thought-away",
        what="thinking takes all the tokens of the answer",
        expected=_everywhere(MENDED),
    ),
    Fault(
        name="failed",
        what="the server answers 500, or the model fails before the first word",
        expected=_everywhere(_named(ExecutiveError)),
    ),
    Fault(
        name="busy",
        what="the server answers 503",
        expected=_served(_named(ExecutiveUnreachableError)),
    ),
    Fault(
        name="gone",
        what="the model is not there any more (404, a file that is gone)",
        expected=_everywhere(_named(ModelMissingError)),
    ),
    Fault(
        name="hangs-first",
        what="silence before the first word",
        expected=_served(_named(ExecutiveUnreachableError)),
    ),
    Fault(
        name="hangs-later",
        what="silence amid the answer",
        expected=_served(_named(ExecutiveUnreachableError)),
    ),
    Fault(
        name="truncated",
        what="the server reads less than it was sent, and says nothing",
        expected=_everywhere(_named(PromptTooLongError)),
    ),
    Fault(
        name="small-context",
        what="the context is smaller than was asked for, and the prompt fits it",
        expected={Adapter.OLLAMA: TOLD},
    ),
    Fault(
        name="overfull",
        what="the context is smaller than was asked for, and the prompt does not fit it",
        expected=_everywhere(_named(PromptTooLongError)),
    ),
    Fault(
        name="stranger",
        what="another model answers than was asked",
        expected=_served(_named(ModelMissingError)),
    ),
    Fault(
        name="reloaded",
        what="the model was pushed out and is loaded anew",
        expected={Adapter.OLLAMA: TOLD},
    ),
)
