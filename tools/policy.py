"""Whether a call may go ahead.

A pure function of what the call does, what was asked for, and what was in view.
"""

from dataclasses import dataclass
from enum import StrEnum

from memory.labels import INSIDE, Label
from tools.base import Effect


class Ruling(StrEnum):
    """What is to become of a call."""

    ALLOW = "allow"  # goes ahead
    ASK = "ask"  # waits for a person
    REFUSE = "refuse"  # never done, whoever says so


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """A ruling with its reason."""

    ruling: Ruling
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call in canonical form: validated arguments, and what they act upon."""

    tool: str
    effect: Effect
    target: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """An act that the user's instruction covers."""

    tool: str
    target: str | None = None
    """The one target that is meant; None covers every target."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Purpose:
    """The acts that a run was started for, fixed before outside words came into view."""

    name: str
    grants: tuple[Grant, ...] = ()

    def covers(self, call: Call) -> bool:
        """Whether one of the grants names the tool and, where it has one, the target."""
        return any(
            grant.tool == call.tool and grant.target in (None, call.target) for grant in self.grants
        )


ANSWER = Purpose(name="answer the question")
"""A question asks for words only."""


def judge(call: Call, *, purpose: Purpose, label: Label) -> Verdict:
    """Allow, ask or refuse one call.

    `label` joins all that the executive had in view when it made the call.
    """
    if call.effect is Effect.READ:
        return Verdict(ruling=Ruling.ALLOW, reason="only reads")
    if purpose.covers(call):
        return Verdict(ruling=Ruling.ALLOW, reason=f"part of the purpose '{purpose.name}'")
    if label.outside:
        origins = ", ".join(sorted(label.origins - INSIDE))
        return Verdict(
            ruling=Ruling.ASK,
            reason=f"not part of '{purpose.name}', and words from outside were in view ({origins})",
        )
    if call.effect is Effect.LOCAL:
        return Verdict(ruling=Ruling.ALLOW, reason="the user's own words, and it can be undone")
    return Verdict(ruling=Ruling.ASK, reason=f"not part of '{purpose.name}'")
