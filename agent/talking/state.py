"""What is true of a conversation between two events: plain values, no device and no task."""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """What is going on."""

    LISTENING = "listening"  # nobody speaks, and nothing is asked
    HEARING = "hearing"  # the person speaks
    THINKING = "thinking"  # something was asked, and nothing of the answer has sounded yet
    SPEAKING = "speaking"  # the answer sounds; its turn may still be writing it
    ASKING = "asking"  # the person has to decide on an act, at the terminal
    ACTING = "acting"  # the person has decided, and what follows has not been told yet
    OVER = "over"  # the conversation has ended


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """A conversation."""

    phase: Phase = Phase.LISTENING
    turn: int = 0
    """Number of the newest turn that was begun."""
    asked: tuple[int, ...] = ()
    """Utterances that ask what is being thought about, or that will; each has a number."""
    running: bool = False
    """Whether the graph of the newest turn is at work."""
    settling: bool = False
    """Whether the newest turn was interrupted and its end is not written down yet."""
    ended: bool = False
    """Whether the microphone gives no more."""
    failure: str | None = None
    """Why it gives no more, where a recording's end is not the reason."""
